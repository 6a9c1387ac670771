"""What is wrong with a model's reply, in words that are sent back to the model."""

from evolve.errors import EvolveError


class ReplyError(EvolveError):
    """A reply cannot be used; the text says what was found and what to write instead. The model reads it next."""

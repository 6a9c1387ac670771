"""What an archive refuses: a wrong description of itself, or an offer that is not finite numbers."""

from collections.abc import Sequence


class ArchiveError(Exception):
    """Base of every error here. Whatever raised it left the archive as it was."""


class ArchiveSpecError(ArchiveError):
    """The description of an archive is wrong; `mistakes` has one line a mistake, each with its key."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))

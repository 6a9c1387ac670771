"""What goes wrong with a judge itself; a candidate that fails is never one of these."""


class EvaluatorError(Exception):
    """The judge cannot be built or asked: a wrong option, a missing file, an evaluator that breaks its contract."""

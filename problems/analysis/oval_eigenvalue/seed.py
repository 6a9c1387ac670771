"""An oval and a function on it."""

# EVOLVE-BLOCK-START


def construct(n):
    """An oval that is longer than wide, and a constant."""
    return {"curve": [[0.4, 0.0]], "function": [[1.0, 0.0]]}


# EVOLVE-BLOCK-END

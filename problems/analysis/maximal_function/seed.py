"""Masses with a long level set: two."""

# EVOLVE-BLOCK-START


def construct(n):
    """Two equal masses that help each other."""
    return [[0.0, 1.0], [1.5, 1.0]]


# EVOLVE-BLOCK-END

"""A pattern without tetrahedra: three parts, one vertex from each."""

# EVOLVE-BLOCK-START


def construct(n):
    """The complete 3-partite pattern."""
    return {"weights": [1, 1, 1], "triples": [[0, 1, 2]]}


# EVOLVE-BLOCK-END

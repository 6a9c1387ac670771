"""A Golomb ruler: the first marks that fit."""

# EVOLVE-BLOCK-START


def construct(n):
    """Add the smallest mark that repeats no distance (Mian and Chowla)."""
    marks, distances = [0], set()
    while len(marks) < n:
        mark = marks[-1] + 1
        while any(mark - other in distances for other in marks):
            mark += 1
        distances |= {mark - other for other in marks}
        marks.append(mark)
    return marks


# EVOLVE-BLOCK-END

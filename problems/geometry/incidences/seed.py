"""Points and lines with many incidences: a grid, its rows, its columns and lines of slope 1 and -1."""

# EVOLVE-BLOCK-START


def construct(n, m):
    """Points of a square grid, and the lines through it, the steepest last."""
    side = int((n - 1) ** 0.5) + 1
    points = [[k % side, k // side] for k in range(n)]
    lines = [[0, 1, y] for y in range(side)] + [[1, 0, x] for x in range(side)]
    lines += [[1, -1, c] for c in range(-side, side)] + [[1, 1, c] for c in range(2 * side)]
    lines += [[k, 1, -k * m] for k in range(2, m + 2)]
    return {"points": points, "lines": lines[:m]}


# EVOLVE-BLOCK-END

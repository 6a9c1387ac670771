"""Small toolboxes for discrete objects, by name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sandbox.toolbox.base import Toolbox
from sandbox.toolbox.choices import SmallUnion, lines_by_direction, punctured_lines
from sandbox.toolbox.conflicts import ConflictFree, winding_words, words_in_conflict
from sandbox.toolbox.convexity import NoConvex
from sandbox.toolbox.graphons import Sidorenko
from sandbox.toolbox.grids import GridPoints
from sandbox.toolbox.residues import SquareFreeResidues
from sandbox.toolbox.signs import SignSequence
from sandbox.toolbox.tilings import FreeCells


def words(n: int, d: int, **more: Any) -> ConflictFree:
    """Words of length d over n letters."""

    def spread(rng: np.random.Generator) -> Any:
        return winding_words(n, d, rng)

    return ConflictFree(words_in_conflict(n, d), spread, **more)


DISCRETE: list[tuple[str, Callable[..., Toolbox[Any]]]] = [
    ("conflict_free", lambda **more: words(5, 2, **more)),
    ("grid_points-line", lambda **more: GridPoints(5, "three_in_line", **more)),
    ("grid_points-isosceles", lambda **more: GridPoints(5, "isosceles", **more)),
    ("grid_points-sphere", lambda **more: GridPoints(3, "five_on_a_sphere", **more)),
    ("small_union", lambda **more: SmallUnion(lines_by_direction(3, 2), **more)),
    ("small_union-punctured", lambda **more: SmallUnion(punctured_lines(3, 2), **more)),
    ("free_cells", lambda **more: FreeCells(5, **more)),
    ("sidorenko", lambda **more: Sidorenko(2, **more)),
    ("square_free_residues", lambda **more: SquareFreeResidues(70, **more)),
    ("sign_sequence-merit", lambda **more: SignSequence(13, "merit", **more)),
    ("sign_sequence-flat", lambda **more: SignSequence(12, "flat", **more)),
    ("no_convex", lambda **more: NoConvex(4, **more)),
]

"""Screens of millions of small programs: single turns at the start of a run, each from other expressions."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from evolve.operators.symbolic import SymbolicBurst
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_NEG, OP_SQUARE, OP_SUB

NAME: Final = "screen"
N_SCREENS: Final = 2
ROWS: Final = 600
"""Expressions whose pairs a screen joins, unless the problem says otherwise: about half a second of one core."""

_ARITHMETIC: Final = frozenset({OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_NEG, OP_SQUARE})


def screen_rows(asked: int | None, opcodes: Collection[int]) -> int:
    """How many expressions each screen joins in pairs, 0 for no screens: what the problem asks for.

    If it does not say, there are screens where programs have functions beside + - * /: over these alone a burst of
    mutation finds better in the same time.
    """
    if asked is not None:
        return asked
    return ROWS if set(opcodes) - _ARITHMETIC else 0


def screens(burst: SymbolicBurst, *, rows: int, device: str) -> list[SymbolicBurst]:
    """The turns; each draws its own expressions where there are too many. `burst` lends the rest."""
    if rows == 0:
        return []
    settings = {**burst.settings, "screen_rows": rows, "device": device}
    return [replace(burst, name=NAME, kind=NAME, settings=settings) for _ in range(N_SCREENS)]

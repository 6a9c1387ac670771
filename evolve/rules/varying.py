"""How each kind of burst makes a child of one of its members."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evolve.rules.language import Language
from evolve.rules.moves import Moves
from evolve.rules.neighbours import neighbours
from sandbox.symbolic.program import Program

Made = tuple[Program, tuple[int, ...]] | None
Vary = Callable[[Sequence[Program], int, np.random.Generator], Made]


def names_used(program: Program, language: Language) -> set[str]:
    """The inputs that a program without dead code reads, and the slots that it keeps."""
    *calls, step = program.instructions
    slots = dict(zip(language.state, step.arguments[1:], strict=True))
    changed = {slot: new for slot, new in slots.items() if new != slot}
    used = {operand for call in calls for operand in call.arguments} | {step.arguments[0], *changed, *changed.values()}
    return {name for register, name in enumerate(language.inputs) if register in used}


def vary_of(settings: Mapping[str, Any], moves: Moves, inputs: frozenset[str], first: Program) -> Vary:
    """How a kind of burst makes a child of the member at a place; None for one that uses what the problem lacks."""
    if "first" in settings:
        change = _opening(moves, first, slice(settings["part"], None, settings["n_parts"]))
    else:
        change = _looking_around(moves) if settings["kind"] == "neighbours" else _changing(settings["kind"], moves)

    def vary(members: Sequence[Program], place: int, rng: np.random.Generator) -> Made:
        made = change(members, place, rng)
        return made if made is not None and names_used(made[0], moves.language) <= inputs else None

    return vary


def _changing(kind: str, moves: Moves) -> Vary:
    """Random changes of one kind."""

    def change(members: Sequence[Program], place: int, rng: np.random.Generator) -> Made:
        if kind == "crossover":
            other = int(rng.integers(len(members)))
            child = moves.crossed(members[place], members[other], rng)
            return None if child is None else (child, (place, other))
        child = {"tune": moves.tuned, "graft": moves.grafted, "mutate": moves.mutate}[kind](members[place], rng)
        return None if child is None else (child, (place,))

    return change


def _opening(moves: Moves, first: Program, part: slice) -> Vary:
    """Every neighbour of one member in one part of them, once, in their order."""
    left = neighbours(first, moves.language, max_operations=moves.settings.max_operations)[part][::-1]

    def change(members: Sequence[Program], _: int, __: np.random.Generator) -> Made:
        return (left.pop(), (members.index(first),)) if left and first in members else None

    return change


def _looking_around(moves: Moves) -> Vary:
    """Every neighbour of a member once, in random order."""
    left: dict[Program, list[Program]] = {}

    def change(members: Sequence[Program], place: int, rng: np.random.Generator) -> Made:
        member = members[place]
        if member not in left:
            found = neighbours(member, moves.language, max_operations=moves.settings.max_operations)
            left[member] = [found[number] for number in rng.permutation(len(found))]
        return (left[member].pop(), (place,)) if left[member] else None

    return change

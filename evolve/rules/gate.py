"""An edit that combines a value with a function of itself: what masks, trust ratios and normalisations have in common.

`u * agree(u, g)`, `k / mean(k)` and `g / sqrt(ema(v, square(g), 0.9))` are single edits of this kind. By inserting one
call at a time they need several, of which the first make most rules worse.
"""

from typing import Final

import numpy as np

from evolve.rules.draw import Draw
from evolve.rules.edits import Place, one, places, type_at, type_of
from evolve.rules.graph import Call, Operand
from evolve.rules.language import Language, is_real

LONGEST: Final = 3
"""Words between a value and what it is combined with, at most."""

SCALING_SHARE: Final = 0.6
"""So often the value is multiplied or divided, where its type allows it; else any word combines the two."""

CROSSING_SHARE: Final = 0.5
"""So often a chain goes on with a word that answers the wanted type already, as a matrix made of a tensor."""

UPDATE_SHARE: Final = 0.25
"""So often it is the whole update that is combined."""

GRADIENT_SHARE: Final = 0.5
"""So often a further argument of a chain's words is the gradient."""

_SCALING: Final = ("mul", "div", "matmul")
_REMEMBERING: Final = {"ema": 0, "basis": 1, "inverse_root": 1}
"""Words with an argument that is what they answered one step before, and which one it is."""

_LEFT_OUT: Final = ("debias",)
"""Makes sense on a running mean alone."""


def gate(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Let an argument read what it read, combined with a function of that: one to three words, memory included."""
    place = (root, 0) if rng.random() < UPDATE_SHARE else one(places(root, draw), rng)
    call, k = place
    old = call.arguments[k]
    if is_real(type_at(place, draw)):
        return False
    combining = _combining(type_of(old, draw), draw, rng)
    if combining is None:
        return False
    position, kept, gated = combining
    memories: dict[int, Call] = {}
    wanted = draw.language.functions[position].argument_types[gated]
    value = _function_of(place, root, wanted, draw, rng, memories)
    if value is None:
        return False
    new = Call(position, [])
    new.arguments = [old if j == kept else value for j in range(2)]
    for slot, memory in memories.items():
        root.arguments[1 + slot] = memory
    call.arguments[k] = new
    return True


def _combining(type_: str, draw: Draw, rng: np.random.Generator) -> tuple[int, int, int] | None:
    """A word of two arguments that answers the type: its position, the argument that is kept and the other one."""
    language = draw.language
    able = [
        (position, j)
        for position in range(len(language.functions))
        for j in _places_of(type_, position, language)
        if not is_real(language.functions[position].argument_types[1 - j])
    ]
    scaling = [each for each in able if language.names[each[0]] in _SCALING]
    if not able:
        return None
    position, kept = one(scaling if scaling and rng.random() < SCALING_SHARE else able, rng)
    return position, kept, 1 - kept


def _places_of(type_: str, position: int, language: Language) -> list[int]:
    """The arguments of a word of two that have the type, where it answers the type too."""
    function = language.functions[position]
    if function.result_type != type_ or len(function.argument_types) != 2:
        return []
    return [j for j, each in enumerate(function.argument_types) if each == type_]


def _function_of(
    place: Place, root: Call, wanted: str, draw: Draw, rng: np.random.Generator, memories: dict[int, Call]
) -> Operand | None:
    """A chain of words on what `place` reads that ends in the wanted type; notes the slots it takes in `memories`."""
    call, k = place
    value = call.arguments[k]
    for left in reversed(range(min(int(rng.geometric(0.5)), LONGEST))):
        type_ = type_of(value, draw)
        able = _words_on(type_, wanted, draw, is_last=left == 0 or bool(rng.random() < CROSSING_SHARE))
        if not able:
            return None
        position = draw.chosen(able, rng)
        built = _called(position, value, (root, call), draw, rng, memories)
        if built is None:
            return None
        value = built
    return value


def _words_on(type_: str, wanted: str, draw: Draw, *, is_last: bool) -> list[int]:
    """Words that take the type and answer the wanted one or, before the last, the same again."""
    language = draw.language
    results = {wanted} if is_last else {wanted, type_}
    return [
        position
        for result in sorted(results)
        for position in language.by_result.get(result, ())
        if _taking(type_, position, language) and language.names[position] not in _LEFT_OUT
    ]


def _taking(type_: str, position: int, language: Language) -> list[int]:
    """The arguments of a word that have the type, what it answered one step before aside."""
    old = _REMEMBERING.get(language.names[position], -1)
    return [j for j, each in enumerate(language.functions[position].argument_types) if each == type_ and j != old]


def _called(
    position: int,
    value: Operand,
    reader: tuple[Call, Call],
    draw: Draw,
    rng: np.random.Generator,
    memories: dict[int, Call],
) -> Call | None:
    """A call on the value; a word that remembers gets a free slot, which keeps what it answers."""
    root, call = reader
    language = draw.language
    function = language.functions[position]
    new = Call(position, [])
    old = _REMEMBERING.get(function.name, -1)
    slot = _free_slot(function.result_type, root, memories, language) if old >= 0 else None
    if old >= 0 and slot is None:
        return None
    taken, gradient = one(_taking(type_of(value, draw), position, language), rng), language.register("g")
    for j in range(len(function.argument_types)):
        operand: Operand | None
        if j == taken:
            operand = value
        elif slot is not None and j == old:
            operand = language.state[slot]
        elif type_of(gradient, draw) == function.argument_types[j] and rng.random() < GRADIENT_SHARE:
            operand = gradient
        else:
            operand = draw.argument(root, call, (position, j), rng)
        if operand is None:
            return None
        new.arguments.append(operand)
    if slot is not None:
        memories[slot] = new
    return new


def _free_slot(type_: str, root: Call, memories: dict[int, Call], language: Language) -> int | None:
    free = [
        slot
        for slot in language.free_slots.get(type_, ())
        if root.arguments[1 + slot] == language.state[slot] and slot not in memories
    ]
    return free[0] if free else None

"""Edits of averages that take several calls at once: another scale, and freedom from the zero they start at.

In another scale a mean becomes a root of mean squares, or the other way round: a quasi-arithmetic mean (Kolmogorov
1930), the inverse of a function of the average of that function. Done call by call this goes through rules whose update
grows with the square of the gradient, which no search keeps. The correction of Adam's averages (Kingma and Ba 2014,
https://arxiv.org/abs/1412.6980) is worth something once all averages of a rule have it.
"""

from typing import Final

import numpy as np

from evolve.rules.draw import Draw
from evolve.rules.edits import one
from evolve.rules.graph import Call, calls_of
from evolve.rules.language import Language

_AVERAGES: Final = {"ema": 1, "mean": 0, "row_mean": 0, "col_mean": 0}
"""Words that average, and which argument they average."""

ALL_SHARE: Final = 0.5
"""So often all running means are corrected together."""

_SCALES: Final = (("square", "sqrt"), ("sqrt", "square"))


def rescale_average(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Put a word around what one call averages and its inverse around what the readers read."""
    language = draw.language
    able = [call for call in calls_of(root) if _may_be_rescaled(call, root, language)]
    if not able:
        return False
    average = one(able, rng)
    inside, outside = (_unary(name, average, language) for name in one(_SCALES, rng))
    if inside < 0 or outside < 0:
        return False
    readers = _readers(average, root)
    k = _AVERAGES[language.names[average.function]]
    average.arguments[k] = Call(inside, [average.arguments[k]])
    scaled = Call(outside, [average])
    for reader, place in readers:
        reader.arguments[place] = scaled
    return True


def correct_averages(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Let the readers of one running mean, or of all, read it without the share of the zero that it started at."""
    language = draw.language
    step_number = language.register("t")
    able = [call for call in calls_of(root) if _is_uncorrected_mean(call, root, language)]
    if not able or step_number < 0:
        return False
    for mean in able if rng.random() < ALL_SHARE else [one(able, rng)]:
        type_ = language.functions[mean.function].result_type
        [word] = [p for p in language.positions["debias"] if language.functions[p].result_type == type_]
        corrected = Call(word, [mean, mean.arguments[2], step_number])
        for reader, k in _readers(mean, root):
            reader.arguments[k] = corrected
    return True


def _is_uncorrected_mean(call: Call, root: Call, language: Language) -> bool:
    """Whether it is a running mean, kept in its slot, with a literal memory, that is read and nowhere corrected."""
    slots = [register for register, new in zip(language.state, root.arguments[1:], strict=True) if new is call]
    is_mean = language.names[call.function] == "ema" and call.arguments[0] in slots
    readers = _readers(call, root) if is_mean else []
    is_corrected = any(language.names[reader.function] == "debias" for reader, _ in readers)
    return bool(readers) and not is_corrected and isinstance(call.arguments[2], float)


def _readers(call: Call, root: Call) -> list[tuple[Call, int]]:
    """Who reads a call's value, the slot that keeps it aside."""
    return [
        (reader, k)
        for reader in calls_of(root)
        for k, operand in enumerate(reader.arguments)
        if operand is call and not (reader is root and k > 0)
    ]


def _may_be_rescaled(call: Call, root: Call, language: Language) -> bool:
    """Whether it averages values of its own type, and is read by others, who can all be given its inverse.

    A correction for the start is made to the average itself, and what reads the slot one step later reads that too.
    """
    k = _AVERAGES.get(language.names[call.function])
    function = language.functions[call.function]
    if k is None or function.argument_types[k] != function.result_type:
        return False
    readers = _readers(call, root)
    kept = [register for register, new in zip(language.state, root.arguments[1:], strict=True) if new is call]
    later = [
        reader
        for reader in calls_of(root)
        for operand in reader.arguments
        if reader is not call and reader is not root and operand in kept
    ]
    return bool(readers) and not later and all(language.names[reader.function] != "debias" for reader, _ in readers)


def _unary(name: str, call: Call, language: Language) -> int:
    """The word of that name that takes and answers what the call answers; -1 for none."""
    type_ = language.functions[call.function].result_type
    for position in language.positions.get(name, ()):
        function = language.functions[position]
        if (function.argument_types, function.result_type) == ((type_,), type_):
            return position
    return -1

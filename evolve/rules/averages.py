"""An edit that takes an average in another scale: the root of mean squares for a mean, and the other way round.

A quasi-arithmetic mean (Kolmogorov 1930): the inverse of a function of the average of that function. Done call by call
it goes through rules whose update grows with the square of the gradient, which no search keeps.
"""

from typing import Final

import numpy as np

from evolve.rules.draw import Draw
from evolve.rules.edits import one
from evolve.rules.graph import Call, calls_of
from evolve.rules.language import Language

_AVERAGES: Final = {"ema": 1, "mean": 0, "row_mean": 0, "col_mean": 0}
"""Words that average, and which argument they average."""

_SCALES: Final = (("square", "sqrt"), ("sqrt", "square"))


def rescale_average(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Put a word around what one call averages and its inverse around what the readers read."""
    language = draw.language
    able = [call for call in calls_of(root) if _averages(call, language)]
    if not able:
        return False
    average = one(able, rng)
    inside, outside = (_unary(name, average, language) for name in one(_SCALES, rng))
    if inside < 0 or outside < 0:
        return False
    readers = [
        (call, k)
        for call in calls_of(root)
        for k, operand in enumerate(call.arguments)
        if operand is average and not (call is root and k > 0)
    ]
    k = _AVERAGES[language.names[average.function]]
    average.arguments[k] = Call(inside, [average.arguments[k]])
    scaled = Call(outside, [average])
    for reader, place in readers:
        reader.arguments[place] = scaled
    return bool(readers)


def _averages(call: Call, language: Language) -> bool:
    k = _AVERAGES.get(language.names[call.function])
    function = language.functions[call.function]
    return k is not None and function.argument_types[k] == function.result_type


def _unary(name: str, call: Call, language: Language) -> int:
    """The word of that name that takes and answers what the call answers; -1 for none."""
    type_ = language.functions[call.function].result_type
    for position in language.positions.get(name, ()):
        function = language.functions[position]
        if (function.argument_types, function.result_type) == ((type_,), type_):
            return position
    return -1

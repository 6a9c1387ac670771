"""What a screen compares values with: the target, and what an outermost function would have to be given."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from evolve.symbolic.moves import Grammar
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.vocabulary import OP_DIV, OP_EXP, OP_LOG, OP_MUL, OP_SQRT

NONE: Final = -1
SQUARE: Final = -2
"""The outermost step multiplies its value by itself."""

_LARGEST: Final = 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """One row for each outermost function: values without their mean, of square sum 1; and as they are."""

    outer: tuple[int, ...]
    """`NONE`, `SQUARE`, or an opcode; of `OP_DIV` the value is the divisor of 1."""

    plain: FloatArray
    centred: FloatArray


def targets_of(values: FloatArray, grammar: Grammar) -> Targets:
    """The values, and their images under the inverse of every outermost function that the grammar has for them."""
    opcodes = {*grammar.unary.tolist(), *grammar.binary.tolist()}
    above = bool((values > 0).all())
    with np.errstate(all="ignore"):
        images = {
            NONE: values,
            OP_EXP: np.log(values) if above and OP_EXP in opcodes else None,
            OP_DIV: 1.0 / values if values.all() and OP_DIV in opcodes else None,
            OP_SQRT: values * values if bool((values >= 0).all()) and OP_SQRT in opcodes else None,
            SQUARE: np.sqrt(values) if above and OP_MUL in opcodes else None,
            OP_LOG: np.exp(values) if OP_LOG in opcodes else None,
        }
    known = {outer: _centred(image) for outer, image in images.items() if image is not None and _is_tame(image)}
    outer = tuple(each for each, image in known.items() if image is not None)
    return Targets(
        outer=outer,
        plain=np.array([images[each] for each in outer]).reshape(len(outer), values.size),
        centred=np.array([known[each] for each in outer]).reshape(len(outer), values.size),
    )


def _is_tame(image: FloatArray) -> bool:
    return bool((np.abs(image) < _LARGEST).all())


def _centred(image: FloatArray) -> FloatArray | None:
    rest = image - image.mean()
    size = float(np.sqrt((rest * rest).sum()))
    return rest / size if size > 1e-12 * float(np.abs(image).max()) else None

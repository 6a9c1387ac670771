"""The small class around an update rule of our language, for numpy."""

from typing import Final

from evolve.export.update_rule_numpy_words import numpy_definitions
from evolve.export.update_rule_text import written_rule
from sandbox.update_rules.rule import UpdateRule

_IMPORTS: Final = """\
import copy as _copy
import math as _math

import numpy as _numpy
"""

_CLASS: Final = '''\
_INPUTS = @INPUTS@
_SLOTS = @SLOTS@


class @CLASS@:
    """The evolved update rule over dictionaries of arrays. All parameters take every step.

    Args:
        lr: The learning rate; the rule was judged with a warm-up and a linear decay to zero: set `lr` before a step.
        weight_decay: Decoupled: every step first multiplies a parameter by 1 - lr * weight_decay.
        maximize: Climb instead of descending.
        others: Names of matrices that are no hidden layers: embeddings and the last layer.
    """

    def __init__(self, lr=@RATE@, *, weight_decay=0.0, maximize=False, others=()):
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < _math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number, 0 or more")
        self.lr, self.weight_decay, self.maximize = lr, weight_decay, bool(maximize)
        self.others, self.number, self.state = tuple(others), 0, {}

    def step(self, parameters, gradients, *, loss=None, hessians=None):
        """New arrays for all parameters, which stay as they are.

        The arguments map the same names to arrays of equal shape. `loss` and `hessians` are for rules that read them.
        """
        names = list(parameters)
        arrays = [_numpy.asarray(parameters[name], dtype=float) for name in names]
        layers = [each.ndim > 1 and name not in self.others for name, each in zip(names, arrays)]
        sign = -1.0 if self.maximize else 1.0
        values = {
            "w": Many(arrays, layers),
            "g": Many([sign * self._like(gradients, name, each) for name, each in zip(names, arrays)], layers),
            "t": float(self.number + 1),
            "lr": float(self.lr),
        }
        if "f" in _INPUTS:
            if loss is None:
                raise ValueError("this rule reads the loss of the batch: pass loss=...")
            values["f"] = sign * float(loss)
        if "h" in _INPUTS:
            if hessians is None:
                raise ValueError("this rule reads the Hessian's diagonal: pass hessians=...")
            values["h"] = Many([sign * self._like(hessians, name, each) for name, each in zip(names, arrays)], layers)
        for slot in _SLOTS:
            kept = self.state.setdefault(slot, {})
            each_kept = [kept.get(name, _zeros(array, slot)) for name, array in zip(names, arrays)]
            values[slot] = @KEPT@
        with _numpy.errstate(all="ignore"):
            result = update(*(values[name] for name in _INPUTS))
        change, *news = result if _SLOTS else (result,)
        for slot, new in zip(_SLOTS, news):
            self.state[slot] = {name: _copy.copy(value) for name, value in zip(names, new.each)}
        self.number += 1
        shrink = 1.0 - self.lr * self.weight_decay
        return {name: shrink * array - self.lr * u for name, array, u in zip(names, arrays, change.each)}

    def _like(self, arrays, name, parameter):
        array = _numpy.asarray(arrays[name], dtype=float)
        if array.shape != parameter.shape:
            raise ValueError(f"the array for {name!r} has shape {array.shape}, expected {parameter.shape}")
        return array

    def state_dict(self):
        """All that `load_state_dict` needs to go on from here."""
        return _copy.deepcopy(vars(self))

    def load_state_dict(self, state_dict):
        """Go on from what `state_dict` gave."""
        if set(state_dict) != set(vars(self)):
            raise ValueError(f"the state has {sorted(state_dict)}, expected {sorted(vars(self))}")
        vars(self).update(_copy.deepcopy(dict(state_dict)))


def _zeros(array, slot):
    """A slot at the start."""
    @ZEROS@
'''

_MATRIX_ZEROS: Final = """\
if slot not in _SIDE_OF_SLOT:
        return _numpy.zeros(array.shape)
    side = _side(array, _SIDE_OF_SLOT[slot])
    return None if side is None else _numpy.zeros((side, side))"""


def numpy_module(rule: UpdateRule, name: str, rate: float) -> str:
    """The text of a module with the rule's function and a class called `name` around it."""
    written = written_rule(rule, "update")
    kept = "Many(each_kept, layers)"
    if written.has_matrices:
        kept = f"Matrices(each_kept) if slot in _SIDE_OF_SLOT else {kept}"
    words = {
        "@CLASS@": name,
        "@RATE@": repr(rate),
        "@INPUTS@": repr(list(written.inputs)).replace("'", '"'),
        "@SLOTS@": repr(list(written.slots)).replace("'", '"'),
        "@KEPT@": kept,
        "@ZEROS@": _MATRIX_ZEROS if written.has_matrices else "return _numpy.zeros(array.shape)",
    }
    body = _CLASS
    for word, text in words.items():
        body = body.replace(word, text)
    return (
        f"{_IMPORTS}\n\n{numpy_definitions(written.words, has_matrices=written.has_matrices)}\n\n"
        "# The evolved rule. w: parameters, g: gradients, t: number of the step. It gives the update and its state.\n"
        f"\n\n{written.text}\n\n{body}"
    )

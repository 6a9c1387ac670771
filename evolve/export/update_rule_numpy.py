"""The class around an update rule for numpy, and its test."""

from typing import Final

NUMPY_CLASS: Final = '''\
import copy as _copy
import math as _math

import numpy as _numpy

_rule = @RULE@


class @CLASS@:
    """The evolved update rule over dictionaries of arrays.

    Args:
        lr: The learning rate that the rule is given.
        weight_decay: Decoupled: every step first multiplies a parameter by 1 - lr * weight_decay.
        maximize: Climb instead of descending.
    """

    def __init__(self, lr=@RATE@, *, weight_decay=0.0, maximize=False):
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < _math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number, 0 or more")
        self.lr, self.weight_decay, self.maximize = lr, weight_decay, bool(maximize)
        self.state = {}

    def step(self, parameters, gradients):
        """New arrays for all parameters; one whose gradient is None or missing stays as it is.

        Both arguments map names to arrays of equal shape. What is given is not changed.
        """
        return {
            name: value if gradients.get(name) is None else self._changed(name, value, gradients[name])
            for name, value in parameters.items()
        }

    def _changed(self, name, value, gradient):
        value, gradient = _numpy.array(value), _numpy.array(gradient)
        if gradient.shape != value.shape:
            raise ValueError(f"the gradient of {name!r} has shape {gradient.shape}, expected {value.shape}")
        number, slots = self.state.get(name, (0, {}))
        signed = -gradient if self.maximize else gradient
        change, slots = _rule(_numpy, value.copy(), signed, dict(slots), number + 1, self.lr)
        if _numpy.ndim(change) and _numpy.shape(change) != value.shape:
            raise ValueError(f"the rule's change has shape {_numpy.shape(change)}, expected {value.shape}")
        self.state[name] = (number + 1, dict(slots))
        return value * (1.0 - self.lr * self.weight_decay) + change if self.weight_decay else value + change

    def state_dict(self):
        """All that `load_state_dict` needs to go on from here."""
        return _copy.deepcopy(vars(self))

    def load_state_dict(self, state_dict):
        """Go on from what `state_dict` gave."""
        wanted = {"lr", "weight_decay", "maximize", "state"}
        if set(state_dict) != wanted:
            raise ValueError(f"the state has {sorted(state_dict)}, expected {sorted(wanted)}")
        vars(self).update(_copy.deepcopy(dict(state_dict)))
'''

NUMPY_TEST: Final = """\
import importlib.util
from pathlib import Path

import numpy as np
import pytest

_spec = importlib.util.spec_from_file_location("evolved_optimizer", Path(__file__).with_name(@FILE@))
evolved = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(evolved)
Optimizer = evolved.@CLASS@
START = {"weights": np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]]), "bias": np.array([0.5])}


def gradients_at(parameters, number):
    return {name: value * 0.7 + 0.1 * np.cos(number + value.size) for name, value in parameters.items()}


def run(optimizer, parameters, first, last):
    for number in range(first, last):
        parameters = optimizer.step(parameters, gradients_at(parameters, number))
    return parameters


def test_it_takes_the_steps_of_the_rule():
    found = run(Optimizer(), START, 1, 11)

    value, state = START["weights"], {}
    for number in range(1, 11):
        gradient = gradients_at({"weights": value}, number)["weights"]
        change, state = evolved.@RULE@(np, value.copy(), gradient, state, number, @RATE@)
        value = value + change
    np.testing.assert_array_equal(found["weights"], value)


def test_a_state_dict_goes_on_where_it_was_taken():
    straight = run(Optimizer(), START, 1, 11)
    first = Optimizer()
    halfway = run(first, START, 1, 6)

    second = Optimizer(lr=7.0)
    second.load_state_dict(first.state_dict())
    found = run(second, halfway, 6, 11)

    for name, value in straight.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_parameter_without_a_gradient_stays():
    found = Optimizer().step(START, {"bias": np.array([1.0]), "weights": None})

    assert found["weights"] is START["weights"]


def test_weight_decay_is_decoupled():
    gradients = gradients_at(START, 1)

    plain = Optimizer(lr=0.1).step(START, gradients)
    decayed = Optimizer(lr=0.1, weight_decay=0.5).step(START, gradients)

    np.testing.assert_allclose(decayed["bias"], plain["bias"] - 0.1 * 0.5 * START["bias"])


def test_maximize_turns_the_gradient_round():
    gradients = gradients_at(START, 1)
    turned = {name: -value for name, value in gradients.items()}

    down, up = Optimizer().step(START, gradients), Optimizer(maximize=True).step(START, turned)

    np.testing.assert_array_equal(down["weights"], up["weights"])


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"lr": float("nan")}, {"weight_decay": -0.1}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Optimizer(**wrong)
"""

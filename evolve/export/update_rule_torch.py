"""The class around an update rule for torch, and its test."""

import json
from typing import Final

from evolve.export.update_rule_names import ELEMENTWISE, LIKE, NUMBERS, REDUCTIONS

_NAMESPACE = f"""\
_ELEMENTWISE = frozenset(
    "{" ".join(ELEMENTWISE[:18])} "
    "{" ".join(ELEMENTWISE[18:])}".split()
)
_REDUCTIONS = {json.dumps(REDUCTIONS)}
_LIKE = {json.dumps(LIKE)}
_NUMBERS = {json.dumps(NUMBERS)}
"""

TORCH_CLASS: Final = (
    """\
import math as _math

import torch as _torch

_rule = @RULE@
"""
    + _NAMESPACE
    + '''

class _Namespace:
    """What the rule knows as numpy, over torch: the names that both have, numbers welcome everywhere."""

    def __init__(self, parameter):
        self._dtype, self._device, self._is_number = parameter.dtype, parameter.device, not parameter.dim()

    def __getattr__(self, name):
        if name in _NUMBERS:
            return getattr(_math, name)
        if name == "where":
            return self._where
        if name in _ELEMENTWISE:
            function = getattr(_torch, name)
            return lambda *values: function(*self._tensors(values))
        if name in _REDUCTIONS:
            function = getattr(_torch, _REDUCTIONS[name])
            return lambda value, *more, **options: function(*self._tensors([value]), *more, **options)
        if name in _LIKE:
            function = getattr(_torch, _LIKE[name])
            return lambda value, *more, **options: function(*self._tensors([value]), *more, **options)
        raise AttributeError(f"the update rule asks for {name!r}, which numpy and torch do not share")

    def _where(self, condition, one, other):
        condition, one, other = self._tensors([condition, one, other])
        return _torch.where(condition if condition.dtype == _torch.bool else condition != 0, one, other)

    def _tensors(self, values):
        """Numbers become tensors: of the parameter's type beside arrays, of float64 beside numbers alone."""
        beside_arrays = any(
            isinstance(value, _torch.Tensor) and (value.dim() or self._is_number) for value in values
        )
        dtype, device = (self._dtype, self._device) if beside_arrays else (_torch.float64, None)
        return [
            value
            if isinstance(value, _torch.Tensor)
            else _torch.tensor(value, dtype=_torch.bool if isinstance(value, bool) else dtype, device=device)
            for value in values
        ]


class @CLASS@(_torch.optim.Optimizer):
    """The evolved update rule.

    Args:
        params: Parameters, or dictionaries of parameter groups with options of their own.
        lr: The learning rate that the rule is given.
        weight_decay: Decoupled: every step first multiplies a parameter by 1 - lr * weight_decay.
        maximize: Climb instead of descending.
    """

    def __init__(self, params, lr=@RATE@, *, weight_decay=0.0, maximize=False):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "maximize": maximize})

    def add_param_group(self, param_group):
        """Add a group of parameters, after a look at its options."""
        options = {**self.defaults, **param_group}
        for name in ("lr", "weight_decay"):
            value = options[name]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < _math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number, 0 or more")
        if not isinstance(options["maximize"], bool):
            raise ValueError(f"maximize is {options['maximize']!r}, expected True or False")
        super().add_param_group(param_group)

    @_torch.no_grad()
    def step(self, closure=None):
        """Change every parameter that has a gradient; returns what `closure` returns."""
        loss = None
        if closure is not None:
            with _torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._change(parameter, group)
        return loss

    def _change(self, parameter, group):
        gradient = parameter.grad
        if gradient.layout != _torch.strided:
            raise RuntimeError("this optimizer takes dense gradients only: build embeddings with sparse=False")
        if parameter.is_complex():
            raise RuntimeError("this optimizer takes real parameters only: use torch.view_as_real")
        state, rate = self.state[parameter], float(group["lr"])
        step = state.get("step", 0) + 1
        change, slots = _rule(
            _Namespace(parameter),
            parameter.clone(),  # the rule may write into what it is given
            -gradient if group["maximize"] else gradient.clone(),
            dict(state.get("slots", {})),
            step,
            rate,
        )
        if not isinstance(change, _torch.Tensor):
            change = _torch.full_like(parameter, change)
        if change.dim() and change.shape != parameter.shape:
            raise RuntimeError(f"the rule's change has shape {tuple(change.shape)}, expected {tuple(parameter.shape)}")
        if group["weight_decay"]:
            parameter.mul_(1.0 - rate * group["weight_decay"])
        parameter.add_(change)
        state["step"] = step
        state["slots"] = {name: _kept(value, parameter) for name, value in slots.items()}


def _kept(value, parameter):
    """A value of the rule's state. A number that became a tensor is a number again: a state dict would round it."""
    is_number = isinstance(value, _torch.Tensor) and not value.dim() and parameter.dim()
    if is_number and value.device.type == "cpu" and value.dtype != _torch.float32:
        return value.item()
    return value
'''
)

TORCH_TEST: Final = '''\
import copy
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

_spec = importlib.util.spec_from_file_location("evolved_optimizer", Path(__file__).with_name(@FILE@))
evolved = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(evolved)
Optimizer = evolved.@CLASS@
START = [[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]]
SCALE = [[1.0, 0.1, 2.0], [0.5, 3.0, 0.25]]


def gradient_at(values, number):
    """The gradient of a bowl, with something that changes from step to step."""
    return values * SCALE + 0.1 * np.cos(number + np.arange(6.0).reshape(2, 3))


def run(optimizer, parameter, first, last):
    for number in range(first, last):
        parameter.grad = torch.from_numpy(gradient_at(parameter.detach().numpy(), number))
        optimizer.step()


def parameter_at_the_start():
    return torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))


def test_it_takes_the_steps_of_the_rule_over_numpy():
    parameter = parameter_at_the_start()
    optimizer = Optimizer([parameter])
    values, state = np.array(START), {}

    run(optimizer, parameter, 1, 21)
    for number in range(1, 21):
        change, state = evolved.@RULE@(np, values.copy(), gradient_at(values, number), state, number, @RATE@)
        values = values + change

    np.testing.assert_allclose(parameter.detach().numpy(), values, rtol=1e-9, atol=1e-12)


def test_a_state_dict_goes_on_where_it_was_taken():
    straight, halfway = parameter_at_the_start(), parameter_at_the_start()
    one, two = Optimizer([straight]), Optimizer([halfway])
    run(one, straight, 1, 11)
    run(two, halfway, 1, 6)

    resumed = torch.nn.Parameter(halfway.detach().clone())
    three = Optimizer([resumed], lr=7.0)
    three.load_state_dict(copy.deepcopy(two.state_dict()))
    run(three, resumed, 6, 11)

    assert torch.equal(resumed, straight)


def test_groups_have_options_of_their_own():
    alone, other, together = parameter_at_the_start(), parameter_at_the_start(), parameter_at_the_start()
    single = Optimizer([alone], lr=0.01)
    groups = Optimizer([{"params": [other], "lr": 0.5}, {"params": [together]}], lr=0.01)

    for parameter in (alone, other, together):
        parameter.grad = torch.ones_like(parameter)
    single.step()
    groups.step()

    assert [group["lr"] for group in groups.param_groups] == [0.5, 0.01]
    assert torch.equal(together, alone)


def test_weight_decay_is_decoupled():
    plain, decayed = parameter_at_the_start(), parameter_at_the_start()

    run(Optimizer([plain], lr=0.1), plain, 1, 2)
    run(Optimizer([decayed], lr=0.1, weight_decay=0.5), decayed, 1, 2)

    start = torch.tensor(START, dtype=torch.float64)
    torch.testing.assert_close(decayed.detach(), plain.detach() - 0.1 * 0.5 * start)


def test_maximize_turns_the_gradient_round():
    down, up = parameter_at_the_start(), parameter_at_the_start()
    down.grad, up.grad = torch.ones_like(down), -torch.ones_like(up)

    Optimizer([down], lr=0.1).step()
    Optimizer([up], lr=0.1, maximize=True).step()

    assert torch.equal(down, up)


def test_parameters_without_a_gradient_stay():
    parameter = parameter_at_the_start()
    optimizer = Optimizer([parameter])

    optimizer.step()

    assert torch.equal(parameter.detach(), torch.tensor(START, dtype=torch.float64))
    assert not optimizer.state


def test_a_closure_is_called_and_its_loss_returned():
    parameter = parameter_at_the_start()
    optimizer = Optimizer([parameter])

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == sum(value**2 for row in START for value in row)


def test_sparse_gradients_are_refused():
    parameter = parameter_at_the_start()
    parameter.grad = torch.ones_like(parameter).to_sparse()

    with pytest.raises(RuntimeError, match="dense gradients only"):
        Optimizer([parameter]).step()


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"lr": float("nan")}, {"weight_decay": -0.1}, {"maximize": 1}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Optimizer([parameter_at_the_start()], **wrong)


def test_single_precision_stays_single():
    parameter = torch.nn.Parameter(torch.tensor(START, dtype=torch.float32))
    optimizer = Optimizer([parameter])
    parameter.grad = torch.ones_like(parameter)

    optimizer.step()

    assert parameter.dtype == torch.float32
    slots = optimizer.state[parameter]["slots"].values()
    assert all(slot.dtype == torch.float32 for slot in slots if torch.is_tensor(slot) and slot.is_floating_point())
'''

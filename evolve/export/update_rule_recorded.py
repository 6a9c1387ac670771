"""A test beside an exported optimizer: it must take the steps that our interpreter took, which are written into it."""

import json
from typing import Final

import numpy as np

from sandbox.update_rules.layout import HEAD, HIDDEN, VECTOR, Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import UpdateRule, start, step

N_STEPS: Final = 12
RATE: Final = 0.01
_ROLES: Final = (HIDDEN, HEAD, VECTOR)


def layout_for(rule: UpdateRule) -> Layout:
    """Three parameters. Where a rule asks for bases they are square: else those are a matter of rounding."""
    return Layout(((4, 4), (3, 3), (4,)) if "basis(" in rule.text else ((5, 3), (3, 4), (4,)), _ROLES)


def recorded(rule: UpdateRule) -> list[float]:
    """The weights of the test's three parameters after its steps, by the interpreter in float64.

    Raises:
        ValueError: they are not finite; a test has nothing to compare with.
    """
    layout = layout_for(rule)
    arrays = NumpyArrays(layout)
    places = np.arange(float(layout.n_parameters))
    waves = 0.7 * places**2
    weights, scale = np.cos(waves)[None], (1.0 + 0.05 * places)[None]
    state = start(rule, arrays, 1)
    for t in range(1, N_STEPS + 1):
        with np.errstate(all="ignore"):
            update, state = step(
                rule,
                arrays,
                weights,
                scale * weights + 0.3 * np.cos(3.0 * t + waves),
                state,
                t=t,
                lr=RATE,
                h=scale * (1.0 + 0.5 * np.sin(2.0 * t + waves)),
                f=float(0.5 * np.sum(scale * weights**2)) + 1.0,
            )
            weights = weights - RATE * update
    if not np.isfinite(weights).all():
        raise ValueError("the rule gives no finite weights on the test's gradients")
    return [float(value) for value in weights[0]]


def torch_test(rule: UpdateRule, name: str, file_name: str) -> str:
    """The text of the test of a class called `name` in the file `file_name`."""
    words = {
        "@CLASS@": name,
        "@FILE@": json.dumps(file_name, ensure_ascii=False),
        "@SHAPES@": repr(layout_for(rule).shapes),
        "@EXPECTED@": ",\n    ".join(repr(value) for value in recorded(rule)),
        "@GROUPS@": _groups("hidden" in _options(rule)),
        "@HESSIANS@": _HESSIANS if "h" in rule.needs else "",
        "@RATES@": "" if "lr" in rule.needs else _RATES,
        "@DECAY@": "" if "w" in rule.needs else _DECAY,
        "@WRONG@": ', {"hidden": 1}' if "hidden" in _options(rule) else "",
    }
    text = _TEST
    for word, part in words.items():
        text = text.replace(word, part)
    return text


def _options(rule: UpdateRule) -> tuple[str, ...]:
    return ("hidden",) if "by_shape(" in rule.text else ()


def _groups(has_roles: bool) -> str:
    return '[{"params": [first, last]}, {"params": [head], "hidden": False}]' if has_roles else "[first, head, last]"


_HESSIANS: Final = """\
        hessian = SCALE * (1.0 + 0.5 * torch.sin(2.0 * number + WAVES))
        optimizer.hessians = dict(zip(parameters, parts(hessian.to(weights.dtype))))
"""

_RATES: Final = """\
def test_groups_have_a_learning_rate_of_their_own():
    together, alone = at_the_start(), at_the_start()
    one, other = optimizer_of(together), optimizer_of(alone)
    for group in one.param_groups:
        group["lr"] = 0.5 if any(each is together[0] for each in group["params"]) else 0.01

    run(one, together, 1, 2)
    run(other, alone, 1, 2)

    faster = [each for group in one.param_groups if group["lr"] == 0.5 for each in group["params"]]
    for start, each, slow in zip(at_the_start(), together, alone):
        factor = 50.0 if any(each is other for other in faster) else 1.0
        torch.testing.assert_close((each - start).detach(), factor * (slow - start).detach())


"""

_DECAY: Final = """

def test_weight_decay_is_decoupled():
    plain, decayed = at_the_start(), at_the_start()

    run(optimizer_of(plain, lr=0.1), plain, 1, 2)
    run(optimizer_of(decayed, lr=0.1, weight_decay=0.5), decayed, 1, 2)

    for one, other, start in zip(decayed, plain, at_the_start()):
        torch.testing.assert_close(one.detach(), other.detach() - 0.1 * 0.5 * start.detach())
"""

_TEST: Final = """\
import copy
import importlib.util
from pathlib import Path

import pytest
import torch

_spec = importlib.util.spec_from_file_location("evolved_optimizer", Path(__file__).with_name(@FILE@))
evolved = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(evolved)
Optimizer = evolved.@CLASS@
SHAPES = @SHAPES@
SIZES = [torch.Size(shape).numel() for shape in SHAPES]
PLACES = torch.arange(float(sum(SIZES)), dtype=torch.float64)
WAVES = 0.7 * PLACES**2
SCALE = 1.0 + 0.05 * PLACES
EXPECTED = [  # by the interpreter that judged the rule
    @EXPECTED@,
]


def parts(row):
    return [part.reshape(shape) for part, shape in zip(row.split(SIZES), SHAPES)]


def at_the_start():
    return [torch.nn.Parameter(part) for part in parts(torch.cos(WAVES))]


def joined(parameters):
    return torch.cat([each.detach().reshape(-1) for each in parameters])


def optimizer_of(parameters, **options):
    first, head, last = parameters
    return Optimizer(@GROUPS@, **{"lr": 0.01, **options})


def run(optimizer, parameters, first, last):
    for number in range(first, last):
        weights = joined(parameters)
@HESSIANS@
        def closure():
            gradient = SCALE.to(weights.dtype) * weights + 0.3 * torch.cos(3.0 * number + WAVES).to(weights.dtype)
            for each, part in zip(parameters, parts(gradient)):
                each.grad = part.clone()
            return 0.5 * (SCALE * weights.double() ** 2).sum() + 1.0

        optimizer.step(closure)


def test_it_takes_the_steps_of_the_interpreter():
    parameters = at_the_start()

    run(optimizer_of(parameters), parameters, 1, 13)

    torch.testing.assert_close(joined(parameters), torch.tensor(EXPECTED, dtype=torch.float64), rtol=1e-6, atol=1e-9)


def test_a_state_dict_goes_on_where_it_was_taken():
    straight, halfway = at_the_start(), at_the_start()
    one, two = optimizer_of(straight), optimizer_of(halfway)
    run(one, straight, 1, 13)
    run(two, halfway, 1, 7)

    resumed = [torch.nn.Parameter(each.detach().clone()) for each in halfway]
    three = optimizer_of(resumed, lr=7.0)
    three.load_state_dict(copy.deepcopy(two.state_dict()))
    run(three, resumed, 7, 13)

    assert torch.equal(joined(resumed), joined(straight))


@RATES@def test_maximize_turns_the_loss_round():
    down, up = at_the_start(), at_the_start()
    one, two = optimizer_of(down), optimizer_of(up, maximize=True)
    before = joined(down)

    run(one, down, 1, 2)
    turn = [-each.grad for each in down]
    for each, gradient in zip(up, turn):
        each.grad = gradient
    if hasattr(one, "hessians"):
        two.hessians = {each: -hessian for each, hessian in zip(up, one.hessians.values())}
    two.step(lambda: -(0.5 * (SCALE * before**2).sum() + 1.0))

    assert torch.equal(joined(down), joined(up))
@DECAY@

def test_parameters_without_a_gradient_stay():
    parameters = at_the_start()
    optimizer = optimizer_of(parameters)

    optimizer.step(lambda: torch.tensor(1.0))

    assert torch.equal(joined(parameters), torch.cos(WAVES))


def test_a_closure_is_called_and_its_loss_returned():
    parameters = at_the_start()

    assert optimizer_of(parameters).step(lambda: torch.tensor(2.5)).item() == 2.5


def test_sparse_gradients_are_refused():
    parameters = at_the_start()
    parameters[0].grad = torch.ones_like(parameters[0]).to_sparse()

    with pytest.raises(RuntimeError, match="dense gradients only"):
        optimizer_of(parameters).step(lambda: torch.tensor(1.0))


@pytest.mark.parametrize(
    "wrong", [{"lr": -1.0}, {"lr": float("nan")}, {"weight_decay": -0.1}, {"maximize": 1}@WRONG@]
)
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Optimizer(at_the_start(), **wrong)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_state_has_the_type_of_its_parameter(dtype):
    parameters = [torch.nn.Parameter(each.detach().to(dtype)) for each in at_the_start()]
    optimizer = optimizer_of(parameters)

    run(optimizer, parameters, 1, 3)

    slots = [each for state in optimizer.state.values() for each in state.values() if torch.is_tensor(each)]
    assert {each.dtype for each in (*parameters, *slots)} == {dtype}
"""

"""Every rule of the zoo takes the steps of torch.optim, or of its publication's formulas, for a hundred steps."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sandbox.update_rules.zoo import ZOO, zoo_rule, zoo_text
from sandbox.update_rules.zoo.published import HyperParameterError
from tests.unit.sandbox import zoo_runs
from tests.unit.sandbox.zoo_references import ELEMENTWISE, Reference
from tests.unit.sandbox.zoo_references_of_layers import GLOBAL, LAYERWISE, Global

TOLERANCE = 1e-6
RATE = 0.02
OF_TORCH: dict[str, Callable[[Any, list[Any]], Any]] = {
    "sgd": lambda optim, each: optim.SGD(each, lr=RATE),
    "momentum": lambda optim, each: optim.SGD(each, lr=RATE, momentum=0.9),
    "nesterov": lambda optim, each: optim.SGD(each, lr=RATE, momentum=0.9, nesterov=True),
    "rprop": lambda optim, each: optim.Rprop(each, lr=RATE, step_sizes=(1e-6 * RATE, 50 * RATE)),
    "adagrad": lambda optim, each: optim.Adagrad(each, lr=RATE),
    "adadelta": lambda optim, each: optim.Adadelta(each, lr=RATE),
    "rmsprop": lambda optim, each: optim.RMSprop(each, lr=RATE),
    "adam": lambda optim, each: optim.Adam(each, lr=RATE),
    "adamw": lambda optim, each: optim.AdamW(each, lr=RATE),
    "amsgrad": lambda optim, each: optim.Adam(each, lr=RATE, amsgrad=True),
    "adamax": lambda optim, each: optim.Adamax(each, lr=RATE),
    "nadam": lambda optim, each: optim.NAdam(each, lr=RATE),
    "radam": lambda optim, each: optim.RAdam(each, lr=RATE),
}


@pytest.mark.parametrize("name", sorted(OF_TORCH))
def test_a_rule_takes_the_steps_of_torch_optim(name: str) -> None:
    torch = pytest.importorskip("torch")

    found = zoo_runs.by_rule(zoo_rule(name), rate=lambda t: RATE, n_members=1)[:, 0]
    wanted = zoo_runs.by_torch(lambda each: OF_TORCH[name](torch.optim, each))

    assert _distance(found, wanted) <= TOLERANCE


def test_muon_follows_that_of_torch_as_far_as_its_half_precision_allows() -> None:
    torch = pytest.importorskip("torch")
    n_hidden = zoo_runs.WIDE.sizes[0]

    def muon(each: list[Any]) -> Any:
        return torch.optim.Muon(each[:1], lr=RATE, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")

    found, other = (
        zoo_runs.by_rule(zoo_rule("muon", beta=beta), rate=lambda t: RATE, n_members=1)[:, 0, :n_hidden]
        for beta in (0.95, 0.94)
    )
    wanted = zoo_runs.by_torch(muon)[:, :n_hidden]

    assert _distance(found, wanted) <= 2e-3
    assert _distance(other, wanted) > 1e-2


@pytest.mark.parametrize("name", sorted({**ELEMENTWISE, **LAYERWISE}))
def test_a_rule_takes_the_steps_of_its_publication(name: str) -> None:
    reference: Reference = {**ELEMENTWISE, **LAYERWISE}[name]
    layout = zoo_runs.SQUARE if name == "soap" else zoo_runs.WIDE
    found = zoo_runs.by_rule(zoo_rule(name), layout)

    for member in range(2):
        assert _distance(found[:, member], zoo_runs.by_reference(reference, member, layout)) <= TOLERANCE


@pytest.mark.parametrize("name", sorted(GLOBAL))
def test_a_rule_over_all_parameters_takes_the_steps_of_its_publication(name: str) -> None:
    reference: Global = GLOBAL[name]
    found = zoo_runs.by_rule(zoo_rule(name))

    for member in range(2):
        assert _distance(found[:, member], zoo_runs.by_global_reference(reference, member)) <= TOLERANCE


def test_every_rule_has_something_to_be_compared_with() -> None:
    assert set(ZOO) == {*OF_TORCH, *ELEMENTWISE, *LAYERWISE, *GLOBAL}


def test_the_comparison_tells_a_rule_with_another_constant_apart() -> None:
    found = zoo_runs.by_rule(zoo_rule("lion", beta2=0.98))[:, 0]

    assert _distance(found, zoo_runs.by_reference(ELEMENTWISE["lion"], 0)) > 1000 * TOLERANCE


@pytest.mark.parametrize("name", list(ZOO))
def test_a_rule_tells_its_source_and_writes_each_hyper_parameter_once_or_more(name: str) -> None:
    rule = ZOO[name]

    assert re.search(r"(19|20)\d\d", rule.source)
    assert set(re.findall(r"\{(\w+)\}", rule.template)) == set(rule.defaults)
    assert rule.departs == "" or rule.departs.endswith(".")


def test_hyper_parameters_can_be_given() -> None:
    text = zoo_text("adam", beta1=0.8)

    assert "ema(m, g, 0.8)" in text
    assert "ema(v, square(g), 0.999)" in text
    assert zoo_rule("adam", beta1=0.8).fingerprint != zoo_rule("adam").fingerprint


def test_a_wrong_name_or_value_is_refused_with_what_is_known() -> None:
    with pytest.raises(KeyError, match="no published rule 'adan_w', expected one of: sgd, momentum"):
        zoo_text("adan_w")
    with pytest.raises(HyperParameterError, match="adam has no hyper-parameter 'beta3', expected one of: beta1, beta2"):
        zoo_text("adam", beta3=0.1)
    with pytest.raises(HyperParameterError, match="beta1 of adam is nan, expected a finite number"):
        zoo_text("adam", beta1=float("nan"))


def _distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference in any step, relative to the weights' size; not finite counts as infinite."""
    distance = float(np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)))
    return distance if np.isfinite(distance) else float("inf")

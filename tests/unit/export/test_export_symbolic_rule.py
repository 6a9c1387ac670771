"""Update rules of our language become optimizers: which text they become, and what is said about it."""

import ast
import builtins
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evolve.errors import UsageError
from evolve.export.discovery import Discovery
from evolve.export.forms import exported, forms_of
from evolve.export.update_rule_module import torch_module
from evolve.export.update_rule_numpy_module import numpy_module
from evolve.export.update_rule_recorded import layout_for, recorded
from evolve.export.update_rule_text import written_rules
from evolve.export.update_rule_validated import stored_validation
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import read_rule, start, step
from sandbox.update_rules.zoo import ZOO, zoo_rule, zoo_text
from tests.unit.export.export_cases import discovery_of, imported, shipped

AWKWARD = '''\
def update(g, t, m):
    """" * 3 ' \\ {curly} @CLASS@"""
    m = ema(m, g, 0.5)  # @RULE@
    return m / t, m
'''


def rule(text: str, problem: str = "optimizers", **metrics: float) -> Discovery:
    """A candidate of a problem whose programs are update rules."""
    return discovery_of(shipped(problem), text, metrics=metrics)


@pytest.mark.parametrize("problem", ["optimizers", "optimizers_elementwise"])
def test_rules_have_the_forms_of_update_rules(problem: str) -> None:
    assert set(forms_of(rule(zoo_text("lion"), problem))) == {"python", "torch", "numpy", "latex"}


@pytest.mark.parametrize("name", list(ZOO))
def test_every_rule_of_the_zoo_becomes_a_module_that_holds_its_text(name: str) -> None:
    text = torch_module(zoo_rule(name), "EvolvedRule", 0.01)

    tree = ast.parse(text)
    defined = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    called = {each.func.id for each in ast.walk(tree) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}
    assert called <= defined | set(dir(builtins)) | {"closure", "function", "rule"}
    for line in zoo_rule(name).text.splitlines()[1:-1]:
        assert "/" in line or "**" in line or "by_shape" in text or line in text
    assert max(map(len, text.splitlines())) <= 140


def test_a_divisor_that_may_be_zero_is_kept_away_from_it_and_a_safe_one_is_not() -> None:
    [safe] = written_rules(zoo_rule("adam")).values()
    [guarded] = written_rules(read_rule("def update(g, m):\n    m = ema(m, g, 0.9)\n    return m / g, m\n")).values()

    assert " / (sqrt(debias(v, 0.999, t)) + 1e-08)" in safe.text
    assert "quotient(m, g)" in guarded.text


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("g * 0.9**t", "0.9 ** t"),
        ("g * 1.5**t", "power(1.5, t)"),
        ("g * t**-0.5", "power(t, -0.5)"),
        ("g / t", "g / t"),
        ("g / lr", "quotient(g, lr)"),
        ("g / (t - 1)", "quotient(g, t - 1.0)"),
        ("g / maximum(g, 0.001)", "g / maximum(g, 0.001)"),
        ("g / (abs(g) - 1)", "quotient(g, abs(g) - 1.0)"),
        ("g / (debias(abs(g), 0.9, t) + 0.5)", "g / (debias(abs(g), 0.9, t) + 0.5)"),
        ("g / (debias(abs(g), 0.9, 0 - t) + 0.5)", "quotient(g, debias(abs(g), 0.9, 0.0 - t) + 0.5)"),
        ("g / (ema(abs(g), square(g), 0.5) + 0.5)", "g / (ema(abs(g), square(g), 0.5) + 0.5)"),
        ("g / (ema(abs(g), square(g), 1.5) + 0.5)", "quotient(g, ema(abs(g), square(g), 1.5) + 0.5)"),
    ],
)
def test_python_s_own_operators_stand_only_where_they_do_the_same(expression: str, written: str) -> None:
    [found] = written_rules(read_rule(f"def update(g, t, lr):\n    return {expression}\n")).values()

    assert written in found.text


def test_a_slot_that_never_goes_below_zero_divides_as_it_is_and_one_that_may_does_not() -> None:
    text = "def update(g, v):\n    v = v * 0.9 + square(g){}\n    return g / (v + 0.001), v\n"

    [grows] = written_rules(read_rule(text.format(""))).values()
    [may_fall] = written_rules(read_rule(text.format(" - 1"))).values()

    assert "g / (v + 0.001)" in grows.text
    assert "quotient(g, v + 0.001)" in may_fall.text


def test_hidden_layers_and_others_get_functions_that_keep_only_their_own_state() -> None:
    rules = written_rules(zoo_rule("muon"))

    assert {kind: each.slots for kind, each in rules.items()} == {"hidden": ("m",), "others": ("v", "s")}
    assert "orthogonal" not in rules["others"].words


def test_a_rule_that_measures_all_parameters_stays_one_function() -> None:
    both = read_rule("def update(g):\n    return by_shape(orthogonal(g), g) / (total_rms(g) + 1e-8)\n")

    assert list(written_rules(both)) == ["all"]


def test_names_and_comments_of_a_candidate_never_reach_the_file() -> None:
    [text] = exported(rule(AWKWARD), "torch", file_name="opt.py").values()

    assert "curly" not in text
    assert "@CLASS@" not in text
    assert "class EvolvedOptimizers(" in text
    ast.parse(text)


def test_the_head_tells_the_tuned_learning_rates_and_the_default_is_their_mean() -> None:
    [text] = exported(rule(zoo_text("adam"), lr_quad_rot=0.01, lr_lin_ae=0.04, lr_none=float("nan")), "torch").values()
    head = text.partition("import math")[0].replace("\n# ", " ")

    assert "quad_rot 0.01, lin_ae 0.04. The default is their geometric mean" in head
    assert "none" not in head
    assert "lr=0.02" in text


def test_a_rate_beyond_all_numbers_is_no_default() -> None:
    [text] = exported(rule(zoo_text("adam"), lr_quad_rot=1.79e308), "torch").values()

    assert "lr=0.001" in text


@pytest.mark.parametrize(
    ("name", "told"),
    [("sophia", "estimate of the Hessian"), ("momo", "steps need a closure"), ("adabound", "reads the learning rate")],
)
def test_the_head_tells_what_else_a_rule_reads(name: str, told: str) -> None:
    [text] = exported(rule(zoo_text(name)), "torch").values()

    assert told in text.replace("\n# ", " ")


CONTEST = {"opponent": "Muon*", "speed_up": 1.25, "speed_up_in_time": None, "won": 5, "lost": 1, "even": 2}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "Not validated: `evolve validate` sets it against tuned baselines"),
        ({"rule": "def update(g):\n", "chosen": "candidate 3"}, "`evolve validate` chose another one, candidate 3."),
        ({"contests": [CONTEST]}, "x1.25 in steps against Muon* (5 of 8 tasks won, 1 lost)."),
        ({"contests": [], "longer": CONTEST}, "at a longer horizon x1.25 in steps against Muon*"),
        ({"contests": [{**CONTEST, "won": "5"}, 7, None]}, "Validated, with nothing that can be told here."),
        ({"contests": [{**CONTEST, "opponent": "a\n# b\x1b"}]}, "against a # b\\x1b (5"),
        ({"contests": [{**CONTEST, "speed_up": "1.25"}]}, "no mean against Muon*"),
        ({"contests": [{**CONTEST, "speed_up": 10**400}]}, "no mean against Muon*"),
    ],
    ids=["none", "other", "one", "longer", "odd", "hostile", "text", "huge"],
)
def test_the_head_tells_what_validation_said(document: dict[str, Any] | None, told: str) -> None:
    own = rule(zoo_text("lion"))
    validated = document if document is None else {"rule": zoo_rule("lion").text, "effort": "quick", **document}

    [text] = exported(replace(own, validation=validated), "torch").values()

    assert told in text.partition("import math")[0].replace("\n# ", " ")


def test_a_validation_is_read_from_the_run_s_folder_and_nothing_from_a_broken_file(tmp_path: Path) -> None:
    assert stored_validation(tmp_path) is None

    (tmp_path / "validation.json").write_text('{"rule": "x"}')
    assert stored_validation(tmp_path) == {"rule": "x"}

    for broken in ("[1]", "{", "[" * 100_000):
        (tmp_path / "validation.json").write_text(broken)
        assert stored_validation(tmp_path) is None


def test_python_writes_the_rule_as_it_is() -> None:
    files = exported(rule(AWKWARD), "python")
    [text] = files.values()
    assert text.endswith(AWKWARD)


def test_latex_is_pseudo_code_with_every_number() -> None:
    [text] = exported(rule(zoo_text("adam")), "latex").values()

    assert r"$m \gets \operatorname{ema}\left(m, g, 0.9\right)$" in text
    assert r"\sqrt{\operatorname{debias}\left(v, 0.999, t\right)}" in text
    assert r"10^{-8}" in text
    [matrices] = exported(rule(zoo_text("soap")), "latex").values()
    assert r"\texttt" not in matrices


def test_a_text_that_is_no_rule_is_refused_with_its_reason() -> None:
    with pytest.raises(UsageError, match=r"candidate 7 is no update rule: .*grad"):
        exported(rule("def update(g):\n    return grad\n"), "torch")


def test_no_test_is_written_beside_a_formula() -> None:
    with pytest.raises(UsageError, match="--with-test is for update rules as torch or numpy"):
        exported(rule(zoo_text("lion")), "latex", with_test=True)


def test_a_rule_without_finite_weights_has_no_test_to_be_written() -> None:
    with pytest.raises(UsageError, match=r"no finite weights.*export it without a test"):
        exported(rule("def update(g, m):\n    m = exp(m + 50) * 1e300\n    return g * m, m\n"), "torch", with_test=True)


@pytest.mark.parametrize("name", ["adamw", "muon", "soap", "sophia", "momo"])
def test_the_recorded_steps_are_those_of_the_interpreter(name: str) -> None:
    own = zoo_rule(name)
    layout = layout_for(own)
    arrays, state = NumpyArrays(layout), start(own, NumpyArrays(layout), 1)
    places = np.arange(layout.n_parameters)
    waves, scale = 0.7 * places**2, 1.0 + 0.05 * places
    weights = np.cos(waves)[None]

    for t in range(1, 13):
        gradient = scale * weights + 0.3 * np.cos(3.0 * t + waves)
        hessian = scale[None] * (1.0 + 0.5 * np.sin(2.0 * t + waves))
        loss = 0.5 * np.sum(scale * weights**2) + 1.0
        update, state = step(own, arrays, weights, gradient, state, t=t, lr=0.01, h=hessian, f=float(loss))
        weights = weights - 0.01 * update

    np.testing.assert_allclose(recorded(own), weights[0], rtol=1e-12)


HARD = {
    "real words": "g * (sqrt(t) + log(lr) - tanh(t) * sigmoid(t) + exp(-t) + sign(lr) - log1p(t) + square(lr))",
    "real pairs": "g * minimum(t, maximum(lr, clip(t, 2))) * agree(t - 5, 1) * t ** (0 - lr)",
    "powers": "g * (1.5 ** t + (t - 3) ** 2 + 0.5 ** (2 - t)) * 0.01",
    "overflow": "debias(g, 1.5, t * 1000) + g / 10 ** (t * 400) + minimum(g, 0 ** (0 - t))",
    "divisors": "g / (t - 4) + 1e-12 * g / (lr - 0.01) + 1 / (g * g + 0.1) + g / (sign(g) - sign(g)) * 1e-13",
    "numbers and tensors": "minimum(0.2, g) + maximum(g, 0.1) + agree(g, 0.5) + clip(g, -0.3) + (1 - g) - (g - 2) + -g",
    "reductions": "g / largest(g) + mean(g) + total_rms(g) + row_mean(g) * col_mean(square(g)) + dot(g, g) * 0.01",
    "layers": "by_shape(row_mean(g), exp(g)) + total_dot(g, by_shape(g, square(g))) * 0.01",
    "averages of numbers": "ema(g, 0.5, 0.3) + debias(g, 0.7, t - 3) + debias(g, 0.7, 0 - t) + log1p(g) - tanh(g)",
    "minus minus": "g * neg(neg(t)) - -g",
    "curves": "tanh(g) - sigmoid(g) + exp(g * 40) * 1e-16 + sqrt(g) - log1p(g)",
}
HARD_MATRICES = """\
def update(g, t, l, p, r, q):
    l = debias(ema(l, left_gram(g), 0.9), 0.5, t) * 0.5 - left_gram(g) * 0.1
    p = transpose(inverse_root(l @ l, p, t / 2))
    r = 2 * right_gram(g) @ right_gram(g) + r
    q = inverse_root(r, q, t)
    return p @ g @ q + orthogonal(g @ q), l, p, r, q
"""


@pytest.mark.parametrize("name", list(ZOO))
def test_the_numpy_class_takes_the_interpreter_s_steps_for_every_rule_of_the_zoo(name: str) -> None:
    own = zoo_rule(name)

    np.testing.assert_allclose(stepped(own, layout_for(own)), recorded(own), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [*HARD, "matrices"])
def test_the_numpy_class_does_what_the_interpreter_does_at_the_edges_of_words(name: str) -> None:
    text = HARD_MATRICES if name == "matrices" else f"def update(g, t, lr):\n    return {HARD[name]}\n"
    own = read_rule(text)

    np.testing.assert_allclose(stepped(own, layout_for(own)), recorded(own), rtol=1e-9, atol=1e-12)


def stepped(own: Any, layout: Layout) -> np.ndarray:
    """The weights after the steps of `recorded`, by the exported numpy class; it is put away and read again halfway."""
    names = imported(numpy_module(own, "Evolved", 0.01))
    optimizer = names["Evolved"](0.01, others=("1",))
    places = np.arange(float(layout.n_parameters))
    waves, scale = 0.7 * places**2, 1.0 + 0.05 * places

    def parts(row: np.ndarray) -> dict[str, np.ndarray]:
        return {str(k): row[layout.slice_of(k)].reshape(shape) for k, shape in enumerate(layout.shapes)}

    values = parts(np.cos(waves))
    for t in range(1, 13):
        weights = np.concatenate([each.ravel() for each in values.values()])
        gradients = parts(scale * weights + 0.3 * np.cos(3.0 * t + waves))
        hessians = parts(scale * (1.0 + 0.5 * np.sin(2.0 * t + waves)))
        loss = 0.5 * np.sum(scale * weights**2) + 1.0
        if t == 7:
            saved, optimizer = optimizer.state_dict(), names["Evolved"](7.0)
            optimizer.load_state_dict(saved)
        values = optimizer.step(values, gradients, loss=loss, hessians=hessians)
    return np.concatenate([each.ravel() for each in values.values()])


def test_the_numpy_class_decays_weights_apart_from_the_rule_and_can_climb() -> None:
    names = imported(numpy_module(zoo_rule("momentum"), "Evolved", 0.01))
    weights, gradient = {"w": np.array([1.0, -2.0])}, {"w": np.array([0.5, 0.25])}

    plain = names["Evolved"](0.1).step(weights, gradient)["w"]
    decayed = names["Evolved"](0.1, weight_decay=0.5).step(weights, gradient)["w"]
    climbed = names["Evolved"](0.1, maximize=True).step(weights, gradient)["w"]

    np.testing.assert_allclose(plain, [0.95, -2.025])
    np.testing.assert_allclose(decayed, plain - 0.05 * weights["w"])
    np.testing.assert_allclose(climbed, [1.05, -1.975])


def test_climbing_turns_the_loss_and_the_hessian_round_too() -> None:
    weights, gradient, hessian = ({"w": np.array(row)} for row in ([1.0, -2.0], [0.5, 0.25], [2.0, 3.0]))
    turned = {"w": -gradient["w"]}
    for name in ("sophia", "momo"):
        optimizer = imported(numpy_module(zoo_rule(name), "Evolved", 0.01))["Evolved"]

        down = optimizer(0.1).step(weights, gradient, loss=2.0, hessians=hessian)["w"]
        up = optimizer(0.1, maximize=True).step(weights, turned, loss=-2.0, hessians={"w": -hessian["w"]})["w"]

        np.testing.assert_array_equal(up, down)


def test_the_numpy_class_asks_for_what_its_rule_reads_and_for_fitting_shapes() -> None:
    weights = {"w": np.ones(2)}
    sophia, momo, sgd = (
        imported(numpy_module(zoo_rule(name), "Evolved", 0.01))["Evolved"]() for name in ("sophia", "momo", "sgd")
    )

    with pytest.raises(ValueError, match=r"pass hessians=\.\.\."):
        sophia.step(weights, weights)
    with pytest.raises(ValueError, match=r"pass loss=\.\.\."):
        momo.step(weights, weights)
    with pytest.raises(ValueError, match=r"the array for 'w' has shape \(3,\), expected \(2,\)"):
        sgd.step(weights, {"w": np.ones(3)})

"""Update rules become optimizers: the evolved text verbatim, a class around it, and what cannot go is refused."""

import ast
from pathlib import Path

import numpy as np
import pytest

from evolve.config.tables import ExportTable
from evolve.errors import UsageError
from evolve.export.discovery import Discovery
from evolve.export.forms import exported
from evolve.export.update_rule_names import NAMES
from tests.unit.export.export_cases import discovery_of, imported, shipped

ADAM = '''\
"""Adam, as a seed program."""

import math


# EVOLVE-BLOCK-START


def update(xp, parameter, gradient, state, step, learning_rate):
    m = state.get("m", xp.zeros_like(parameter))
    v = state.get("v", 0.0)
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient**2
    scale = xp.sqrt(1.0 - 0.999**step) / (1.0 - 0.9**step)
    change = -learning_rate * scale * m / (xp.sqrt(v) + 1e-8 * math.sqrt(1.0 - 0.999**step))
    return change, {"m": m, "v": v}


# EVOLVE-BLOCK-END
'''
LION = """\
def update(xp, parameter, gradient, state, step, learning_rate):
    if step == 1:
        state["m"] = xp.zeros_like(gradient)
    direction = xp.sign(0.9 * state["m"] + 0.1 * gradient)
    state["m"] = 0.99 * state["m"] + 0.01 * gradient
    return -learning_rate * (direction + 0.01 * parameter), state
"""
HOSTILE_TO_TORCH_TYPES = """\
def update(xp, parameter, gradient, state, step, learning_rate):
    gradient *= xp.minimum(1.0, 3.0 / (xp.sqrt(xp.sum(gradient**2)) + 1e-12))
    parameter += 0.0
    flat = xp.where(xp.abs(gradient) > 0.5, 1.0, 0.1) * xp.maximum(gradient, -2.0)
    late = xp.where(step > 5, 0.5, 1.0)
    state["size"] = xp.maximum(state.get("size", 0.0), xp.mean(xp.abs(gradient)))
    state["root"] = xp.sqrt(2.0 + step)
    state["seen"] = xp.isfinite(gradient)
    return -learning_rate * late * xp.where(state["seen"], flat, 0.0) / state["root"], state
"""


def rule(text: str, *, name: str | None = None, **more: object) -> Discovery:
    """A candidate of a Python problem that declares update rules."""
    return discovery_of(
        shipped("circle_packing_26"),
        text,
        export=ExportTable(form="update_rule", function=name),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("wanted", ["torch", "numpy"])
def test_the_evolved_text_stands_in_the_file_verbatim_and_the_file_says_so(wanted: str) -> None:
    [text] = exported(rule(ADAM), wanted).values()

    block = ADAM.split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    assert block.strip() in text
    assert "\nimport math\n" in text
    assert "contains the evolved program VERBATIM" in " ".join(text.replace("#", " ").split())
    ast.parse(text)


HARNESS = """\
from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np

DECAY = RATE = 0.25
RATE = 0.5
NAMES = ["a"]
NAMES.append("b")


def helper(x):
    return x * DECAY


# EVOLVE-BLOCK-START
# why this is so


def other():
    return 1.0


def update(xp, parameter, gradient, state, step, learning_rate):
    return -helper(gradient) * RATE, state


# EVOLVE-BLOCK-END
XP = SimpleNamespace(**{name: getattr(np, name) for name in ["sqrt"]})


def advance(parameters):
    return os.getcwd(), update(XP, *parameters)
"""


def test_what_stands_around_a_rule_for_the_judge_stays_behind() -> None:
    [text] = exported(rule(HARNESS), "torch").values()
    evolved = text.split("# The end of the evolved program.")[0]

    assert "import os" not in evolved
    assert "SimpleNamespace" not in evolved
    assert "def advance" not in evolved
    for part in (
        "from __future__ import annotations",
        "DECAY = RATE = 0.25\n",
        "RATE = 0.5\n",
        "def helper(x):\n    return x * DECAY\n",
        "# why this is so\n\n\ndef other():\n    return 1.0\n",
    ):
        assert part in evolved
    ast.parse(text)


def test_only_what_the_rule_needs_has_to_be_harmless() -> None:
    with pytest.raises(UsageError, match="it imports os"):
        exported(rule(HARNESS.replace("return x * DECAY", "return x * os.getpid()")), "torch")


def test_python_writes_the_files_as_they_are() -> None:
    files = exported(rule(ADAM), "python")

    assert list(files) == ["seed.py"]
    assert files["seed.py"].endswith(ADAM)


def test_the_numpy_class_takes_the_steps_of_the_rule_and_goes_on_from_a_state_dict() -> None:
    # given
    names = imported(exported(rule(ADAM), "numpy")["evolved_circle_packing_26.py"])
    optimizer = names["EvolvedCirclePacking26"](0.05)
    state: dict[str, np.ndarray] = {}
    values = {"w": np.array([1.0, -2.0])}
    wanted = values["w"]

    # when
    for step in range(1, 6):
        saved = optimizer.state_dict()
        optimizer = names["EvolvedCirclePacking26"]()
        optimizer.load_state_dict(saved)
        values = optimizer.step(values, {"w": values["w"] * 0.5})
        change, state = names["update"](np, wanted, wanted * 0.5, state, step, 0.05)
        wanted = wanted + change

    # then
    np.testing.assert_array_equal(values["w"], wanted)
    assert not np.allclose(wanted, [1.0, -2.0])


def test_the_test_that_is_written_beside_the_numpy_class_passes(tmp_path: Path) -> None:
    files = exported(rule(LION), "numpy", file_name="lion.py", with_test=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    names = imported(files["test_lion.py"].replace("__file__", repr(str(tmp_path / "test_lion.py"))))
    tests = [each for name, each in names.items() if name.startswith("test_") and "wrong" not in name]
    for each in tests:
        each()

    assert len(tests) == 5
    with pytest.raises(ValueError, match=r"lr is -1\.0, expected a finite number, 0 or more"):
        names["Optimizer"](-1.0)


def test_the_learning_rate_that_the_evaluator_tuned_is_the_default() -> None:
    [text] = exported(rule(ADAM, metrics={"learning_rate": 0.03}), "torch").values()

    assert "lr=0.03" in text
    assert "The learning rate 0.03 is the one that the evaluator reported" in text.replace("\n# ", " ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys\nimport numpy as np\n" + LION.replace("xp.sign", "np.sign"), "line 2: it imports numpy"),
        ("from os import system\n" + LION.replace("xp.sign", "system"), "line 1: it imports os"),
        (LION.replace("xp.sign", "xp.linalg.norm"), "line 4: xp.linalg is not among the names"),
        (LION.replace("xp.sign(", "eval("), "line 4: the name eval"),
        (LION.replace("xp.sign", "xp.sign.__call__"), "the attribute __call__"),
        (
            LION.replace("gradient)\n    state", "gradient.std())\n    state"),
            "line 4: .std may mean something else in torch",
        ),
        (
            "_torch = 2.0\n" + LION.replace("0.9", "_torch"),
            "line 1: the name _torch, which the class around the rule has",
        ),
        (LION.replace("0.99", "0.99 # \u202e"), "line 5: it holds the character \\u202e, which does not print"),
        (LION.replace(", learning_rate)", ")"), "has another kind of update, expected one plain function update(xp"),
        (LION.replace("def update", "def other"), "defines update 0 times"),
        ("def update(:", "is not Python"),
    ],
)
def test_what_no_optimizer_can_be_made_of_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        exported(rule(text), "torch")

    assert told in str(caught.value)


def test_numpy_itself_may_be_imported_by_a_rule_that_stays_with_numpy() -> None:
    [text] = exported(rule("import numpy as np\n" + LION.replace("xp.sign", "np.sign")), "numpy").values()

    assert "import numpy as np\n" in text


def test_a_rule_that_torch_reads_otherwise_still_goes_as_numpy_and_as_pseudo_code() -> None:
    own = rule(LION.replace("xp.sign(", "xp.std(gradient.var()) * xp.sign("))

    for wanted in ("numpy", "latex"):
        assert len(exported(own, wanted)) == 1
    with pytest.raises(UsageError, match=r"xp\.std is not among the names"):
        exported(own, "torch")


def test_a_rule_of_several_files_is_refused() -> None:
    two = rule(LION)
    two = discovery_of(two.problem, {"seed.py": LION, "other.py": "x = 1\n"}, export=two.export)

    with pytest.raises(UsageError, match="has 2 files, an exported optimizer is one"):
        exported(two, "torch")


def test_another_name_of_the_rule_is_declared() -> None:
    [text] = exported(rule(LION.replace("def update", "def move"), name="move"), "torch").values()

    assert "_rule = move\n" in text


def test_names_of_the_namespace_are_numpy_s() -> None:
    assert all(hasattr(np, name) for name in NAMES)


def test_latex_is_pseudo_code_with_every_number() -> None:
    [text] = exported(rule(ADAM), "latex").values()

    assert r"\mathrm{m} \gets" not in text
    assert r"$m \gets 0.9 \cdot m + 0.1 \cdot \mathrm{gradient}$" in text
    assert r"\frac{-\mathrm{learning\_rate} \cdot \mathrm{scale} \cdot m}{\sqrt{v} + 10^{-8} \cdot" in text.replace(
        r"\left(-\mathrm{learning\_rate}\right)", r"-\mathrm{learning\_rate}"
    )
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count(r"\left") == text.count(r"\right")


def test_latex_has_branches_and_leaves_what_has_no_formula_as_code() -> None:
    body = LION.replace("    return", "    while step < 0 and not [1]:\n        step = [x for x in ()]\n    return")

    [text] = exported(rule(body), "latex").values()

    assert r"\textbf{if} $\mathrm{step} = 1$ \textbf{then}" in text
    assert r"\texttt{while step < 0 and (not [1]):}" in text


@pytest.mark.parametrize("value", ["+".join(["gradient"] * 900), "0x" + "f" * 5000], ids=["deep", "long"])
def test_a_rule_that_is_too_much_for_a_formula_is_refused(value: str) -> None:
    body = f"def update(xp, parameter, gradient, state, step, learning_rate):\n    return {value}, state\n"

    with pytest.raises(UsageError, match="nested too deeply, or has a number too long"):
        exported(rule(body), "latex")


def test_an_underscore_is_a_name_and_no_index_in_latex() -> None:
    body = "def update(xp, parameter, gradient, state, step, learning_rate):\n    _ = gradient\n    return _, state\n"
    [text] = exported(rule(body), "latex").values()

    assert r"$\mathrm{\_} \gets \mathrm{gradient}$" in text


@pytest.mark.parametrize("wanted", ["torch", "numpy"])
def test_a_file_may_have_any_name_and_its_test_finds_it(wanted: str) -> None:
    name = """my "opt'\\.py"""

    _, test = exported(rule(ADAM), wanted, file_name=name, with_test=True).values()

    assert name in {node.value for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Constant)}

"""A function from a file of the problem's folder: where it runs, what is proved of it, and what is refused."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.contract import Certainty, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge, JudgeSpec
from evaluators.process import JudgeProcess, open_judge
from evaluators.spec import ProcessSpec, SymbolicSpec

MPMATH = "import mpmath\n\n\ndef value(x):\n    return mpmath.exp(x) * mpmath.cos(x)\n"
BALLS = "def enclosure(x):\n    return x.exp() * x.cos()\n"
FILES = {"f.py": "def f(x):\n    return 1.0 + x * (1.0 + -0.5 * x)\n"}


def spec_of(folder: Path, text: str, **options: Any) -> JudgeSpec:
    (folder / "target.py").write_text(text, encoding="utf-8")
    return JudgeSpec(
        language="symbolic",
        folder=str(folder),
        family="function_approximation",
        options={"function": "target.py", "interval": [0, 1], "error": "absolute", **options},
        axes=("operations",),
        symbolic=SymbolicSpec(),
        process=ProcessSpec(wall_seconds=30.0),
    )


def test_a_file_of_mpmath_code_is_judged_as_the_formula_is_and_nothing_is_proved(tmp_path: Path) -> None:
    formula = JudgeSpec(
        language="symbolic",
        family="function_approximation",
        options={"function": "exp(x) * cos(x)", "interval": [0, 1], "error": "absolute"},
        axes=("operations",),
        symbolic=SymbolicSpec(),
    )
    with open_judge(spec_of(tmp_path, MPMATH)) as judge, open_judge(formula) as other:
        assert isinstance(judge, JudgeProcess)
        evaluation, verdict = judge.evaluate(FILES), judge.verify(FILES)
        assert evaluation.score == pytest.approx(other.evaluate(FILES).score, rel=1e-12)
        fit, wanted = judge.fit_target(), other.fit_target()
        low, wanted_low = judge.fit_target_low(), other.fit_target_low()
        assert fit is not None
        assert wanted is not None
        assert np.array_equal(np.array(fit[:2]), np.array(wanted[:2]))
        assert np.allclose(np.asarray(low), np.asarray(wanted_low), rtol=1e-12, atol=0)
        assert (judge.fit_weights(), judge.symmetry()) == (None, None)
    assert verdict.verdict is Certainty.UNVERIFIED
    assert "its values are not enclosed" in verdict.detail


def test_weights_and_symmetry_come_through_the_judges_process(tmp_path: Path) -> None:
    text = "import mpmath\ndef value(x):\n    return mpmath.cos(x)\n"
    spec = spec_of(tmp_path, text, error={"weight": "2 + x"}, symmetry=["periodic", "2*pi"])
    with open_judge(spec) as judge:
        fit, weights = judge.fit_target(), judge.fit_weights()
        assert fit is not None
        assert weights is not None
        assert np.allclose(weights, 2 + fit[0], rtol=1e-15)
        assert judge.symmetry() == ("periodic", 2 * math.pi)


def test_a_file_with_an_enclosure_has_its_bounds_proved_and_named_by_its_hash(tmp_path: Path) -> None:
    judge = Judge(spec_of(tmp_path, BALLS))
    verdict = judge.verify(FILES)
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value == pytest.approx(judge.evaluate(FILES).metrics["max_absolute_error"], rel=0.006)
    assert verdict.certificate["function"] == "enclosure(x) of target.py"
    assert len(verdict.certificate["function_file_sha256"]) == 64


def test_a_relative_error_at_a_zero_of_mpmath_code_is_a_limit(tmp_path: Path) -> None:
    judge = Judge(spec_of(tmp_path, "import mpmath\ndef value(x):\n    return mpmath.sin(2 * x)\n", error="relative"))
    evaluation = judge.evaluate({"f.py": "def f(x):\n    return x * (2.5 - x)\n"})
    assert evaluation.metrics["worst_x"] == 1.0
    exact = judge.evaluate({"f.py": "def f(x):\n    return x * (2.5 + -1.6 * x)\n"})
    assert exact.metrics["max_relative_error"] == pytest.approx(0.25, rel=1e-9)
    assert exact.metrics["worst_x"] == 0.0
    missed = judge.evaluate({"f.py": "def f(x):\n    return 2.0 * x + 1e-9\n"})
    assert missed.failure is Failure.NOT_FINITE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "target.py has no function value\\(x\\)"),
        ("def value(x:\n", "cannot be loaded: SyntaxError"),
        ("raise RuntimeError('no')\n", "cannot be loaded: RuntimeError: no"),
        ("def value(x):\n    return 1 / (1 - 1)\n", "is not defined on all of"),
        ("def value(x):\n    return undefined\n", "raised NameError"),
        ("def value(x):\n    return 'text'\n", "returned a str, expected a real mpmath number"),
        ("import math\ndef value(x):\n    return math.exp(x)\n", "returned a float"),
        ("import math, mpmath\ndef value(x):\n    return mpmath.mpf(math.exp(x))\n", "accuracy is that of float64"),
        ("def value(x):\n    return x * 0.1\n", None),
        (
            "from mpmath import ldexp, mp\ndef value(x):\n    return x + ldexp(1, -mp.prec // 4)\n",
            "is not precise: at x",
        ),
        ("import mpmath\ndef value(x):\n    return mpmath.sqrt(x - 2)\n", "returned a mpc"),
        ("def enclosure(x):\n    return 0.5\n", "returned a float for an arb"),
        ("def enclosure(x):\n    return x.nothing()\n", "raised AttributeError"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, text: str, words: str | None) -> None:
    spec = spec_of(tmp_path, text)
    if words is None:
        assert Judge(spec).evaluate(FILES).score is not None
        return
    with pytest.raises(EvaluatorError, match=words):
        Judge(spec)


@pytest.mark.parametrize("name", ["../target.py", "/target.py", "missing.py"])
def test_a_file_outside_the_folder_or_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvaluatorError, match=r"inside the problem's folder|cannot read"):
        Judge(spec_of(tmp_path, MPMATH, function=name))


def test_constants_at_the_top_of_a_file_are_computed_with_many_bits(tmp_path: Path) -> None:
    text = "import mpmath\nthird = mpmath.mpf(1) / 3\ndef value(x):\n    return (x - third) * 3 + 1\n"
    evaluation = Judge(spec_of(tmp_path, text)).evaluate({"f.py": "def f(x):\n    return x * 3.0\n"})
    assert evaluation.metrics["max_absolute_error"] < 1e-300


def test_balls_at_the_top_of_a_file_are_narrow_too(tmp_path: Path) -> None:
    text = "from flint import arb\nthird = arb(1) / 3\ndef enclosure(x):\n    return (x - third) * 3 + x.exp()\n"
    verdict = Judge(spec_of(tmp_path, text)).verify({"f.py": "def f(x):\n    return x * 4.0 + (x * x) * 0.75\n"})
    assert verdict.verdict is Certainty.CERTIFIED


def test_a_file_that_hangs_or_crashes_costs_only_its_own_process(tmp_path: Path) -> None:
    text = "import os\ndef value(x):\n    os._exit(3)\n"
    with pytest.raises(EvaluatorError, match="cannot be loaded"), open_judge(spec_of(tmp_path, text)) as judge:
        judge.evaluate(FILES)

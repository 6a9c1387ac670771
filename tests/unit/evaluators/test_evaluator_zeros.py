"""Complex zeros are hints for sampling: the work for them must stay bounded, whatever the candidate."""

import math

import pytest
from flint import fmpq, fmpq_poly

from evaluators.approximation.poles import complex_zeros
from evaluators.judge import Judge, JudgeSpec

# Its denominator has zeros so far apart that isolating them all once took longer than a run.
FAR_APART = """def f(x):
    t1 = x - 2.1246670296724242e+155
    t2 = -105971743320.67244 / t1
    t3 = t1 * t2
    t4 = x + t2
    t5 = t3 + t4
    t6 = -4603039397.230981 / t5
    t7 = t6 - 69.11505513033272
    t8 = t7 / x
    t9 = t8 - 11.567868938775677
    t10 = t8 * -0.01732327465303643
    t11 = t10 + 0.8862891816106333
    t12 = t9 / t11
    t13 = t12 - 41.92249047480251
    return t13 / t9
"""


def test_a_program_with_zeros_far_apart_is_judged() -> None:
    spec = JudgeSpec.from_mapping(
        {
            "language": "symbolic",
            "family": "function_approximation",
            "options": {"function": "log2_1p", "interval": [0, 1], "error": "relative"},
            "axes": ["operations", "depth"],
            "symbolic": {"max_operations": 14},
        }
    )
    with Judge(spec) as judge:
        evaluation = judge.evaluate({"seed.py": FAR_APART})
    assert (evaluation.score is None) != (evaluation.failure is None)


@pytest.mark.parametrize("gap", [fmpq(1), fmpq(1, 10**6), fmpq(1, 10**40)])
def test_zeros_that_are_close_together_are_both_found(gap: fmpq) -> None:
    first, second = fmpq_poly([-3, 1]), fmpq_poly([-3 - gap, 1])
    zeros = sorted(zero.real for zero in complex_zeros(first * second))
    assert zeros == pytest.approx([3.0, 3.0 + float(gap.p) / float(gap.q)], abs=1e-6)


def test_a_multiple_zero_is_found() -> None:
    cube = fmpq_poly([-2, 1]) ** 3 * fmpq_poly([4, 0, 1])
    zeros = complex_zeros(cube)
    assert min(abs(zero - 2) for zero in zeros) < 1e-6
    assert min(abs(zero - 2j) for zero in zeros) < 1e-6


def test_a_constant_has_no_zeros() -> None:
    assert list(complex_zeros(fmpq_poly([7]))) == []


def test_many_zeros_are_estimated() -> None:
    zeros = complex_zeros(fmpq_poly([-1] + [0] * 29 + [1]))
    assert len(zeros) == 30
    assert all(math.isclose(abs(zero), 1.0, rel_tol=1e-6) for zero in zeros)


def test_coefficients_too_far_apart_for_floats_give_no_hint_and_no_error() -> None:
    coefficients = [1] + [0] * 29 + [fmpq(1, 10**320)]
    assert list(complex_zeros(fmpq_poly(coefficients))) == []
    assert len(complex_zeros(fmpq_poly([1] + [0] * 29 + [fmpq(1, 10**300)]))) == 30

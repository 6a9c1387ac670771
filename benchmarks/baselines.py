"""The best polynomials and rational functions for a shipped approximation problem: `problems/<name>/baselines.json`.

    python benchmarks/baselines.py tanh airy
    python benchmarks/baselines.py tanh --print

Every form gets its least largest error by Lawson weights and then an exchange of extremes with Newton steps (Remez), in
200-bit arithmetic; a form whose error does not level out with the right number of alternations is left out.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from flint import arb, arb_mat

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from evaluators.approximation.precision import working  # noqa: E402
from evaluators.approximation.settings import Settings, settings_of  # noqa: E402
from evaluators.approximation.sup_error import chebyshev_points  # noqa: E402
from evolve.config.problem import Problem, load_problem  # noqa: E402

BITS = 200
FIT_POINTS = 160
CHECK_POINTS = 1500
LAWSON_ROUNDS = 24
EXCHANGE_ROUNDS = 14
NEWTON_STEPS = 4
LEVEL = 1e-5
METHODS = {
    "polynomial": "minimax, Horner",
    "rational": "minimax p/q, Horner both",
    "continued_fraction": "minimax rational in continued-fraction form",
}


@dataclass(frozen=True, slots=True)
class Form:
    """A quotient of polynomials of these degrees in `variable`, perhaps times x. Degree 0 below is a polynomial."""

    above: int
    below: int
    variable: str
    times_x: bool

    @property
    def name(self) -> str:
        """As the baselines of the other problems are named: xu*(2,1) is x times a quotient in u = x^2."""
        inner = f"({self.above},{self.below})" if self.below else f"p{self.above}"
        outer = ("x" if self.times_x else "") + ("u" if self.variable == "u" else "")
        return f"{outer}*{inner}" if outer else inner

    @property
    def operations(self) -> dict[str, int]:
        """By method, what it costs."""
        extra = (self.variable == "u") + self.times_x
        if not self.below:
            return {"polynomial": 2 * self.above + extra}
        # As a continued fraction: dividing the longer by the shorter polynomial, again and again.
        shorter, difference = min(self.above, self.below), abs(self.above - self.below)
        return {
            "rational": 2 * (self.above + self.below) + extra,
            "continued_fraction": 2 * difference + 3 * shorter + extra,
        }


class Sampled:
    """The function on a grid: the variable scaled to [-1, 1], the wanted values, and what differences are worth."""

    def __init__(self, settings: Settings, form: Form, count: int) -> None:
        curve = settings.curve
        points = chebyshev_points(curve.low, curve.high, count)
        values = curve.values_at(points)  # with a zero at 0 divided out, as the form's factor x is
        if curve.has_zero and not form.times_x:
            raise ValueError("a relative error at a zero needs the factor x")
        high = arb(curve.high) ** 2 if form.variable == "u" else arb(curve.high)
        low = arb(curve.low) ** 2 if form.variable == "u" else arb(curve.low)
        variable = [arb(point) ** 2 if form.variable == "u" else arb(point) for point in points]
        self.t = [((2 * each - low - high) / (high - low)).mid() for each in variable]
        self.wanted = [value.mid() for value in values]
        self.weight = [abs(1 / value).mid() if curve.relative else arb(1) for value in values]
        self.powers = [[each**k for k in range(max(form.above, form.below) + 1)] for each in self.t]


class Fit:
    """Coefficients of a form, and its errors on a grid. The denominator is 1 + ...."""

    def __init__(self, form: Form, coefficients: Sequence[Any]) -> None:
        self.form = form
        self.above = list(coefficients[: form.above + 1])
        self.below = [arb(1), *coefficients[form.above + 1 :]]

    def parts(self, powers: Sequence[Any]) -> tuple[Any, Any]:
        """Numerator and denominator at one point."""
        above = sum((c * p for c, p in zip(self.above, powers, strict=False)), arb(0))
        below = sum((c * p for c, p in zip(self.below, powers, strict=False)), arb(0))
        return above.mid(), below.mid()

    def errors(self, grid: Sampled) -> list[Any]:
        """By point, signed."""
        rows = zip(map(self.parts, grid.powers), grid.wanted, grid.weight, strict=True)
        return [((above / below - wanted) * weight).mid() for (above, below), wanted, weight in rows]

    def has_pole(self, grid: Sampled) -> bool:
        """Whether the denominator changes its sign."""
        return any(bool(self.parts(powers)[1] <= 0) for powers in grid.powers)


def least_squares(form: Form, grid: Sampled, importance: Sequence[Any], before: Fit | None) -> Fit:
    """Weighted least squares of the differences times the denominator, divided by the denominator before."""
    rows, right = [], []
    for powers, wanted, weight, share in zip(grid.powers, grid.wanted, grid.weight, importance, strict=True):
        scale = weight * share.sqrt() / (arb(1) if before is None else before.parts(powers)[1])
        above = [scale * p for p in powers[: form.above + 1]]
        below = [-scale * wanted * p for p in powers[1 : form.below + 1]]
        rows.append([each.mid() for each in (*above, *below)])
        right.append([(scale * wanted).mid()])
    matrix = arb_mat(rows)
    turned = matrix.transpose()
    solution = (turned * matrix).mid().solve((turned * arb_mat(right)).mid())
    return Fit(form, [each.mid() for each in solution.entries()])


def lawson(form: Form, grid: Sampled) -> Fit:
    """A fit whose largest error is near the least."""
    importance = [arb(1)] * len(grid.t)
    fit = least_squares(form, grid, importance, None)
    for _ in range(LAWSON_ROUNDS):
        fit = least_squares(form, grid, importance, fit)
        errors = fit.errors(grid)
        worst = max(abs(error) for error in errors)
        moved = zip(importance, errors, strict=True)
        importance = [(share * abs(error) / worst + arb(10) ** -12).mid() for share, error in moved]
        total = sum(importance, arb(0))
        importance = [(share / total).mid() for share in importance]
    return fit


def alternating(errors: Sequence[Any], count: int) -> list[int]:
    """The positions of `count` neighbouring extremes of alternating sign, or fewer."""
    signs = [bool(error > 0) for error in errors]
    starts = [0, *(i for i, (a, b) in enumerate(pairwise(signs), 1) if a != b), len(errors)]
    tops = [max(range(a, b), key=lambda i: abs(float(errors[i]))) for a, b in pairwise(starts)]
    while len(tops) > count:
        tops.pop(0 if abs(float(errors[tops[0]])) < abs(float(errors[tops[-1]])) else -1)
    return tops


def newton(fit: Fit, grid: Sampled, tops: Sequence[int]) -> Fit:
    """The fit with equal errors of alternating sign at the given points."""
    form = fit.form
    level = arb(0)
    for _ in range(NEWTON_STEPS):
        rows, right = [], []
        for place, i in enumerate(tops):
            powers, weight = grid.powers[i], grid.weight[i]
            above, below = fit.parts(powers)
            sign = (-1) ** place
            value = (above / below - grid.wanted[i]) * weight
            row = [weight / below * p for p in powers[: form.above + 1]]
            row += [-weight * above / below**2 * p for p in powers[1 : form.below + 1]]
            rows.append([each.mid() for each in (*row, arb(-sign))])
            right.append([(sign * level - value).mid()])
        step = [each.mid() for each in arb_mat(rows).solve(arb_mat(right)).entries()]
        coefficients = [*fit.above, *fit.below[1:]]
        fit = Fit(form, [(old + new).mid() for old, new in zip(coefficients, step, strict=False)])
        level = (level + step[-1]).mid()
    return fit


def minimax(settings: Settings, form: Form) -> float | None:
    """The least largest error of the form, or None if it was not reached."""
    try:
        fit = lawson(form, Sampled(settings, form, FIT_POINTS))
        grid = Sampled(settings, form, CHECK_POINTS)
        wanted = form.above + form.below + 2
        for _ in range(EXCHANGE_ROUNDS):
            errors = fit.errors(grid)
            tops = alternating(errors, wanted)
            if fit.has_pole(grid) or len(tops) < wanted:
                return None
            sizes = [abs(float(errors[i])) for i in tops]
            worst = max(abs(float(error)) for error in errors)
            if worst <= min(sizes) * (1 + LEVEL):
                return worst
            fit = newton(fit, grid, tops)
    except ZeroDivisionError:  # a singular system: the form degenerates
        return None
    return None


def forms(settings: Settings, most: int) -> Iterator[Form]:
    """What is tried: in x, and in u = x^2 where the function is odd or even."""
    kind = None if settings.symmetry is None else settings.symmetry.kind
    times_x = settings.curve.has_zero
    variables = ["x", "u"] if kind == ("odd" if times_x else "even") else ["x"]
    for variable in variables:
        for below in range(most):
            for above in range(most):
                form = Form(above, below, variable, times_x)
                if above + below > 0 and min(form.operations.values()) <= most:
                    yield form


def table(settings: Settings, most: int, tell: Callable[[str], None]) -> dict[str, dict[str, dict[str, Any]]]:
    """By operation count and method, the least error with at most that many operations."""
    found: list[tuple[str, int, float, str]] = []
    with working(bits=BITS):
        for form in forms(settings, most):
            error = minimax(settings, form)
            tell(f"{form.name}: {error}")
            if error is not None:
                found += [(method, cost, error, form.name) for method, cost in form.operations.items()]
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for count in range(2, most + 1):
        row = {}
        for method in METHODS:
            known = [(error, name) for kind, cost, error, name in found if kind == method and cost <= count]
            if known:
                error, name = min(known)
                row[method] = {"error": float(f"{error:.5g}"), "form": name}
        rows[str(count)] = row
    return rows


def document(problem: Problem, tell: Callable[[str], None]) -> str:
    """The text of the problem's baselines file."""
    options = problem.tables.evaluator.options
    settings = settings_of(options, str(problem.folder))
    written, (low, high) = settings.curve.target.written, options["interval"]
    rows = table(settings, problem.tables.symbolic.max_operations, tell)
    kind = settings.curve.kind
    head = {
        "about": f"Largest {kind} error of classical approximations of {written} on [{low}, {high}] by operation "
        "count: the best with at most that many operations. Each of + - * / counts 1; arithmetic on constants is free.",
        "source": "Computed by benchmarks/baselines.py in 200-bit arithmetic; forms whose error does not level out are "
        "left out. The constants are real numbers there, not float64.",
        "methods": METHODS,
    }
    lines = [f'  "{count}": {json.dumps(row)}' for count, row in rows.items() if row]
    return json.dumps(head, indent=1)[:-2] + ',\n "operations": {\n' + ",\n".join(lines) + "\n }\n}\n"


def main() -> None:
    """Write the baselines of the named problems."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", help="folders of problems/")
    parser.add_argument("--print", action="store_true", dest="only_print", help="write no file")
    options = parser.parse_args()
    for name in options.names:
        problem = load_problem(ROOT / "problems" / name)
        text = document(problem, lambda line: print(line, file=sys.stderr))
        if options.only_print:
            print(text)
        else:
            (problem.folder / "baselines.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

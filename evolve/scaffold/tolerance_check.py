"""Does it pay to break the rules by very little? Tolerances are worth more than evolution.

The floats of the seed program's answer are nudged in a few directions. Where a nudge of 1e-11 gains, larger ones are
tried: a score that goes on rising was room that the program left; one that rises up to a certain size and is refused
beyond it is a tolerance that is given away. Room that ends at such a size by chance looks the same, so the evaluator's
text is read for tolerances too.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evaluators.contract import Evaluation
from evolve.config.problem import Problem
from evolve.scaffold.cheats import nudged
from evolve.scaffold.findings import Finding, error, ok, warning
from evolve.scaffold.seed_checks import SeedRuns
from evolve.scaffold.trials import Trials

PROBE = 1e-11
COLUMNS: tuple[int | None, ...] = (None, 0, 1, 2)
LADDER = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
LARGEST_TOLERANCE = 1e-3
COLLAPSE = 1e4  # a fall that is so many times the gain is a rule's, not a slope's
NAME = "tolerance"

_SMALLEST, _LARGEST = 1e-16, 1e-4
_CLOSE = frozenset({"isclose", "allclose", "assert_allclose", "assert_almost_equal", "approx"})


def check_tolerance(trials: Trials, seed: SeedRuns) -> Finding:
    """Try the nudges; see the module."""
    if trials.problem.language != "python":
        return ok(NAME, "answers come from an interpreter: a program cannot nudge them")
    hints = tolerances_in(trials.problem)
    if not seed.is_repeatable:
        return ok(NAME, "not tried: the score is noisier than any tolerance")
    exact = trials.cheated(nudged(size=0.0, column=None))
    if exact is None or exact.score is None:
        return ok(NAME, "not tried: the answer holds no floats that could be nudged")
    gains = _gaining(trials, exact.score)
    for column, sign in gains:
        limit = _limit(trials, exact.score, column, sign)
        if limit is not None:
            return _exploit(limit, hints, exact.score)
    if hints:
        return _suspicion(hints, gains)
    return ok(NAME, "no answer that breaks a rule by very little scores higher")


def tolerances_in(problem: Problem) -> list[str]:
    """Places of the evaluator's text that look like a tolerance: `evaluate.py:12: 1e-06`."""
    name = problem.tables.evaluator.file
    if name is None:
        return []
    try:
        tree = ast.parse(Path(problem.folder, name).read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError, RecursionError):
        return []
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_small(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {place for node in ast.walk(tree) for place in _tolerances_at(node, named)}
    return [f"{name}:{line}: {what}" for line, what in sorted(found)]


def _tolerances_at(node: ast.AST, named: Mapping[str, ast.expr]) -> Iterator[tuple[int, str]]:
    """Small numbers that a comparison adds, takes off or compares with, and calls of isclose and the like."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _CLOSE:
            yield node.lineno, called
    if isinstance(node, ast.Compare):
        for term in (term for side in (node.left, *node.comparators) for term in _terms(side)):
            value = named.get(term.id, term) if isinstance(term, ast.Name) else term
            if _is_small(value):
                yield node.lineno, repr(ast.literal_eval(value))


def _terms(expression: ast.expr) -> Iterator[ast.expr]:
    """What an expression adds up and multiplies; what stands inside of calls is something else."""
    if isinstance(expression, ast.BinOp):
        yield from _terms(expression.left)
        yield from _terms(expression.right)
    elif isinstance(expression, ast.UnaryOp):
        yield from _terms(expression.operand)
    else:
        yield expression


def _is_small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is float and _SMALLEST <= abs(node.value) <= _LARGEST


def _gaining(trials: Trials, exact: float) -> list[tuple[int | None, float]]:
    """The directions in which a nudge of 1e-11 scores higher than no nudge."""
    gaining = []
    for column in COLUMNS:
        for sign in (1.0, -1.0):
            if trials.is_over:
                break
            evaluation = trials.cheated(nudged(size=sign * PROBE, column=column))
            if evaluation is not None and evaluation.score is not None and evaluation.score > exact:
                gaining.append((column, sign, evaluation.score - exact))
    gaining.sort(key=lambda each: -each[2])
    return [(column, sign) for column, sign, _ in gaining[:2]]


def _limit(trials: Trials, exact: float, column: int | None, sign: float) -> tuple[float, float] | None:
    """The largest nudge that gains before the answer is refused, with its gain; None if it is not refused so early."""
    best: tuple[float, float] | None = None
    for size in LADDER:
        evaluation = trials.cheated(nudged(size=sign * size, column=column))
        gain = _gain(evaluation, exact)
        if gain is not None and gain > 0:
            best = (size, gain)
            continue
        collapsed = gain is None or best is None or -gain > COLLAPSE * best[1]
        return (best or (PROBE, 0.0)) if collapsed and size <= LARGEST_TOLERANCE else None
    return None


def _gain(evaluation: Evaluation | None, exact: float) -> float | None:
    return None if evaluation is None or evaluation.score is None else evaluation.score - exact


def _exploit(limit: tuple[float, float], hints: Sequence[str], exact: float) -> Finding:
    size, gain = limit
    seen = (
        f"answers that are off by up to about {size:g} are accepted and score higher (by {gain:.3g}, at {exact:.6g}), "
        f"larger ones are refused"
    )
    advice = (
        "evolution finds every tolerance: repair the answer first (shrink, round, project it until it is exact), then "
        "score what is left, as problems/circle_packing_26 does"
    )
    data = {"size": size, "gain": gain, "hints": list(hints)}
    if hints:
        return error(NAME, f"{seen}; {', '.join(hints[:3])}", advice, **data)
    return warning(NAME, f"{seen}: a tolerance, or room that the seed program left by chance", advice, **data)


def _suspicion(hints: Sequence[str], gains: Sequence[object]) -> Finding:
    told = ", ".join(hints[:3])
    if not gains:
        seen = f"{told} look like tolerances; no nudge of the seed program's answer scores higher"
        return ok(NAME, seen, hints=list(hints))
    seen = f"{told} look like tolerances, and the seed program's answer has room, so that they could not be tried out"
    advice = "if an answer may break a rule by so much, the best programs will: repair answers instead"
    return warning(NAME, seen, advice, hints=list(hints))

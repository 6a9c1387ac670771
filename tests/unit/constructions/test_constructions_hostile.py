"""Valid constructions with one part replaced by something odd: every verifier answers, none raises or runs away."""

import copy
import math
import random
from typing import Any

import pytest

from evaluators.constructions.registry import MODULES, verify
from evaluators.constructions.verdict import Verdict
from tests.extent import ALL_TESTS
from tests.unit.constructions.test_constructions_seeds import NAMES, measured

ODD: tuple[Any, ...] = (
    0, 1, -1, 2, 0.5, -0.0, 1e308, -1e308, 5e-324, 1e-161, 10**300, -(10**300), 2**53 + 1, math.nan, math.inf,
    "1/3", "-7", "0x1p-1074", "1/0", "x", "", None, True, [], {}, [1, 2], [[0]], {"u": 1}, b"1",
)  # fmt: skip
N_TRIES = 400 if ALL_TESTS else 15


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all parts of some data, at most so many of each list."""
    found = [path]
    if isinstance(data, dict):
        for key, value in data.items():
            found += places(value, (*path, key))
    if isinstance(data, list):
        for index in {0, 1, len(data) // 2, len(data) - 1} & set(range(len(data))):
            found += places(data[index], (*path, index))
    return found


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(data)
    part = changed
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return changed


@pytest.mark.parametrize("name", NAMES)
def test_odd_parts_are_answered(name: str) -> None:
    problem, verifier, verdict = measured(name)
    rng = random.Random(name)
    paths = places(verdict.construction)

    for _ in range(N_TRIES):
        data = replaced(verdict.construction, rng.choice(paths), rng.choice(ODD))
        answer = verify(verifier, data, problem.tables.parameters)
        assert_sound(answer)


def assert_sound(verdict: Verdict) -> None:
    """Valid with a finite score, or refused with a reason of a few words."""
    if verdict.valid:
        assert verdict.score is not None
        assert math.isfinite(verdict.score)
        assert all(isinstance(value, float) for value in verdict.details.values())
    else:
        assert 0 < len(verdict.reason) < 400


@pytest.mark.parametrize("verifier", sorted(MODULES))
def test_a_value_that_is_no_construction_at_all_is_refused(verifier: str) -> None:
    parameters = next(p.tables.parameters for p, name, _ in map(measured, NAMES) if name == verifier)

    for value in ODD:
        verdict = verify(verifier, value, parameters)
        assert_sound(verdict)
        # Short lists are small constructions of some kinds.
        assert not verdict.valid or isinstance(value, list)

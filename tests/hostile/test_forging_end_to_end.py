"""Every forger before the whole judge: sandbox, evaluator in its own process, record. None gets a point."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from evaluators.contract import Evaluation, Failure
from evaluators.process import JudgeProcess
from evolve.testing.hostile import prelude
from evolve.testing.hostile.attack import Attack, Family
from evolve.testing.hostile.catalogue import all_attacks
from evolve.testing.hostile.judged import files_of, spec_of
from evolve.testing.hostile.world import World
from sandbox.errors import SandboxError
from sandbox.limits import Limits

FORGERS = [attack for attack in all_attacks() if attack.family is Family.FORGING]
LONGEST_TEXT = 4000
HONEST = "def attack(world):\n    return {number!r}\ndef sort(items):\n    return sorted(items)\n"

pytestmark = pytest.mark.xdist_group("hostile-forging")


class Court:
    """One judge for each set of limits, all with the same world's evaluator."""

    def __init__(self) -> None:
        self.world = World()
        self._judges: dict[Limits, JudgeProcess] = {}

    def evaluate(self, text: str, limits: Limits) -> Evaluation:
        known = self.world.knowledge() | {"engine_pid": os.getpid()}
        if limits not in self._judges:
            self._judges[limits] = JudgeProcess(spec_of(known, limits))
        try:
            return self._judges[limits].evaluate(files_of({"main.py": text, prelude.NAME: prelude.TEXT}, known))
        except SandboxError as error:
            if "WEAK" in str(error):
                pytest.skip("no sandbox worth the name on this machine")
            raise

    def pids(self) -> list[int | None]:
        return [judge.guard_pid for judge in self._judges.values()]

    def close(self) -> None:
        for judge in self._judges.values():
            judge.close()
        self.world.close()


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    court = Court()
    yield court
    court.close()


def shown(evaluation: Evaluation) -> str:
    """All text of the record that a candidate could have written."""
    artifacts: Any = evaluation.artifacts
    return "".join((evaluation.detail, *artifacts, *artifacts.values()))


@pytest.mark.parametrize("attack", FORGERS, ids=lambda attack: attack.name)
def test_a_forger_gets_no_point_and_the_judge_stays_as_it_was(court: Court, attack: Attack) -> None:
    court.evaluate(HONEST.format(number=0.0), attack.limits)
    before = court.pids()

    evaluation = court.evaluate(attack.text, attack.limits)

    assert evaluation.score in (None, 0.0)
    assert evaluation.failure is not Failure.EVALUATOR
    assert court.pids() == before
    assert all(sign.isprintable() or sign in "\n\t" for sign in shown(evaluation))
    assert len(evaluation.detail) <= LONGEST_TEXT


def test_who_knows_the_answer_and_does_the_work_gets_the_points(court: Court) -> None:
    evaluation = court.evaluate(HONEST.format(number=court.world.expected), Limits())

    assert evaluation.score == 2.0

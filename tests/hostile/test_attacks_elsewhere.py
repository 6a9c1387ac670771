"""The hostile suite as an ordinary user, and inside containers without privileges.

By default each place gets a twenty-fourth of the attacks, another one each; where all are asked for, each gets all.
"""

import os
import re

import pytest

from evolve.testing.hostile.catalogue import all_attacks
from tests.extent import ALL_ATTACKS
from tests.ordinary_user import Done, as_ordinary_user, in_container_without_privileges
from tests.outer_filter import Refused

SECONDS = 900.0
N_PARTS = 1 if ALL_ATTACKS else 24
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the suite runs as this ordinary user already")


def suite(part: int, level: str = "CURRENT") -> list[str]:
    names = [attack.name for attack in all_attacks()]
    return ["-m", "evolve.testing.hostile", "--level", level, *names[part % N_PARTS :: N_PARTS]]


def check_contained(done: Done) -> None:
    breaches = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("BREACH")]
    assert breaches == []
    total = re.search(r"^0 breaches of (\d+)", done.stdout, re.MULTILINE)
    assert total is not None, done.stderr[-2000:]
    assert int(total[1]) >= len(all_attacks()) // N_PARTS
    assert done.returncode == 0


@needs_root
@pytest.mark.slow
@pytest.mark.parametrize(("part", "level"), [(0, "CURRENT"), (1, "STRONG"), (2, "NOOPEN")])
def test_attacks_of_an_ordinary_user_s_candidates_are_contained(part: int, level: str) -> None:
    check_contained(as_ordinary_user(suite(part, level), seconds=SECONDS))


@pytest.mark.slow
@pytest.mark.parametrize(("part", "also_refused"), [(3, ()), (4, (Refused.LANDLOCK,))], ids=["strong", "noopen"])
def test_attacks_in_a_container_without_privileges_are_contained(part: int, also_refused: tuple[Refused, ...]) -> None:
    check_contained(in_container_without_privileges(suite(part), also_refused=also_refused, seconds=SECONDS))


@needs_root
@pytest.mark.slow
def test_attacks_of_an_ordinary_user_s_candidates_in_a_container_are_contained() -> None:
    check_contained(in_container_without_privileges(suite(5), as_user=True, seconds=SECONDS))

"""Every attack of the hostile suite is contained here, and every one succeeds where nothing holds it back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolve.testing.hostile.attack import (
    BARE,
    CURRENT,
    NOOPEN,
    STRONG,
    Attack,
    Configuration,
    Family,
    Outcome,
    alone,
    is_claimed,
)
from evolve.testing.hostile.catalogue import all_attacks
from evolve.testing.hostile.machine import missing
from evolve.testing.hostile.removal import remove
from evolve.testing.hostile.report import lines, run_suite, succeeds
from evolve.testing.hostile.run import Arena, ArenaError, Result
from evolve.testing.hostile.world import PREFIX
from sandbox.layers import Layer
from tests.extent import ALL_ATTACKS

ATTACKS = all_attacks()
AT_LEAST = 128
BY_LIMITS = (Family.RESOURCES, Family.FORGING)
"""What these are stopped by is told by the failure, and needs several layers or none."""
WALLS = BARE.without - {Layer.MEMORY_WATCH, Layer.MEMORY_CGROUP}
"""The layers that refuse; the others end what has grown too large, together with limits."""
PROVED = 1 if ALL_ATTACKS else 12
ALONE = 1 if ALL_ATTACKS else 9
PER_LEVEL = 1 if ALL_ATTACKS else 4
"""By default all attacks are tried on all the layers that the machine has, but every twelfth is shown to succeed where
it should, every ninth that a layer stops is tried on it alone, and of the lower levels each gets every fourth."""


class Arenas:
    """One arena for each configuration, made when it is first needed."""

    def __init__(self) -> None:
        self._arenas: dict[Configuration, Arena] = {}

    def __getitem__(self, configuration: Configuration) -> Arena:
        if configuration not in self._arenas:
            try:
                self._arenas[configuration] = Arena(configuration)
            except ArenaError as error:
                pytest.skip(f"no arena here: {error}")
        return self._arenas[configuration]

    def run(self, configuration: Configuration, attack: Attack) -> Result:
        arena = self[configuration]
        try:
            return arena.run(attack)
        except ArenaError:  # it did not come up again after a breach: the next attack gets another
            self._arenas.pop(configuration).close()
            raise

    def close(self) -> None:
        for arena in self._arenas.values():
            arena.close()


@pytest.fixture(scope="module")
def arenas() -> Iterator[Arenas]:
    arenas = Arenas()
    yield arenas
    arenas.close()


def depends_on_layers(attack: Attack, level: Configuration) -> bool:
    """Whether it meets anything else at this level than at the highest; forged answers, for one, do not."""
    return bool(level.without & set(attack.stopped_by)) or attack.limits.scratch_bytes > 0


def of_level(level: Configuration, number: int) -> list[Attack]:
    return [attack for attack in ATTACKS if depends_on_layers(attack, level)][number % PER_LEVEL :: PER_LEVEL]


def check_contained(result: Result) -> None:
    if not result.contained and result.level in result.attack.not_promised:
        pytest.xfail(f"known at {result.level}, see docs/security.md: {result.how}")
    assert result.contained, f"{result.how}: {result.outcome}"


@pytest.mark.xdist_group("hostile-current")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_contained(arenas: Arenas, attack: Attack) -> None:
    check_contained(arenas.run(CURRENT, attack))


@pytest.mark.xdist_group("hostile-weak")
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.shown_in][::PROVED], ids=str)
def test_the_attack_succeeds_in_a_weaker_configuration(arenas: Arenas, attack: Attack) -> None:
    for need in attack.needs:
        if missing(need):
            pytest.skip(f"needs {need}: {missing(need)}")
    assert attack.shown_in is not None
    assert succeeds(arenas[attack.shown_in], attack)


@pytest.mark.xdist_group("hostile-levels")
@pytest.mark.parametrize(
    ("level", "attack"),
    [(level, attack) for number, level in enumerate((STRONG, NOOPEN)) for attack in of_level(level, number)],
    ids=str,
)
def test_the_attack_is_contained_with_fewer_layers(arenas: Arenas, level: Configuration, attack: Attack) -> None:
    check_contained(arenas.run(level, attack))


@pytest.mark.xdist_group("hostile-levels")
@pytest.mark.parametrize("layer", sorted(WALLS & {word for attack in ATTACKS for word in attack.stopped_by}))
def test_a_layer_alone_stops_the_attacks_that_name_it(layer: Layer) -> None:
    named = [attack for attack in ATTACKS if layer in attack.stopped_by and attack.family not in BY_LIMITS][::ALONE]
    try:
        with Arena(alone(layer)) as arena:
            if layer not in arena.layers:
                pytest.skip(f"{layer} cannot be had here")
            got_through = [attack.name for attack in named if not arena.run(attack).contained]
    except ArenaError as error:
        pytest.skip(f"no arena here: {error}")
    assert got_through == []


def test_the_suite_has_an_attack_for_every_technique() -> None:
    assert len(ATTACKS) >= AT_LEAST
    assert {attack.family for attack in ATTACKS} == set(Family)
    assert all(attack.stopped_by for attack in ATTACKS)


def test_most_attacks_are_shown_to_succeed_somewhere() -> None:
    shown = [attack for attack in ATTACKS if attack.shown_in]
    assert len(shown) >= AT_LEAST


def test_an_attack_says_where_it_succeeds_or_why_not() -> None:
    with pytest.raises(ValueError, match="shown_in or limit_only"):
        Attack(name="silent", family=Family.FILES, text="", stopped_by=("nothing",), shown_in=None)


def test_a_step_that_worked_is_a_breach_only_where_claims_count() -> None:
    outcome = Outcome(answers=({"got": [3], "failed": []},))
    assert is_claimed(outcome)
    assert not is_claimed(Outcome(answers=({"got": [], "failed": ["refused"]}, 5)))


def test_the_report_says_what_stopped_each_attack() -> None:
    chosen = [attack for attack in ATTACKS if attack.name in {"read_dotenv", "tcp_connect"}]
    report = run_suite(attacks=chosen, with_proofs=True)
    text = "\n".join(lines(report))
    assert not report.breaches
    assert not report.unproved
    assert "0 breaches of 2" in text
    assert text.count("stopped by") == 2


class SlowMachine(Arena):
    """Every attack is still at work when its time is up, but for those that have a minute."""

    def __init__(self, *, is_guarded: bool, leaked: tuple[str, ...] = ()) -> None:
        self._is_guarded = is_guarded
        self.leaked = leaked
        self.seconds: list[float] = []

    def _run_once(self, attack: Attack) -> Result:
        self.seconds.append(attack.limits.wall_seconds)
        outcome = Outcome(error="crash" if self.seconds[-1] >= 60.0 else "timeout", leaked=self.leaked)
        contained = not attack.breached(outcome)
        return Result(attack=attack, configuration=CURRENT, level="FULL", contained=contained, how="", outcome=outcome)


def test_a_machine_that_stood_still_is_not_taken_for_a_breach() -> None:
    [attack] = [attack for attack in ATTACKS if attack.name == "abort"]  # to be contained, it has to crash
    slow, bare = SlowMachine(is_guarded=False), SlowMachine(is_guarded=True)
    told = SlowMachine(is_guarded=False, leaked=("memory",))

    results = [arena.run(attack) for arena in (slow, bare, told)]

    assert [result.contained for result in results] == [True, False, False]
    assert [len(arena.seconds) for arena in (slow, bare, told)] == [2, 1, 1]
    assert results[0].attack is attack


def test_a_folder_of_any_depth_is_removed_and_no_link_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    top = tmp_path / "top"
    top.mkdir()
    monkeypatch.chdir(top)
    for _ in range(300):
        Path("link").symlink_to(kept)
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    Path("closed").mkdir(mode=0)
    os.chdir(tmp_path)

    remove(top)

    assert not top.exists()
    assert (kept / "file").exists()


def test_an_arena_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    tmp_path.chmod(0o755)
    chosen = next(attack for attack in ATTACKS if attack.name == "read_dotenv")
    with Arena(CURRENT) as arena:
        assert list(tmp_path.glob(f"{PREFIX}*"))
        arena.run(chosen)
    assert not list(tmp_path.iterdir())

"""Runs attacks and looks, from outside, at what they achieved."""

import json
import platform
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any, Self

from evolve.testing.hostile.attack import Attack, Configuration, Family, Outcome, is_evident
from evolve.testing.hostile.victim import ArenaError, Victim
from evolve.testing.hostile.world import World, installed_modules
from sandbox.layers import Layer, Level, level_of

# By whether the engine is guarded: where nothing is held back, nobody waits long for what will not come.
SETTLE_SECONDS = {True: 0.2, False: 30.0}
PATIENCE_SECONDS = {True: 10.0, False: 60.0}
POLL_SECONDS = 0.005
HOW_LENGTH = 160

__all__ = ["Arena", "ArenaError", "Result", "is_weak", "run_attack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One attack in one configuration; `how` says in few words what the candidate met."""

    attack: Attack
    configuration: Configuration
    level: str
    contained: bool
    how: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was seen at one moment. The engine's own view is empty when it does not answer."""

    files: Mapping[str, str]
    outer: Mapping[str, str]
    inner: Mapping[str, Any]
    processes: Mapping[int, str]
    planted: frozenset[str]


class Arena:
    """A world and its engine in one configuration, for one attack after another; a context manager.

    What a breach changed is put back before the next attack. Configurations that hold nothing back run in a guard:
    namespaces whose end ends everything inside.
    """

    def __init__(self, configuration: Configuration) -> None:
        """Make the world, start the engine.

        Raises:
            ArenaError: it does not start, or no guard can be had here.
        """
        if platform.system() != "Linux":
            raise ArenaError("the hostile suite needs Linux")
        self.configuration = configuration
        self._is_guarded = is_weak(configuration)
        self._make()
        if self.level == Level.WEAK and not self._is_guarded:  # here everything is weak, and nothing holds attacks back
            self.close()
            self._is_guarded = True
            self._make()

    def run(self, attack: Attack) -> Result:
        """Let one attack loose.

        A machine that stands still looks like an attack that nothing but the deadline ends: what should have ended
        otherwise gets a second run, with time enough.
        """
        result = self._run_once(attack)
        is_slow = result.outcome.error == "timeout" and not is_evident(result.outcome)
        if result.contained or self._is_guarded or not is_slow:
            return result
        return replace(self._run_once(attack.patient()), attack=attack)

    def _run_once(self, attack: Attack) -> Result:
        word = secrets.token_hex(12)
        request = {
            "op": "attack",
            "text": attack.text,
            "calls": list(attack.calls),
            "limits": asdict(attack.limits),
            "visit": attack.visit.value,
            "is_forger": attack.family is Family.FORGING,
            "world": {**self._knowledge, "word": word},
        }
        seconds = attack.limits.wall_seconds * (len(attack.calls) + 1) + PATIENCE_SECONDS[self._is_guarded]
        began = time.monotonic()
        reply = self._victim.ask(request, seconds=seconds)
        wall = time.monotonic() - began
        changes = self._changes(is_mute=reply is None)
        damage = (*self._world.calls(), *changes, *(reply or {}).get("wrong", ()))
        outcome = self._outcome(reply or {"reports": []}, word, damage, wall)
        contained = not (is_evident(outcome) or attack.breached(outcome))
        if self.configuration.is_peer:
            self._world.tidy(self._keep)
        if changes:
            self._mend(is_mute=reply is None)
        return Result(
            attack=attack,
            configuration=self.configuration,
            level=self.level,
            contained=contained,
            how=_how(outcome),
            outcome=outcome,
        )

    def close(self) -> None:
        """End the engine and all below it, remove the world; harmless when repeated."""
        self._victim.close()
        self._world.close()

    def __enter__(self) -> Self:
        """The arena itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _make(self) -> None:
        self._world = World(site_packages=None if self._is_guarded else installed_modules())
        try:
            self._start()
        except BaseException:
            self._world.close()
            raise

    def _start(self) -> None:
        world = self._world
        self._victim = Victim(
            secret=world.secrets["environment"], home=world.folder / "home", is_guarded=self._is_guarded
        )
        try:
            reply = self._victim.open(
                {
                    "secrets": world.secrets,
                    "world": world.knowledge(),
                    "without": sorted(self.configuration.without),
                    "is_peer": self.configuration.is_peer,
                }
            )
        except BaseException:
            self._victim.close()
            raise
        self.level: str = reply["level"]
        self.layers: tuple[str, ...] = tuple(reply["layers"])
        self._keep = {path.name for path in (world.folder / "work").iterdir()}
        self._knowledge = {**world.knowledge(), **reply["knowledge"], "level": self.level}
        self._before = self._look()

    def _mend(self, *, is_mute: bool) -> None:
        """Put the world back as it was; with another engine, if something is wrong with this one."""
        after = None if is_mute else self._look()
        is_well = after is not None and not _differences(
            self._before, replace(after, files=self._before.files, planted=self._before.planted)
        )
        if not is_well:
            self._victim.close()
        self._world.repair(with_work=not (is_well and self.configuration.is_peer))
        if is_well:
            self._knowledge |= self._world.knowledge()
            self._before = self._look()
        else:
            self._start()

    def _look(self) -> _Look:
        inner = self._victim.ask({"op": "portrait", "key": self._world.key}, seconds=PATIENCE_SECONDS[self._is_guarded])
        return _Look(
            files=self._world.portrait(with_work=not self.configuration.is_peer),
            outer=self._victim.outside((self._world.name, str(self._world.folder))),
            inner=inner or {},
            processes=self._victim.processes(),
            planted=frozenset(str(path) for path in self._world.planted()),
        )

    def _changes(self, *, is_mute: bool) -> list[str]:
        """What changed since the last look; processes get a moment to end."""
        deadline = time.monotonic() + SETTLE_SECONDS[self._is_guarded]
        while True:
            after = self._look()
            damage = _differences(self._before, after)
            may_settle = after.inner != self._before.inner or after.processes.keys() != self._before.processes.keys()
            if not may_settle or is_mute or not after.inner or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        self._victim.kill(after.processes.keys() - self._before.processes.keys())
        return [*(["the engine does not answer"] if is_mute or not after.inner else []), *damage]

    def _outcome(self, reply: Mapping[str, Any], word: str, damage: Iterable[str], wall: float) -> Outcome:
        reports = reply["reports"]
        known = {
            **self._world.secrets,
            "time of a file": self._world.time_of_secret,
            "right answer": repr(self._world.expected),
        }
        said = [json.dumps([report["answers"], report["failure"], report["output"]]) for report in reports]
        leaked = [name for name, secret in known.items() if any(secret in text for text in said)]
        if len(said) > 1 and word in said[1]:
            leaked.append("what the first visitor left")
        first: Mapping[str, Any] = reports[0] if reports else {"score": 0.0, "seconds": 0.0}
        failures = [report["failure"] for report in reports if report["failure"][0]] or [["", ""]]
        return Outcome(
            answers=tuple(answer for report in reports for answer in report["answers"]),
            error=failures[0][0],
            detail=failures[0][1],
            output="".join(report["output"] for report in reports),
            leaked=tuple(leaked),
            damage=tuple(dict.fromkeys(damage)),
            score=float(first["score"]),
            seconds=float(first["seconds"]),
            wall=wall,
        )


def run_attack(attack: Attack, configuration: Configuration) -> Result:
    """One attack alone, in a world of its own.

    Raises:
        ArenaError: the suite cannot run here in this configuration.
    """
    with Arena(configuration) as arena:
        return arena.run(attack)


def is_weak(configuration: Configuration) -> bool:
    """Whether a configuration holds nothing back, on any machine."""
    return configuration.is_peer or level_of(frozenset(Layer) - configuration.without) is Level.WEAK


def _differences(before: _Look, after: _Look) -> list[str]:
    found = [] if after.outer else ["the engine is gone"]
    for what, old, new in (("file", before.files, after.files), ("the engine's", before.outer, after.outer)):
        for name in sorted(old.keys() | new.keys()) if new else ():
            if old.get(name) != new.get(name):
                change = "changed" if name in old and name in new else "is gone" if name in old else "is new"
                found.append(f"{what} {name} {change}")
    for name in before.inner if after.inner else ():
        if before.inner[name] != after.inner[name]:
            found.append(f"the engine's {name} changed inside")
    found += [f"left behind: {path}" for path in sorted(after.planted - before.planted)]
    if gone := before.processes.keys() - after.processes.keys():
        found.append(f"ended: {', '.join(sorted({before.processes[pid] for pid in gone}))} ({len(gone)})")
    if left := after.processes.keys() - before.processes.keys():
        found.append(f"still running: {', '.join(sorted({after.processes[pid] for pid in left}))} ({len(left)})")
    return found


def _how(outcome: Outcome) -> str:
    """The first thing that stood in the way, or what was got."""
    if outcome.error:
        words = outcome.detail.strip().splitlines() or [""]
        return f"{outcome.error}: {words[-1]}"[:HOW_LENGTH]
    if outcome.got:
        return f"got {outcome.got[0]!r}"[:HOW_LENGTH]
    for answer in outcome.answers:
        if isinstance(answer, dict) and answer.get("failed"):
            return str(answer["failed"][0])[:HOW_LENGTH]
    return f"answered {outcome.answers!r}"[:HOW_LENGTH] if outcome.answers else "said nothing"

"""A simulated run for `benchmarks.scale`: real driver, search, gate, journal, `run.db`; evaluators that only wait."""

import asyncio
import tempfile
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from archive.build import build_archive
from archive.candidate import Candidate
from archive.islands import Islands
from benchmarks.overhead import Stopwatch
from benchmarks.scale_time import VirtualClock, Workload, run_virtually, starts_in_order, utilisation
from evaluators.contract import Evaluation, Failure
from evolve import tasks
from evolve.config.problem import Problem, load_problem
from evolve.loop import iteration, reporting
from evolve.loop.beginning import begin
from evolve.loop.budget import Budget
from evolve.loop.driver import Driver
from evolve.loop.events import Event
from evolve.loop.gate import PythonGate, gate_for
from evolve.loop.iteration import Bench
from evolve.loop.journal import Journal
from evolve.loop.logbook import Logbook
from evolve.loop.parts import RunParts
from evolve.loop.search import Search
from evolve.operators.contract import Proposal, Proposing
from evolve.store import RunWriter

SIDE = 64
N_LINES = 20
SATURATED, SATISFIED = 0.9, 0.95
PARTS = ("ask", "gate", "tell", "commit", "pulse")
MARK = "    shift = "

PROBLEM = f"""
[problem]
name = "scale"
title = "nothing to find"
statement = "Nobody looks at it."
language = "python"
score = "higher is better"
[seed]
files = ["seed.py"]
[evaluator]
file = "evaluate.py"
[islands]
count = 4
[archive]
kind = "grid"
[[archive.axes]]
name = "across"
kind = "linear"
low = 0
high = 1
cells = {SIDE}
[[archive.axes]]
name = "up"
kind = "linear"
low = 0
high = 1
cells = {SIDE}
"""


def seed_program() -> str:
    """A program of about 1 kB; the trivial operator changes one number of it."""
    steps = "\n".join(f"    total = total * 0.5 + {number} * x  # step {number}" for number in range(N_LINES))
    body = f"def improve(x):\n{MARK}0.0\n    total = shift\n{steps}\n    return total\n"
    return f"# EVOLVE-BLOCK-START\n{body}# EVOLVE-BLOCK-END\n"


class ShiftOperator:
    """Gives the only parent another number: makes a new program at the price of nothing."""

    name = "shift"
    n_parents = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """See `Operator.propose`; yields nothing."""
        del inspirations
        before, _, after = parents[0].files["seed.py"].partition(MARK)
        text = f"{before}{MARK}{rng.random()!r}\n{after.partition(chr(10))[2]}"
        return _nothing_to_ask([Proposal(files={"seed.py": text}, parent_ids=(parents[0].id,))])


def _nothing_to_ask(proposals: list[Proposal]) -> Generator[Any, Any, list[Proposal]]:
    yield from ()
    return proposals


@dataclass
class SimulatedExecutor:
    """Evaluators that only take time. As with local workers, the next work of one comes from the controller."""

    clock: VirtualClock
    capacity: int
    durations: list[float]
    failed: list[bool]
    rng: np.random.Generator
    charge_seconds: float = 0.0
    n_lost_workers: int = 0
    starts: list[float] = field(default_factory=list)
    cpu_at_start: list[float] = field(default_factory=list)
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        """All are free."""
        self._n_free = self.capacity

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Take an evaluator's time, then answer for the one child."""
        assert task == tasks.EVALUATE
        del payload
        await self._evaluator()
        number = len(self.starts)
        self.clock.skip(self.charge_seconds)
        self.starts.append(self.clock())
        self.cpu_at_start.append(self.clock.cpu_seconds)
        try:
            await asyncio.sleep(self.durations[number])
        finally:
            self._release()
        return {"evaluations": [tasks.evaluation_to_mapping(self._judged(is_failed=self.failed[number]))]}

    async def _evaluator(self) -> None:
        if self._n_free:
            self._n_free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        await place

    def _release(self) -> None:
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._n_free += 1

    def _judged(self, *, is_failed: bool) -> Evaluation:
        if is_failed:
            return Evaluation.failed(Failure.TIMEOUT, detail="it ran past its limit", stage="evaluate")
        across, up, score = self.rng.random(3).tolist()
        return Evaluation(score=score, descriptor={"across": across, "up": up}, metrics={"sum": score})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run to simulate."""

    workload: Workload
    n_evaluators: int
    window: int
    n_candidates: int
    executor_ms: float = 0.0
    sync_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a simulated run did once it was under way.

    `busy` is the share of the evaluators that worked, `allowed` what ordered telling allows, `controller` the share of
    the time in which the controller computed, `milliseconds` its CPU time for one candidate by part.
    """

    busy: float
    allowed: float
    per_second: float
    controller: float
    milliseconds: Mapping[str, float]

    @property
    def bottleneck(self) -> str:
        """What keeps the evaluators from being busy."""
        if self.busy >= SATISFIED:
            return "none"
        if self.controller >= SATURATED or self.allowed - self.busy > 1.0 - self.allowed:
            return "controller CPU"
        return "stragglers"


def watched() -> Stopwatch:
    """A stopwatch on the parts of the controller."""
    watch = Stopwatch()
    for owner, name, part in (
        (Search, "plan", "ask"),
        (ShiftOperator, "propose", "ask"),
        (PythonGate, "fingerprint_of", "gate"),
        (Search, "tell", "tell"),
        (Journal, "commit", "commit"),
        (reporting, "progress_event", "pulse"),
        (iteration, "evaluation_seed", "ask"),
    ):
        watch.time(owner, name, part)
    return watch


def _new_problem(folder: Path) -> Problem:
    folder.mkdir()
    (folder / "problem.toml").write_text(PROBLEM)
    (folder / "seed.py").write_text(seed_program())
    (folder / "evaluate.py").write_text("def evaluate(candidate):\n    return {'score': 0.0}\n")
    return load_problem(folder)


def simulate(case: Case, watch: Stopwatch) -> Outcome:
    """Drive a run of simulated evaluators to its last candidate."""
    rng = np.random.default_rng(1)
    durations, failed = case.workload.draw(case.n_candidates + case.window + 2, rng)
    durations[0], failed[0] = 0.0, False  # the seed program
    with tempfile.TemporaryDirectory() as folder:
        problem = _new_problem(Path(folder) / "problem")
        writer = RunWriter.create(Path(folder) / "run", {}, network_fs_allowed=True)
        writer.start_session()
        clock = VirtualClock()
        executor = SimulatedExecutor(
            clock, case.n_evaluators, durations, failed, rng, charge_seconds=1e-3 * case.executor_ms
        )
        parts = _parts(problem, executor, writer, case, clock)
        watch.seconds.clear()
        run_virtually(lambda: _session(problem, parts, clock), clock)
        total = clock.cpu_seconds
        writer.close()
    return _outcome(case, executor, {**watch.seconds, "all": total})


async def _session(problem: Problem, parts: RunParts, clock: VirtualClock) -> None:
    await begin(problem, parts)
    await Driver(parts, clock=clock).run()


def _parts(
    problem: Problem, executor: SimulatedExecutor, writer: RunWriter, case: Case, clock: VirtualClock
) -> RunParts:
    tables = problem.tables.islands
    search = Search(
        Islands([build_archive(problem.archive_mapping()) for _ in range(tables.count)]),
        [ShiftOperator()],
        rng_seed=0,
        migrate_every=tables.migrate_every,
        n_migrants=tables.migrants,
    )
    bench = Bench(executor=executor, gate=gate_for(problem), judge={}, rng_seed=0, longest_seconds=1e9)
    return RunParts(
        search=search,
        bench=bench,
        writer=writer,
        journal=_SlowJournal(writer, search, clock, 1e-3 * case.sync_ms),
        budget=Budget(evaluations=case.n_candidates),
        window=case.window,
        listener=Logbook(writer.run_dir, clock=clock, secrets=()).hear,
    )


class _SlowJournal(Journal):
    """A journal on a disk that takes a while to say that it has written."""

    def __init__(self, writer: RunWriter, search: Search, clock: VirtualClock, sync_seconds: float) -> None:
        super().__init__(writer, search)
        self._clock = clock
        self._sync_seconds = sync_seconds

    def commit(self, *arguments: Any) -> list[Event]:
        """See `Journal.commit`."""
        self._clock.skip(self._sync_seconds)
        return super().commit(*arguments)


def _outcome(case: Case, executor: SimulatedExecutor, seconds: Mapping[str, float]) -> Outcome:
    starts = executor.starts[1:]
    durations = executor.durations[1 : len(starts) + 1]
    busy, per_second = utilisation(starts, durations, n_evaluators=case.n_evaluators)
    at = len(starts) // 3
    cpu = executor.cpu_at_start[-1] - executor.cpu_at_start[1 + at]
    alone = starts_in_order(durations, n_evaluators=case.n_evaluators, window=case.window)
    allowed, _ = utilisation(alone, durations, n_evaluators=case.n_evaluators)
    each = {part: 1e3 * seconds.get(part, 0.0) / case.n_candidates for part in (*PARTS, "all")}
    each["rest"] = each["all"] - sum(each[part] for part in PARTS)
    charged = 1e-3 * case.executor_ms * (len(starts) - at)
    return Outcome(
        busy=busy,
        allowed=allowed,
        per_second=per_second,
        controller=(cpu + charged) / (starts[-1] - starts[at]),
        milliseconds=each,
    )

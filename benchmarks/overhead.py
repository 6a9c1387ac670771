"""What the engine itself costs for one candidate of a language model, as the store grows.

    python -m benchmarks.overhead [--stored 100 1000 10000] [--candidates 40] [--repeats 5]

The run's database and archive are filled with synthetic candidates of 5 kB, each with a cell of its own, a tenth of
them failed, through the real `Search.tell` and `Journal`. Then the real driver goes on with the operator `diff` and the
model `fake:`, which answers at once; judging is a function in this process that returns at once and makes every second
child an elite of a new cell. Figures are CPU milliseconds (user and system) for one candidate, medians over the
repeats; what the fake model takes to write its reply is left out. Durability is `full`, as in ordinary runs.
"""

import argparse
import asyncio
import inspect
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from evaluators.contract import Evaluation, Failure
from evolve import tasks
from evolve.config.problem import Problem, load_problem
from evolve.llm.fake import FakeModel
from evolve.loop import reporting
from evolve.loop.budget import Budget
from evolve.loop.driver import Driver
from evolve.loop.events import Event, RunOptions
from evolve.loop.gate import PythonGate, gate_for
from evolve.loop.iteration import Bench
from evolve.loop.journal import Journal
from evolve.loop.models import ModelDesk, PastCalls
from evolve.loop.parts import Past, RunParts
from evolve.loop.search import Search
from evolve.loop.setup import Approach, build_search
from evolve.loop.told import Told, ToldChild
from evolve.operators.writing.operators import LanguageModelOperator
from evolve.operators.writing.python import PythonLanguage
from evolve.store import RunWriter

MODEL = "fake:"
SIDE = 128
N_BEST = 8
FAILED_EVERY = 10
COMMIT_EVERY = 500
FAKE = "the fake model"
PARTS = (
    "plan: operator, parents, elites, briefing",
    "write the prompt, read the reply",
    "apply the diff, compile, compare",
    "model service: record, budget, retries",
    "write call and prompt to run.db",
    "gate: blocks, fingerprint",
    "tell: archive, rewards, memory",
    "commit to run.db",
    "progress report",
)
OPENEVOLVE = (
    "OpenEvolve 0.3.2 (commit 411fb59), measured by us in November 2026 with a model that answers at once and programs",
    "of 5 kB: 4.6 CPU ms for one iteration at 190 programs, 43.8 at 1,000 (its controller alone, without its workers).",
)

PROBLEM = f"""
[problem]
name = "overhead"
title = "nothing to find"
statement = "Make the sum as large as possible. Nobody looks at it."
language = "python"
score = "higher is better"
[seed]
files = ["seed.py"]
[evaluator]
file = "evaluate.py"
[archive]
kind = "grid"
[[archive.axes]]
name = "across"
kind = "linear"
low = 0
high = {SIDE}
cells = {SIDE}
[[archive.axes]]
name = "up"
kind = "linear"
low = 0
high = {SIDE}
cells = {SIDE}
[llm]
operators = ["diff"]
symbolic = false
"""


class Stopwatch:
    """CPU time of each part, without that of other parts that ran inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def time(self, owner: Any, name: str, part: str) -> None:
        """Count what a function, method or generator of `owner` takes to `part`."""
        function = getattr(owner, name)
        setattr(owner, name, self._timed(function, part))

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            async def awaited(*args: Any, **words: Any) -> Any:
                start = self._begin()
                try:
                    return await function(*args, **words)  # nothing here really waits: no other task can run between
                finally:
                    self._end(start, part)

            return awaited
        if inspect.isgeneratorfunction(function):
            return lambda *args, **words: self._steps(function(*args, **words), part)

        def called(*args: Any, **words: Any) -> Any:
            start = self._begin()
            try:
                return function(*args, **words)
            finally:
                self._end(start, part)

        return called

    def _steps(self, generator: Generator[Any, Any, Any], part: str) -> Generator[Any, Any, Any]:
        answer: Any = None
        while True:
            start = self._begin()
            try:
                request = generator.send(answer)
            except StopIteration as stop:
                return stop.value
            finally:
                self._end(start, part)
            answer = yield request

    def _begin(self) -> float:
        self._inner.append(0.0)
        return time.process_time()

    def _end(self, start: float, part: str) -> None:
        seconds = time.process_time() - start
        self.seconds[part] += seconds - self._inner.pop()
        self._inner[-1] += seconds


def watched() -> Stopwatch:
    """A stopwatch on all parts of the engine."""
    watch = Stopwatch()
    places: tuple[tuple[Any, str], ...] = (
        (Search, "plan"),
        (LanguageModelOperator, "propose"),
        (PythonLanguage, "child"),
        (ModelDesk, "ask"),
        (RunWriter, "record_call"),
        (PythonGate, "fingerprint_of"),
        (Search, "tell"),
        (Journal, "commit"),
        (reporting, "progress_event"),
    )
    for part, (owner, name) in zip(PARTS, places, strict=True):
        watch.time(owner, name, part)
    watch.time(FakeModel, "complete", FAKE)
    return watch


def program(number: int) -> str:
    """A program of 5 kB with numbers of its own."""
    rng = np.random.default_rng(number)
    steps = "\n".join(
        f"    total = total * {a:.6f} + {b:.6f} * x  # step {i}" for i, (a, b) in enumerate(rng.random((88, 2)))
    )
    return (
        '"""A sum to be improved."""\n\n# EVOLVE-BLOCK-START\n\n\ndef improve(x):\n    total = 0.0\n'
        f"{steps}\n    return total\n\n\n# EVOLVE-BLOCK-END\n\n\ndef answer():\n    return improve(1.5)\n"
    )


def cell(number: int) -> dict[str, float | str]:
    """A descriptor in a cell that nobody else has."""
    row, column = divmod(number * 4093 % SIDE**2, SIDE)
    return {"across": row + 0.5, "up": column + 0.5}


@dataclass
class InstantExecutor:
    """Judges at once: every second child opens a cell, the others are worse than what their cell holds."""

    n_kept: int
    n_judged: int = 0
    capacity: int = 8
    n_lost_workers: int = 0

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Judge the children of one iteration."""
        assert task == tasks.EVALUATE
        return {"evaluations": [tasks.evaluation_to_mapping(self._judged()) for _ in payload["children"]]}

    def _judged(self) -> Evaluation:
        self.n_judged += 1
        if self.n_judged % 2:
            return Evaluation(score=-1e9, descriptor=cell(0))
        self.n_kept += 1
        return Evaluation(score=-1e6 - self.n_judged, descriptor=cell(self.n_kept), metrics={"sum": 1.0})


def fill(search: Search, journal: Journal, n_stored: int) -> None:
    """Tell and commit synthetic candidates; the first are the best, and failed ones are children of these."""
    rng = np.random.default_rng(0)
    records = []
    for number in range(n_stored):
        files = {"seed.py": program(number)}
        is_failed = number > N_BEST and number % FAILED_EVERY == 0
        evaluation = (
            Evaluation.failed(Failure.EXCEPTION, detail="ValueError: too large\n" * 20, stage="evaluate")
            if is_failed
            else Evaluation(score=-float(number), descriptor=cell(number), metrics={"sum": float(number)})
        )
        parents = (int(rng.integers(1, min(number, N_BEST) + 1)),) if number else ()
        child = ToldChild(files=files, fingerprint=f"filled {number}", parent_ids=parents, evaluation=evaluation)
        told = Told(number=number, operator="fill", island=0, cost=0.01, seconds=0.0, n_duplicates=0, children=(child,))
        records.append(search.tell(told))
        if len(records) == COMMIT_EVERY or number == n_stored - 1:
            journal.commit(records, 0.0)
            records = []


def unheard(event: Event) -> None:
    """Nobody listens: a display shows four reports a second at most."""
    del event


def parts_of(problem: Problem, search: Search, writer: RunWriter, desk: ModelDesk, n_stored: int) -> RunParts:
    """A session without workers; its budget is set by each round."""
    bench = Bench(
        executor=InstantExecutor(n_kept=n_stored),
        gate=gate_for(problem),
        judge={},
        rng_seed=0,
        longest_seconds=1.0,
        models=desk,
    )
    journal = Journal(writer, search)
    return RunParts(
        search=search,
        bench=bench,
        writer=writer,
        journal=journal,
        budget=Budget(),
        window=1,
        listener=unheard,
        models=desk,
    )


async def one_round(parts: RunParts, watch: Stopwatch, n_candidates: int) -> dict[str, float]:
    """CPU milliseconds of each part for one candidate."""
    search = parts.search
    before = search.n_evaluations
    now = replace(
        parts,
        budget=Budget(evaluations=before + n_candidates),
        past=Past(backlog=(search.plan(search.last_told + 1),)),
    )
    watch.seconds.clear()
    start = time.process_time()
    await Driver(now).run()
    total = time.process_time() - start
    n_told = search.n_evaluations - before
    each = {part: 1e3 * watch.seconds[part] / n_told for part in PARTS}
    everything = 1e3 * (total - watch.seconds[FAKE]) / n_told
    rest = everything - sum(each.values())
    return {**each, "the rest: driver, event loop": rest, "all": everything}


def measure(n_stored: int, n_candidates: int, repeats: int, watch: Stopwatch) -> dict[str, float]:
    """Fill a run, then medians over rounds, the first of which is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "overhead"
        home.mkdir()
        (home / "problem.toml").write_text(PROBLEM)
        (home / "seed.py").write_text(program(0))
        (home / "evaluate.py").write_text("def evaluate(candidate):\n    return {'score': 0.0}\n")
        problem = load_problem(home)
        search = build_search(problem, 0, Approach(models=(MODEL,), symbolic=False))
        desk = ModelDesk(problem, RunOptions(models=(MODEL,), symbolic=False), PastCalls())
        writer = RunWriter.create(Path(folder) / "run", {}, network_fs_allowed=True)
        desk.attach(writer)
        writer.start_session()
        fill(search, Journal(writer, search), n_stored)
        parts = parts_of(problem, search, writer, desk, n_stored)
        rounds = [asyncio.run(one_round(parts, watch, n_candidates)) for _ in range(repeats + 1)][1:]
        writer.close()
    return {part: median(each[part] for each in rounds) for part in rounds[0]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if max(arguments.stored) + arguments.candidates * (arguments.repeats + 1) > SIDE**2:
        parser.error(f"there are {SIDE**2:,} cells, and everybody needs one")
    watch = watched()
    columns = [measure(n, arguments.candidates, arguments.repeats, watch) for n in arguments.stored]
    print(f"{'CPU ms for one candidate, with so many stored':<46}" + "".join(f"{n:>10,}" for n in arguments.stored))
    for part in columns[0]:
        print(f"{part:<46}" + "".join(f"{column[part]:>10.2f}" for column in columns))
    print("\n" + "\n".join(OPENEVOLVE))


if __name__ == "__main__":
    main()

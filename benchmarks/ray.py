"""What an executor costs: local worker processes against Ray, in turns, in one run.

    python -m benchmarks.ray [--workers 1 2 4] [--sleeps 1000] [--evaluations 200] [--rounds 1] [--in-flight N]
    python -m benchmarks.ray --runs [PROBLEM ...]            whole runs instead, see `benchmarks.ray_runs`

Sleeps of 50 ms and of 1 s, and real evaluations of the seed program of `circle_packing_26`, each a task of its own
as the loop sends it. Ideal is what the slots would take without any executor: the sleeps themselves; for evaluations
what a judge in this process takes for each, spread over as many processors as there are. Overhead is what a slot loses
for one evaluation. `--in-flight` bounds how many tasks wait or run for each worker (a run's window does that); without
it all of a round are there at once. Each round does all of the work; both executors take turns, and figures are medians
of the rounds. Both are warm, each has a process of its own. CPU milliseconds for one evaluation: of that process, and
of it with all below it, Ray included.
"""

import argparse
import asyncio
import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import ray_runs
from benchmarks.process_tree import cpu_seconds
from evaluators.spec import JudgeSpec
from evolve import tasks
from evolve.config.problem import Problem, load_problem
from evolve.executors import Executor, LocalExecutor
from evolve.executors.ray_executor import RayExecutor

HANDLER = "benchmarks.ray:handle"
SLEEP = "sleep"
EXECUTORS = ("local", "ray")
PROBLEM = Path(__file__).parents[1] / "problems" / "circle_packing_26"
N_LONG = 3
"""Sleeps of a second, for each worker and round."""
N_BARE = 24
"""Evaluations that tell what one takes without an executor: half of them before the rounds, half after."""
HEADER = (
    f"{'work':<26}{'workers':>8} {'executor':<9}{'ideal s':>8}{'seconds':>9}{'share':>8}{'overhead':>11}"
    f"{'CPU: controller':>18}{'everything':>14}"
)


def handle(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What workers do: sleep, or what the loop asks for."""
    if task != SLEEP:
        return tasks.handle(task, payload)
    time.sleep(payload["seconds"])
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Tasks of one kind: `n` in a round, `seconds` each where nothing else costs time; None: that is measured."""

    name: str
    task: str
    payload: Mapping[str, Any]
    n: int
    n_slots: int
    seconds: float | None = None


@dataclass
class Side:
    """An executor in a process of its own, and what its rounds took: wall and CPU seconds."""

    name: str
    n_workers: int
    rounds: list[tuple[float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the process; it starts the executor."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self.name, self.n_workers))
        self._process.start()
        self._pipe.recv()

    def ask(self, work: Work, in_flight: int) -> tuple[float, float, float]:
        """Have a round done: wall seconds, CPU seconds of the controller and of everything."""
        self._pipe.send((work, in_flight))
        answer: tuple[float, float, float] = self._pipe.recv()
        return answer

    def close(self) -> None:
        """End the executor and its process."""
        self._pipe.send(None)
        self._process.join()

    def row(self, work: Work, seconds: float) -> str:
        """One line of the table, where a task takes so many seconds by itself."""
        took, controller, everything = (median(each) for each in zip(*self.rounds, strict=True))
        ideal = work.n * seconds / work.n_slots
        overhead = 1e3 * (took - ideal) * work.n_slots / work.n
        return (
            f"{work.name:<26}{self.n_workers:>8} {self.name:<9}{ideal:>8.2f}{took:>9.2f}{ideal / took:>8.1%}"
            f"{overhead:>8.2f} ms{1e3 * controller / work.n:>15.2f} ms{1e3 * everything / work.n:>11.1f} ms"
        )


def serve(pipe: Connection, name: str, n_workers: int) -> None:
    """The controller's side of an executor: do rounds until None is asked for."""
    asyncio.run(_serve(pipe, name, n_workers))


async def _serve(pipe: Connection, name: str, n_workers: int) -> None:
    executor: Executor = (
        LocalExecutor(n_workers=n_workers, handler=HANDLER)
        if name == "local"
        else RayExecutor(n_workers=n_workers, handler=HANDLER, folders=(PROBLEM,))
    )
    await executor.start()
    try:
        pipe.send(None)
        while (asked := await asyncio.to_thread(pipe.recv)) is not None:
            pipe.send(await one_round(executor, *asked))
    finally:
        await executor.close()


async def one_round(executor: Executor, work: Work, in_flight: int) -> tuple[float, float, float]:
    """Send the tasks of a round and wait for all answers."""
    places = asyncio.Semaphore(in_flight or work.n)

    async def sent() -> None:
        async with places:
            await executor.submit(work.task, work.payload)

    everything, controller, began = cpu_seconds(os.getpid()), time.process_time(), time.perf_counter()
    await asyncio.gather(*(sent() for _ in range(work.n)))
    return (
        time.perf_counter() - began,
        time.process_time() - controller,
        cpu_seconds(os.getpid()) - everything,
    )


def evaluation_payload(problem: Problem) -> Mapping[str, Any]:
    """A payload as the loop sends it: one child."""
    judge = JudgeSpec.from_mapping(problem.judge_spec_mapping()).to_mapping()
    return {"judge": judge, "children": [{"files": dict(problem.seed_files), "rng_seed": 1}]}


def bare_seconds(work: Work) -> list[float]:
    """What tasks take by themselves: the sleeps what they say, others what they take in this process."""
    if work.seconds is not None:
        return [work.seconds]
    walls = []
    for _ in range(N_BARE // 2):
        began = time.perf_counter()
        tasks.handle(work.task, work.payload)
        walls.append(time.perf_counter() - began)
    return walls


def works(arguments: argparse.Namespace, payload: Mapping[str, Any], n_workers: int) -> list[Work]:
    """What is measured with so many workers."""

    def sleeps(seconds: float, n: int) -> Work:
        name, payload = f"{n:,} sleeps of {1e3 * seconds:,g} ms", {"seconds": seconds}
        return Work(name=name, task=SLEEP, payload=payload, n=n, n_slots=n_workers, seconds=seconds)

    n_slots = min(n_workers, len(os.sched_getaffinity(0)))
    n = arguments.evaluations
    return [
        sleeps(0.05, arguments.sleeps),
        sleeps(1.0, N_LONG * n_workers),
        Work(name=f"{n:,} circle packings", task=tasks.EVALUATE, payload=payload, n=n, n_slots=n_slots),
    ]


def measure(arguments: argparse.Namespace, work: Work, sides: Sequence[Side]) -> None:
    """The rows of one kind of work: rounds in alternating order, the first thing thrown away."""
    n_workers = sides[0].n_workers
    in_flight: int = arguments.in_flight * n_workers
    warm_up = Work(name="", task=work.task, payload=work.payload, n=2 * n_workers, n_slots=1)
    for side in sides:
        side.rounds.clear()
        side.ask(warm_up, 0)
    walls = bare_seconds(work)
    for number in range(arguments.rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            side.rounds.append(side.ask(work, in_flight))
    walls += bare_seconds(work)
    for side in sides:
        print(side.row(work, median(walls)), flush=True)


def side_by_side(arguments: argparse.Namespace) -> None:
    """The whole table."""
    payload = evaluation_payload(load_problem(PROBLEM))
    answer = tasks.handle(tasks.EVALUATE, payload)
    if answer.get("broken") or answer["evaluations"][0].get("failure"):
        raise SystemExit(f"the evaluation fails here: {answer}")
    print(HEADER)
    for n_workers in arguments.workers:
        sides = [Side(name, n_workers) for name in EXECUTORS]
        try:
            for work in works(arguments, payload, n_workers):
                measure(arguments, work, sides)
        finally:
            for side in sides:
                side.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--sleeps", type=int, default=1000, help="of 50 ms, in each round")
    parser.add_argument("--evaluations", type=int, default=200, help="in each round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=0, help="for each worker; 0: all of a round")
    parser.add_argument("--runs", nargs="*", metavar="PROBLEM", help="whole runs; the default is circle_packing_26")
    parser.add_argument("--candidates", type=int, default=200, help="of each whole run")
    parser.add_argument("--window", type=int, default=0, help="of whole runs; 0: four for each of the most workers")
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {len(os.sched_getaffinity(0))} processors")
    if arguments.runs is None:
        side_by_side(arguments)
    else:
        ray_runs.side_by_side(arguments)


if __name__ == "__main__":
    main()

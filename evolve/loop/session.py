"""One session of a run: start or resume it, drive the loop, leave a summary. The only place that handles signals."""

import asyncio
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TypedDict, Unpack

from archive.contract import AddStatus
from evaluators.contract import Evaluation, Failure
from evaluators.spec import JudgeSpec
from evolve import tasks
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError, SeedError
from evolve.executors import LocalExecutor
from evolve.loop.budget import Budget
from evolve.loop.driver import Driver, Past, RunParts
from evolve.loop.events import Event, Listener, RunOptions, RunSummary
from evolve.loop.gate import gate_for
from evolve.loop.isolation import require_isolation, warning_of
from evolve.loop.iteration import Bench, judge_all, require_answer
from evolve.loop.journal import Journal
from evolve.loop.replay import fold_log
from evolve.loop.search import Search, Told, ToldChild
from evolve.loop.setup import build_search
from evolve.operators.symbolic import SymbolicBurst
from evolve.store import RunReader, RunWriter
from sandbox.errors import CandidateSyntaxError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
RECORDED_PACKAGES = ("evolve-discovery", "numpy", "numba", "python-flint")


NO_PAST = Past()


def start_run(problem: Problem, run_dir: Path, options: RunOptions, listener: Listener) -> RunSummary:
    """Run a problem from its seed program until a budget is spent or a signal asks to stop.

    Raises:
        UsageError: the folder already holds a run.
        SeedError: the seed program cannot be scored; the folder is left as it was.
        EvolveEnvironmentError: the folder cannot be used, or the sandbox; the folder is left as it was.
        ResumableError: the disk is full or the workers are gone; `resume_run` goes on.
    """
    options = _resolved(problem, options)
    warning = warning_of(require_isolation(problem, unsafe=options.unsafe_sandbox), problem)
    search = build_search(problem, options.rng_seed)
    existed = run_dir.exists()
    meta = {
        "problem": problem.to_json(),
        "options": _options_mapping(options),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    writer = RunWriter.create(
        run_dir, meta, durability=options.durability, network_fs_allowed=options.network_fs_allowed
    )
    try:
        return _session(problem, options, writer, search, _warned(listener, warning))
    except (SeedError, EvolveEnvironmentError):
        if writer.is_empty():
            writer.discard(folder_too=not existed)
        raise
    finally:
        writer.close()


def _warned(listener: Listener, warning: str) -> Listener:
    """A listener that hears of the warning, unless it is empty, right after the start."""

    def listen(event: Event) -> None:
        listener(event)
        if warning and event.kind == "started":
            listener(Event(kind="warning", data={"text": warning}))

    return listen


class Changes(TypedDict, total=False):
    """What a resume may say anew, see `RunOptions`; None is as good as nothing."""

    evaluations: int | None
    seconds: float | None
    target: float | None
    workers: int | None


def resume_run(
    run_dir: Path, listener: Listener, *, unsafe_sandbox: bool = False, **given: Unpack[Changes]
) -> RunSummary:
    """Go on with a run exactly where its log ends; budgets given here replace the run's own totals.

    A budget left out stays as it was: the run ends at whichever is spent first.

    Raises:
        UsageError: there is no run in the folder.
        ProblemError: the problem's judge has changed since the run began.
        EvolveEnvironmentError: another controller holds the run, or the sandbox does not work.
    """
    reader = RunReader(run_dir)
    meta, before = reader.meta(), reader.counts()
    problem = Problem.from_json(meta["problem"])
    problem.require_unchanged_judge()
    warning = warning_of(require_isolation(problem, unsafe=unsafe_sandbox), problem)
    options = RunOptions(**meta["options"])
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if unsafe_sandbox != options.unsafe_sandbox:
        changes["unsafe_sandbox"] = unsafe_sandbox
    options = replace(options, **changes)
    writer = RunWriter.open(run_dir, durability=options.durability)
    try:
        if changes:
            writer.set_meta("options", _options_mapping(options))
        search = build_search(problem, options.rng_seed)
        backlog, _ = fold_log(search, reader, window=options.window or 1)
        reader.close()
        past = Past(seconds=float(before["seconds"]), backlog=tuple(backlog))
        return _session(problem, options, writer, search, _warned(listener, warning), past)
    finally:
        writer.close()


def _session(
    problem: Problem,
    options: RunOptions,
    writer: RunWriter,
    search: Search,
    listener: Listener,
    past: Past = NO_PAST,
) -> RunSummary:
    return asyncio.run(_session_async(problem, options, writer, search, listener, past))


async def _session_async(
    problem: Problem,
    options: RunOptions,
    writer: RunWriter,
    search: Search,
    listener: Listener,
    past: Past,
) -> RunSummary:
    executor = LocalExecutor(n_workers=options.workers or 1, handler=tasks.HANDLER)
    spec = JudgeSpec.from_mapping(problem.judge_spec_mapping())
    if problem.language == "python":
        spec = replace(spec, unsafe=options.unsafe_sandbox)
    bench = Bench(
        executor=executor,
        gate=gate_for(problem),
        judge=spec.to_mapping(),
        rng_seed=options.rng_seed,
        longest_seconds=spec.longest_seconds,
    )
    journal = Journal(writer, search)
    parts = RunParts(
        search=search,
        bench=bench,
        writer=writer,
        journal=journal,
        budget=Budget(evaluations=options.evaluations, seconds=options.seconds, target=options.target),
        window=options.window or 1,
        listener=listener,
        past=past,
    )
    driver = Driver(parts)
    writer.start_session()
    with _signals_ask(driver) as caught:
        try:
            await executor.start()
            listener(Event(kind="started", data=_started(problem, options, writer, search)))
            await driver.unless_stopped(_begin(problem, parts))
            stopped_by = await driver.run()
        finally:
            await executor.close()
    writer.set_meta("archive_hash", search.islands.hash())  # before the end: a session that ended left its hash
    seconds = driver.session_seconds  # read once: what is told is what is recorded
    writer.end_session(seconds, stopped_by)
    summary = RunSummary(
        run=str(writer.run_dir),
        evaluations=search.n_evaluations,
        elites=search.islands.stats().n_elites,
        best_score=search.best_score,
        best_id=None if search.best is None else search.best.candidate.id,
        archive_hash=search.islands.hash(),
        stopped_by=stopped_by,
        signal=caught[0] if caught and stopped_by == "signal" else None,
        seconds=past.seconds + seconds,
        evaluator_failures=search.n_evaluator_failures,
    )
    listener(Event(kind="stopped", data=summary.to_mapping()))
    return summary


async def _begin(problem: Problem, parts: RunParts) -> None:
    """What comes before the clock starts: compile what the operators need, judge the seed program."""
    operators = (*parts.search.openers, *parts.search.operators)
    preparation = next((each.preparation() for each in operators if isinstance(each, SymbolicBurst)), None)
    if preparation is not None:
        text = "the compiled search; the first time takes about a minute"
        parts.listener(Event(kind="preparing", data={"text": text}))
        require_answer(await parts.bench.executor.submit(preparation.task, preparation.payload))
    if parts.search.last_told < 0:
        await _tell_seed(problem, parts)


async def _tell_seed(problem: Problem, parts: RunParts) -> None:
    """Iteration 0: judge the seed program and offer it to every island."""
    started = time.monotonic()
    try:
        fingerprint = parts.bench.gate.fingerprint_of(problem.seed_files)
    except CandidateSyntaxError as error:
        raise SeedError(f"the seed program of {problem.name} is not a legal candidate: {error.detail}") from error
    evaluation = (await judge_all([problem.seed_files], 0, parts.bench))[0]
    if evaluation.failure is not None:
        by_evaluator = evaluation.failure is Failure.EVALUATOR
        what = "the evaluator fails on the seed program" if by_evaluator else "the seed program cannot be scored"
        raise SeedError(
            f"{problem.name}: {what} ({evaluation.failure}): {evaluation.detail.rstrip()}",
            hint="nothing was written; mend it and start again",
        )
    child = ToldChild(files=problem.seed_files, fingerprint=fingerprint, parent_ids=(), evaluation=evaluation)
    told = Told(
        number=0,
        operator="seed",
        island=0,
        cost=0.0,
        seconds=time.monotonic() - started,
        n_duplicates=0,
        children=(child,),
    )
    record = parts.search.tell(told)
    row = record.candidates[0]
    if row.status != AddStatus.NEW:
        place = row.evaluation.detail or f"{dict(row.evaluation.descriptor)} is {row.status}"
        raise SeedError(
            f"the seed program of {problem.name} does not fit the archive: {place}",
            hint="make the axes in [archive] cover the seed program's descriptor",
        )
    parts.journal.commit([record], 0.0)
    parts.listener(Event(kind="seed", data=_seed_data(evaluation)))


def _seed_data(evaluation: Evaluation) -> dict[str, Any]:
    return {"id": 1, "score": evaluation.score, "metrics": dict(evaluation.metrics), "level": evaluation.level}


@contextmanager
def _signals_ask(driver: Driver) -> Iterator[list[int]]:
    """First signal: stop gently. Second: stop at once. Third: the default, which ends the process."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def on_signal(number: int) -> None:
        caught.append(number)
        driver.ask_to_stop()
        if len(caught) >= 2:
            for each in SIGNALS:
                loop.remove_signal_handler(each)
                signal.signal(each, signal.SIG_DFL)

    for each in SIGNALS:
        loop.add_signal_handler(each, on_signal, each)
    try:
        yield caught
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)


def _resolved(problem: Problem, options: RunOptions) -> RunOptions:
    """Fill what was left open: workers from the machine, the rest from the problem."""
    budget = problem.tables.budget
    if options.evaluations is None and options.seconds is None and options.target is None:
        options = replace(options, evaluations=budget.evaluations, seconds=budget.seconds, target=budget.target)
    return replace(
        options,
        workers=options.workers or len(os.sched_getaffinity(0)),
        window=options.window or problem.tables.search.window,
    )


def _options_mapping(options: RunOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in RunOptions.__slots__}


def _started(problem: Problem, options: RunOptions, writer: RunWriter, search: Search) -> Mapping[str, Any]:
    return {
        "run": str(writer.run_dir),
        "problem": problem.name,
        "title": problem.title,
        "workers": options.workers,
        "window": options.window,
        "rng_seed": options.rng_seed,
        "evaluations": search.n_evaluations,
        "budget": {"evaluations": options.evaluations, "seconds": options.seconds, "target": options.target},
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "platform": sys.platform, "machine": platform.machine()}
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "unknown"
    return versions

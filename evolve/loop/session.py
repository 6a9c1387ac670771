"""One session of a run: drive the loop, leave a summary. The only place that handles signals."""

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators.spec import JudgeSpec
from evolve import tasks
from evolve.config.problem import Problem
from evolve.errors import EvolveError, ModelUnusableError
from evolve.executors import Executor, LocalExecutor
from evolve.loop.beginning import begin
from evolve.loop.budget import Budget
from evolve.loop.cards import CardPlan, change_of_device, doubts_about, fallback
from evolve.loop.driver import Driver
from evolve.loop.events import Event, Listener, RunOptions, RunSummary
from evolve.loop.gate import gate_for
from evolve.loop.iteration import Bench
from evolve.loop.journal import Journal
from evolve.loop.logbook import Logbook
from evolve.loop.models import ModelDesk
from evolve.loop.parts import Past, RunParts
from evolve.loop.recording import Recording
from evolve.loop.search import Search
from evolve.store import RunWriter

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a session begins with. `warnings` are told right after the start.

    `cards` are the graphics cards of a problem that uses some, `devices` what earlier sessions stored of theirs.
    """

    problem: Problem
    options: RunOptions
    writer: RunWriter
    search: Search
    listener: Listener
    desk: ModelDesk | None = None
    past: Past = field(default_factory=Past)
    recording: Recording | None = None
    warnings: Sequence[str] = ()
    cards: CardPlan | None = None
    devices: Sequence[Mapping[str, Any]] = ()


def run_session(session: Session) -> RunSummary:
    """Search until a budget is spent or a signal asks to stop; the writer stays open.

    What the listener hears is in the run's `log.jsonl` too.
    """
    logbook = Logbook(session.writer.run_dir)

    def listen(event: Event) -> None:
        logbook.hear(event)
        session.listener(event)

    try:
        return asyncio.run(_session_async(replace(session, listener=listen)))
    except EvolveError as error:
        logbook.note("failed", {"error": error.message, "exit_code": error.exit_code})
        raise


async def _session_async(session: Session) -> RunSummary:
    problem, writer, desk = session.problem, session.writer, session.desk
    executor = executor_for(problem, session.options, session.cards)
    parts = _parts_of(session, executor)
    driver = Driver(parts)
    if desk is not None:
        desk.attach(writer)
    writer.start_session()
    with _signals_ask(driver) as caught:
        try:
            await executor.start()
            session.listener(Event(kind="started", data=_started(session, executor)))
            for text in session.warnings:
                session.listener(Event(kind="warning", data={"text": text}))
            for text in _noted_device(session, executor):
                session.listener(Event(kind="warning", data={"text": text, "loud": True}))
            await driver.unless_stopped(begin(problem, parts))
            stopped_by = await driver.run()
        except ModelUnusableError:
            _end(session, driver, "no_model")
            raise
        finally:
            await executor.close()
            if desk is not None:
                await desk.close()
    seconds = _end(session, driver, stopped_by)
    signal_number = caught[0] if caught and stopped_by == "signal" else None
    summary = replace(_summary(session, stopped_by, session.past.seconds + seconds), signal=signal_number)
    session.listener(Event(kind="stopped", data=summary.to_mapping()))
    return summary


def _end(session: Session, driver: Driver, stopped_by: str) -> float:
    seconds = driver.session_seconds  # read once: what is told is what is recorded
    session.writer.set_meta("archive_hash", session.search.islands.hash())  # before the end: who ended left a hash
    session.writer.end_session(seconds, stopped_by, driver.pulse())
    return seconds


def executor_for(problem: Problem, options: RunOptions, cards: CardPlan | None) -> Executor:
    """Where the tasks of a session run; nothing is started yet."""
    if options.executor == "local" and cards is not None and cards.units:
        from evolve.executors.card_claims import CardClaims  # these ask for Linux, as all problems with cards do
        from evolve.executors.card_executor import CardExecutor

        n_workers = options.workers or 1
        return CardExecutor(
            units=cards.units, share=cards.share, n_workers=n_workers, handler=tasks.HANDLER, claims=CardClaims()
        )
    if options.executor == "local":
        return LocalExecutor(n_workers=options.workers or 1, handler=tasks.HANDLER)
    from evolve.executors.ray_executor import RayExecutor  # a part of its own, that few runs need
    from evolve.executors.reservation import SEARCH_MB, reserved_bytes

    limits = problem.tables.limits
    in_all = limits.memory_mb + limits.scratch_mb + limits.shared_mb
    return RayExecutor(
        n_workers=options.workers,
        handler=tasks.HANDLER,
        address=options.ray_address,
        folders=(problem.folder,),
        gpus=None if cards is None else cards.share,
        gpus_needed=cards is not None and cards.is_needed,
        memory_bytes=reserved_bytes(in_all if problem.language == "python" else SEARCH_MB),
    )


def _noted_device(session: Session, executor: Executor) -> list[str]:
    """Store on what this session judges, where the problem uses cards; and what people have to know of its places."""
    told = list(getattr(executor, "notices", ()))
    if session.cards is None:
        return told
    notice = session.cards.notice
    if why := str(getattr(executor, "gpu_notice", "")):
        notice = fallback(why.partition(": ")[0])
    key = session.writer.session_key
    record = session.cards.record(0 if key is None else key.id, notice)
    session.writer.set_meta("devices", [*session.devices, record])
    texts = (notice, change_of_device(session.devices, record), *doubts_about(session.cards))
    return [text for text in (*texts, *told) if text]


def _parts_of(session: Session, executor: Executor) -> RunParts:
    problem, options = session.problem, session.options
    spec = JudgeSpec.from_mapping(problem.judge_spec_mapping())
    if problem.language == "python":
        spec = replace(spec, unsafe=options.unsafe_sandbox)
    if session.cards is not None:
        spec = replace(spec, **session.cards.judge_changes)
    bench = Bench(
        executor=executor,
        gate=gate_for(problem),
        judge=spec.to_mapping(),
        rng_seed=options.rng_seed,
        longest_seconds=spec.longest_seconds,
        models=session.desk,
    )
    return RunParts(
        search=session.search,
        bench=bench,
        writer=session.writer,
        journal=Journal(session.writer, session.search),
        budget=_budget_of(session),
        window=options.window or 1,
        listener=session.listener,
        past=session.past,
        models=session.desk,
        counts=None if session.recording is None else session.recording.counts,
    )


def _budget_of(session: Session) -> Budget:
    if session.recording is not None:
        return Budget()  # a repetition ends where the other run did, whatever stopped that
    options = session.options
    return Budget(evaluations=options.evaluations, seconds=options.seconds, target=options.target)


def _summary(session: Session, stopped_by: str, seconds: float) -> RunSummary:
    search, recording = session.search, session.recording
    archive_hash = search.islands.hash()
    return RunSummary(
        run=str(session.writer.run_dir),
        evaluations=search.n_evaluations,
        elites=search.islands.stats().n_elites,
        best_score=search.best_score,
        best_id=None if search.best is None else search.best.candidate.id,
        archive_hash=archive_hash,
        stopped_by=stopped_by,
        signal=None,
        seconds=seconds,
        evaluator_failures=search.n_evaluator_failures,
        models=None if session.desk is None else _calls_of(session, session.desk),
        replay_equal=None if recording is None else archive_hash == recording.archive_hash,
    )


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


def _calls_of(session: Session, desk: ModelDesk) -> dict[str, Any]:
    options = session.options
    budgets = {"budget_usd": options.budget_usd, "budget_tokens": options.budget_tokens}
    return {**desk.totals.to_mapping(), **budgets}


def _started(session: Session, executor: Executor) -> Mapping[str, Any]:
    problem, options, search = session.problem, session.options, session.search
    return {
        "run": str(session.writer.run_dir),
        "problem": problem.name,
        "title": problem.title,
        "workers": executor.capacity,
        "window": options.window,
        "rng_seed": options.rng_seed,
        "evaluations": search.n_evaluations,
        "models": list(options.models),
        "budget": {"evaluations": options.evaluations, "seconds": options.seconds, "target": options.target},
    }

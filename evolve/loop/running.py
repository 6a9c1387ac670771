"""Start a run, go on with one, do one again: what has to be settled before a session begins."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

from evolve.config.problem import Problem
from evolve.errors import EvolveError
from evolve.llm.service import Surroundings
from evolve.loop.cards import CardPlan, plan_cards
from evolve.loop.events import Listener, RunOptions, RunSummary
from evolve.loop.isolation import require_isolation, warning_of
from evolve.loop.models import LoggedReplies, ModelDesk, PastCalls
from evolve.loop.parts import Past
from evolve.loop.recording import Recording
from evolve.loop.replay import fold_log
from evolve.loop.screens import settled_device
from evolve.loop.search import Search
from evolve.loop.session import Session, run_session
from evolve.loop.setup import Approach, build_search, is_about_rules
from evolve.store import RunReader, RunWriter

RECORDED_PACKAGES = (
    "evolve-discovery",
    "numpy",
    "numba",
    "python-flint",
    "torch",
    "openai",
    "anthropic",
    "genai-prices",
)


def start_run(
    problem: Problem,
    run_dir: Path,
    options: RunOptions,
    listener: Listener,
    *,
    around: Surroundings | None = None,
) -> RunSummary:
    """Run a problem from its seed program until a budget is spent or a signal asks to stop.

    `around` are clock, sleep and retry policy of the language models; tests bring their own.

    Raises:
        UsageError: the folder already holds a run, or a language model's name cannot be read.
        ModelUnusableError: no language model can be used, and nothing else was to search.
        SeedError: the seed program cannot be scored; the folder is left as it was.
        EvolveEnvironmentError: the folder cannot be used, or the sandbox; the folder is left as it was.
        ResumableError: the disk is full or the workers are gone; `resume_run` goes on.
    """
    options = _resolved(problem, options)
    cards, warnings = _grounds(problem, options)
    desk = ModelDesk(problem, options, PastCalls(), around) if options.models else None
    if desk is not None and desk.is_dead:
        if not options.symbolic:
            desk.require_alive()
        warnings += [*desk.news(), "the search goes on with the operators that need no language model"]
        desk = None
    models = () if desk is None else desk.service.names
    search = build_search(problem, options.rng_seed, _approach(problem, options, models))
    return _begun(problem, run_dir, options, search, _Beginning(listener, warnings, desk, models, cards))


def repeat_run(recording: Recording, run_dir: Path, listener: Listener) -> RunSummary:
    """Do a recorded run again with the replies it was given, without network, until it ends where that ended.

    Raises:
        UsageError: the folder already holds a run, or a question differs from the recorded one.
        EvolveEnvironmentError: the folder cannot be used, or the sandbox; the folder is left as it was.
    """
    problem = recording.problem
    options = _resolved(problem, recording.options)
    cards, warnings = _grounds(problem, options)
    models = recording.models
    desk = ModelDesk(problem, replace(options, models=models), recording.past) if models else None
    search = build_search(problem, options.rng_seed, _approach(problem, options, models))
    beginning = _Beginning(listener, warnings, desk, models, cards, recording)
    return _begun(problem, run_dir, options, search, beginning)


class _Beginning(NamedTuple):
    listener: Listener
    warnings: list[str]
    desk: ModelDesk | None
    models: tuple[str, ...]
    cards: CardPlan | None
    recording: Recording | None = None


def _begun(problem: Problem, run_dir: Path, options: RunOptions, search: Search, beginning: _Beginning) -> RunSummary:
    made = [folder for folder in (run_dir, *run_dir.parents) if not folder.exists()]
    desk = beginning.desk
    meta = {
        "problem": problem.to_json(),
        "options": options.to_mapping(),
        "models": list(beginning.models),
        "prices": {} if desk is None else desk.service.prices,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    writer = RunWriter.create(
        run_dir, meta, durability=options.durability, network_fs_allowed=options.network_fs_allowed
    )
    try:
        return run_session(
            Session(
                problem=problem,
                options=options,
                writer=writer,
                search=search,
                listener=beginning.listener,
                desk=desk,
                recording=beginning.recording,
                warnings=beginning.warnings,
                cards=beginning.cards,
            )
        )
    except EvolveError:
        if writer.is_empty():
            writer.discard(folders=made)
        raise
    finally:
        writer.close()


class Changes(TypedDict, total=False):
    """What a resume may say anew, see `RunOptions`; None is as good as nothing."""

    evaluations: int | None
    seconds: float | None
    target: float | None
    workers: int | None
    executor: str | None
    ray_address: str | None
    gpus: float | None
    device: str | None
    budget_usd: float | None
    budget_tokens: int | None


def resume_run(
    run_dir: Path, listener: Listener, *, unsafe_sandbox: bool = False, **given: Unpack[Changes]
) -> RunSummary:
    """Go on with a run exactly where its log ends; budgets given here replace the run's own totals.

    A budget left out stays as it was: the run ends at whichever is spent first. Replies that were paid for and whose
    iteration was never told are used, not asked for again.

    Raises:
        UsageError: there is no run in the folder.
        ProblemError: the problem's judge has changed since the run began.
        ModelUnusableError: no language model can be used, and nothing else was to search.
        EvolveEnvironmentError: another controller holds the run, or the sandbox does not work.
    """
    reader = RunReader(run_dir)
    meta, before = reader.meta(), reader.counts()
    problem = Problem.from_json(meta["problem"])
    problem.require_unchanged_judge()
    options = RunOptions.from_mapping(meta["options"])
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if unsafe_sandbox != options.unsafe_sandbox:
        changes["unsafe_sandbox"] = unsafe_sandbox
    options = _resolved(problem, options.changed(changes))
    cards, warnings = _grounds(problem, options)
    warnings += _other_torch(problem, meta.get("versions", {}))
    models = tuple(meta.get("models", ()))
    past_calls = PastCalls(totals=reader.call_totals(), prices=meta.get("prices"), recorded=LoggedReplies(reader))
    desk = ModelDesk(problem, options, past_calls) if models else None
    if desk is not None and not options.symbolic:
        desk.require_alive()
    writer = RunWriter.open(run_dir, durability=options.durability)
    try:
        if changes:
            writer.set_meta("options", options.to_mapping())
        search = build_search(problem, options.rng_seed, _approach(problem, options, models))
        backlog, _ = fold_log(search, reader, window=options.window or 1)
        past = Past(seconds=float(before["seconds"]), backlog=tuple(backlog))
        return run_session(
            Session(
                problem=problem,
                options=options,
                writer=writer,
                search=search,
                listener=listener,
                desk=desk,
                past=past,
                warnings=warnings,
                cards=cards,
                devices=tuple(meta.get("devices", ())),
            )
        )
    finally:
        writer.close()
        reader.close()


def _grounds(problem: Problem, options: RunOptions) -> tuple[CardPlan | None, list[str]]:
    """The cards of a session, and what people should know of its sandbox before it begins."""
    cards = plan_cards(problem, options)
    if cards is None:
        level = require_isolation(problem, unsafe=options.unsafe_sandbox)
    else:
        level = require_isolation(
            problem, unsafe=options.unsafe_sandbox, cards=cards.uuids[:1], gpu_share=min(cards.share, 1.0)
        )
    _, screens_notice = settled_device(problem, options)
    return cards, [text for text in (warning_of(level, problem), screens_notice) if text]


def _approach(problem: Problem, options: RunOptions, models: tuple[str, ...]) -> Approach:
    device, _ = settled_device(problem, options)
    return Approach(models=models, strategy=options.strategy, symbolic=options.symbolic, device=device)


def _resolved(problem: Problem, options: RunOptions) -> RunOptions:
    """Fill what was left open: workers from the machine, the rest from the problem."""
    budget = problem.tables.budget
    if options.evaluations is None and options.seconds is None and options.target is None:
        options = replace(options, evaluations=budget.evaluations, seconds=budget.seconds, target=budget.target)
    return replace(
        options,
        workers=options.workers or (None if options.ray_address else len(os.sched_getaffinity(0))),
        window=options.window or problem.tables.search.window,
    )


def _other_torch(problem: Problem, before: Mapping[str, str]) -> list[str]:
    """Update rules are scored by what torch computes, and versions of torch round differently."""
    now, then = _versions()["torch"], before.get("torch", "")
    if not is_about_rules(problem) or now == then:
        return []
    return [f"torch is {now} now and was {then or 'not recorded'}: scores differ in their last digits"]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "platform": sys.platform, "machine": platform.machine()}
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "unknown"
    return versions

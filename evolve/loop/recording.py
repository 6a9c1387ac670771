"""A run to be repeated with the replies that it was given: what must be the same, and where it ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolve.config.problem import Problem
from evolve.errors import UsageError
from evolve.loop.events import RunOptions
from evolve.loop.models import LoggedReplies, PastCalls
from evolve.loop.replay import replay_run
from evolve.store import RunReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recorded run. `counts` is how many candidates every iteration brought: a budget may have cut one short."""

    run_dir: Path
    problem: Problem
    options: RunOptions
    models: tuple[str, ...]
    past: PastCalls
    counts: tuple[int, ...]
    archive_hash: str
    reader: RunReader


def open_recording(run_dir: Path, **changes: Any) -> Recording:
    """Read all that a repetition needs; `changes` are options that decide nothing: workers, durability and the like.

    The reader stays open for the replies.

    Raises:
        UsageError: there is no run in the folder, or nothing was told in it.
        ProblemError: the problem's judge has changed since.
    """
    archive_hash = replay_run(run_dir).archive_hash
    reader = RunReader(run_dir)
    meta = reader.meta()
    problem = Problem.from_json(meta["problem"])
    problem.require_unchanged_judge()
    counts = reader.candidates_per_iteration()
    if not counts:
        raise UsageError(f"{run_dir} ended before its seed program was judged: there is nothing to repeat")
    return Recording(
        run_dir=run_dir,
        problem=problem,
        options=RunOptions.from_mapping(meta["options"]).changed(changes),
        models=tuple(meta.get("models", ())),
        past=PastCalls(prices=meta.get("prices"), replay=LoggedReplies(reader)),
        counts=tuple(counts),
        archive_hash=archive_hash,
        reader=reader,
    )

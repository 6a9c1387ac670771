"""The loop: the only writer of a run. Everything that happened is a row; the archive is a fold over the rows."""

from evolve.loop.events import Event, RunOptions, RunSummary
from evolve.loop.replay import ReplayResult, replay_run
from evolve.loop.session import resume_run, start_run
from evolve.loop.verification import Verification, verify_candidate

__all__ = [
    "Event",
    "ReplayResult",
    "RunOptions",
    "RunSummary",
    "Verification",
    "replay_run",
    "resume_run",
    "start_run",
    "verify_candidate",
]

"""The loop: the only writer of a run. Everything that happened is a row; the archive is a fold over the rows."""

from evolve.loop.events import Event, RunOptions, RunSummary
from evolve.loop.recording import Recording, open_recording
from evolve.loop.replay import ReplayResult, replay_run
from evolve.loop.running import repeat_run, resume_run, start_run
from evolve.loop.verification import Verification, verify_candidate

__all__ = [
    "Event",
    "Recording",
    "ReplayResult",
    "RunOptions",
    "RunSummary",
    "Verification",
    "open_recording",
    "repeat_run",
    "replay_run",
    "resume_run",
    "start_run",
    "verify_candidate",
]

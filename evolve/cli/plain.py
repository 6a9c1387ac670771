"""The display of a run where nothing may move: timestamped lines, one per improvement, and a heartbeat."""

from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from evolve.cli.progress import Progress, described, heartbeat

HEARTBEAT_SECONDS = 30.0
_TOLD = ("preparing", "seed", "improved", "warning", "paused", "resumed", "stopping")


class PlainDisplay:
    """Writes lines with `write`. `now` gives the time stamp, `clock` seconds that never go back."""

    def __init__(
        self, write: Callable[[str], None], *, now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._write = write
        self._now = now
        self._clock = clock
        self._last_line_at = clock()

    def __enter__(self) -> "PlainDisplay":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def show(self, kind: str, progress: Progress) -> None:
        """Write a line if the event is worth one, or if nothing was written for half a minute."""
        if kind == "started":
            data = {name: getattr(progress, name) for name in ("run", "problem", "workers", "window", "rng_seed")}
            self._line(described("started", data))
        elif kind in _TOLD:
            self._line(progress.notable[-1].text)
        elif kind == "progress" and self._clock() - self._last_line_at >= HEARTBEAT_SECONDS:
            self._line(heartbeat(progress))

    def _line(self, text: str) -> None:
        self._last_line_at = self._clock()
        self._write(f"{self._now():%Y-%m-%dT%H:%M:%SZ}  {text}")

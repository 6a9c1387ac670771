"""Where the figures of a run go: a file that is rewritten in one step, and a port on this machine."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evolve.cli.metrics import Gauges
from evolve.cli.output import Command
from evolve.errors import EvolveEnvironmentError

if TYPE_CHECKING:
    from evolve.cli.metrics_server import MetricsServer
    from evolve.loop import Event

REWRITE_SECONDS = 2.0


def metrics_options(command: Command) -> Command:
    """Add `--metrics-file` and `--metrics-port` to a command."""
    port = click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="Serve figures for Prometheus on http://127.0.0.1:PORT/metrics; 0 takes any free port.",
    )
    file = click.option(
        "--metrics-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Keep figures for Prometheus in this file (for its textfile collector, the name ends in .prom).",
    )
    return file(port(command))


@contextmanager
def outlets(file: Path | None, port: int | None, say: Callable[[str], None]) -> "Iterator[Callable[[Event], None]]":
    """Open what was asked for; hands out the listener that feeds it.

    Raises:
        EvolveEnvironmentError: the file cannot be written, or the port is taken.
    """
    gauges = Gauges()
    written = None if file is None else MetricsFile(file, gauges)
    served = None if port is None else _served(port, gauges, say)

    def hear(event: "Event") -> None:
        gauges.hear(event)
        if written is not None:
            written.hear(event)

    try:
        yield hear
    finally:
        gauges.over = True  # however it ended
        if written is not None:
            written.write()
        if served is not None:
            served.close()


def _served(port: int, gauges: Gauges, say: Callable[[str], None]) -> "MetricsServer":
    from evolve.cli.metrics_server import HOST, MetricsServer

    server = MetricsServer(port, gauges)
    say(f"metrics: http://{HOST}:{server.port}/metrics")
    return server


class MetricsFile:
    """A file that always holds a whole exposition. What cannot be written later on is missing; the run goes on."""

    def __init__(self, path: Path, gauges: Gauges, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._gauges = gauges
        self._clock = clock
        self._next = clock()
        try:
            self._rewrite()
        except OSError as error:
            raise EvolveEnvironmentError(
                f"cannot write the metrics file {path}: {error.strerror}; give a file in a folder that can be written"
            ) from error

    def hear(self, event: "Event") -> None:
        """Rewrite the file when it is time."""
        now = self._clock()
        if event.kind == "progress" and now >= self._next:
            self._next = now + REWRITE_SECONDS
            self.write()

    def write(self) -> None:
        """Write the figures as they are now; what cannot be written is missing."""
        with suppress(OSError):
            self._rewrite()

    def _rewrite(self) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self._gauges.exposition())
            Path(name).chmod(0o644)  # the collector is another user
            Path(name).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

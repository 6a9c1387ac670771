"""Questions to a run answered beside the display: one thread with a connection of its own."""

import asyncio
import sqlite3
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from evolve.errors import EvolveEnvironmentError, EvolveError
from evolve.view.run import RunView

Answer = TypeVar("Answer")


class Desk:
    """Answers one question after the other. What goes wrong is raised, and the next question opens the run anew."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dashboard-desk")
        self._view: RunView | None = None

    async def ask(self, question: Callable[[RunView], Answer]) -> Answer:
        """What the question finds.

        Raises:
            EvolveError: the run cannot be read now: it is locked, damaged or gone.
        """
        return await asyncio.wrap_future(self._thread.submit(self._answer, question))

    def _answer(self, question: Callable[[RunView], Answer]) -> Answer:
        if self._view is not None and not self._view.path.exists():
            self._close()  # an open file outlives its name: what it says would not be true any more
        if self._view is None:
            self._view = RunView(self._run_dir)
        try:
            return question(self._view)
        except EvolveError:
            self._close()
            raise
        except (ValueError, zlib.error) as error:  # a row that holds no JSON, a program that cannot be unpacked
            self._close()
            raise EvolveEnvironmentError(f"{self._run_dir}/run.db is damaged: {error}") from error

    def interrupt(self) -> None:
        """Break off the question at hand."""
        view = self._view
        if view is not None:
            with suppress(sqlite3.Error):  # it may be closed this very moment
                view.interrupt()

    def close(self) -> None:
        """Let the thread end; a question at hand is broken off."""
        self.interrupt()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _close(self) -> None:
        view, self._view = self._view, None
        if view is not None:
            view.close()

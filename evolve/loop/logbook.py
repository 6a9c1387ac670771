"""`log.jsonl` in the run's folder: what the loop said, one JSON object a line, for log collectors and for people.

`run.db` is the truth; this file is a copy that may be lost, cut or deleted at any time without harm to the run.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evolve.errors import UsageError
from evolve.llm.keys import Key, load_keys
from evolve.loop.events import Event

LOG_NAME = "log.jsonl"
OLD_LOG_NAME = "log.1.jsonl"
MAX_LOG_BYTES = 4 << 20
MAX_TEXT = 2000
MAX_HELD_BACK = 100
PROGRESS_SECONDS = 30.0
_BEFORE_THE_RUN = ("started", "preparing", "warning")
_SAID = (
    "evaluations",
    "iterations",
    "elites",
    "coverage",
    "qd_score",
    "best_score",
    "best_id",
    "failures",
    "in_flight",
    "workers",
    "lost_workers",
    "seconds",
    "paused",
    "models",
)
"""What a line about progress holds; all of it is in the table `pulse`."""


class Logbook:
    """Appends to the log. When it cannot, the run goes on; what could not be written is missing.

    Nothing is written before the run has begun: one whose seed program fails leaves no file behind.
    """

    def __init__(
        self, run_dir: Path, *, clock: Callable[[], float] = time.monotonic, secrets: Sequence[Key] | None = None
    ) -> None:
        self._path = run_dir / LOG_NAME
        self._old = run_dir / OLD_LOG_NAME
        self._clock = clock
        self._secrets = known_secrets(os.environ) if secrets is None else secrets
        self._next_progress = clock() + PROGRESS_SECONDS
        self._torn = self._ends_torn()
        self._held_back: list[str] | None = []

    def _ends_torn(self) -> bool:
        """Whether an earlier session ended in the middle of a line."""
        try:
            with self._path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:
            return False

    def hear(self, event: Event) -> None:
        """Take one event of the loop; of reports of progress one in half a minute."""
        data = event.data
        if event.kind not in _BEFORE_THE_RUN:
            self._begin()
        if event.kind == "progress":
            now = self._clock()
            if now < self._next_progress:
                return
            self._next_progress = now + PROGRESS_SECONDS
            data = {name: data[name] for name in _SAID if name in data}
        self.note(event.kind, data)

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write one line."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps({"time": stamp, "kind": kind, "data": _bounded(data)}, default=str)
        for secret in self._secrets:
            text = secret.hidden_in(text)
        if self._held_back is None:
            self._write(text)
        elif len(self._held_back) < MAX_HELD_BACK:
            self._held_back.append(text)

    def _begin(self) -> None:
        held_back, self._held_back = self._held_back or (), None
        for text in held_back:
            self._write(text)

    def _write(self, text: str) -> None:
        line = ("\n" if self._torn else "") + text + "\n"
        try:
            self._append(line.encode("ascii"))
        except OSError:
            self._torn = True  # a full disk may have taken a part of it

    def _append(self, line: bytes) -> None:
        if self._size() + len(line) > MAX_LOG_BYTES:
            self._path.replace(self._old)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            self._torn = os.write(handle, line) != len(line)
        finally:
            os.close(handle)

    def _size(self) -> int:
        try:
            return self._path.lstat().st_size
        except FileNotFoundError:
            return 0


def known_secrets(environment: Mapping[str, str]) -> list[Key]:
    """The keys that this process can see: none belongs into a log, whoever quotes it."""
    found = [Key(value.strip(), origin=name) for name, value in environment.items() if "API_KEY" in name]
    try:
        found += load_keys(environment).from_file.values()
    except UsageError:
        return found  # where keys are needed, that is said there
    return found


def _bounded(value: Any) -> Any:
    """The data with long texts cut and without numbers that JSON does not know."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}... ({len(value):,} characters)"
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, Mapping):
        return {str(name)[:MAX_TEXT]: _bounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bounded(each) for each in value]
    return value

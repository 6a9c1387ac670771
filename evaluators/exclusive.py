"""One timed evaluation at a time on a machine, or on a graphics card: locks that end with their holder."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from evaluators.answers import clean
from evaluators.spec import TURN_SECONDS
from sandbox.errors import SandboxError
from sandbox.nvidia_smi import ask

PROCESSORS = "processors"
"""The name of the lock where no card is measured: nothing on this machine is timed beside it."""
POLL_SECONDS = 0.02
ASK_SECONDS = 5.0
PLACES = ("/tmp", "/var/tmp")  # noqa: S108 (the folder in it is private, and TMPDIR may differ from run to run)

Pause = Callable[[], AbstractContextManager[None]]
"""Stops the evaluator's clock while it waits for its turn."""
Alone = Callable[[Sequence[str]], AbstractContextManager["Turn"]]
"""`alone`, with everything but the cards settled."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """A time alone: how long it was waited for, and how busy the machine was meanwhile."""

    waited_seconds: float
    card_notes: str = ""
    _started: float = field(default_factory=time.monotonic)
    _ticks: tuple[int, int] | None = field(default_factory=lambda: _ticks())

    def told(self) -> str:
        """What a person should know who compares this measurement with others; to be asked when it is done."""
        n_cores = os.cpu_count() or 1
        parts = [
            f"measured alone for {time.monotonic() - self._started:.2f} s after {self.waited_seconds:.2f} s of waiting",
            f"processors {_busy(self._ticks, _ticks())} busy ({n_cores} cores, load average {os.getloadavg()[0]:.1f})",
        ]
        return clean("; ".join([*parts, self.card_notes] if self.card_notes else parts))


@contextmanager
def alone(
    cards: Sequence[str] = (), *, pause: Pause = nullcontext, folder: Path | None = None, seconds: float = TURN_SECONDS
) -> Iterator[Turn]:
    """Wait until nobody else on this machine who asks like this measures anything, and keep it so.

    With `cards` (their UUIDs) it is those alone that nobody else measures on. It holds for all runs of this user on
    this machine. A holder that dies gives its turn back.

    Args:
        cards: the cards that are measured on.
        pause: entered while it waits.
        folder: where the locks are, for tests.
        seconds: how long to wait.

    Raises:
        SandboxError: it was too long, or the locks cannot be used.
    """
    place = folder or private_folder()
    asked = time.monotonic()
    with ExitStack() as held:
        with pause():
            for name in sorted(set(cards)) or [PROCESSORS]:  # in one order, so that no two wait for each other
                held.enter_context(_lock(place / f"{file_name(name)}.lock", asked + seconds))
            notes = _card_notes(cards)
        yield Turn(waited_seconds=time.monotonic() - asked, card_notes=notes)


def private_folder(places: Sequence[str] = PLACES) -> Path:
    """A folder of this user's alone, the same for all runs on this machine.

    Raises:
        SandboxError: there is none, or others can write to it.
    """
    uid = os.geteuid()
    parent = next((Path(each) for each in places if os.access(each, os.W_OK)), None)
    if parent is None:
        raise SandboxError(f"timed evaluations need a folder for locks, and none of {', '.join(places)} can be written")
    folder = parent / f"evolve-turns-{uid}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
    except OSError as error:
        raise SandboxError(f"the folder for locks of timed evaluations cannot be made: {error}") from error
    if folder.is_symlink() or seen.st_uid != uid or seen.st_mode & 0o077:
        raise SandboxError(f"{folder} is open to others: remove it, or make it yours alone (mode 0700)")
    return folder


@contextmanager
def _lock(path: Path, deadline: float) -> Iterator[None]:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SandboxError(f"timed evaluations cannot use the lock {path}: {error}") from error
    try:
        while not _is_taken(file):
            if time.monotonic() > deadline:
                holder = os.pread(file, 100, 0).decode(errors="replace").strip() or "unknown"
                raise SandboxError(f"no turn for a timed evaluation: {path} is held by {clean(holder)}; is it stuck?")
            time.sleep(POLL_SECONDS)
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def _is_taken(file: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SandboxError(f"timed evaluations need locks, and this file system has none: {error}") from error
    return True


def file_name(card: str) -> str:
    """The name of a card as that of a file."""
    return "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in card)[:100]


def _ticks() -> tuple[int, int] | None:
    """How long all processors were at work since the machine started, and how long in all; None off Linux."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]
        times = [int(word) for word in first]
    except (OSError, ValueError):
        return None
    return sum(times) - sum(times[3:5]), sum(times)


def _busy(before: tuple[int, int] | None, after: tuple[int, int] | None) -> str:
    if before is None or after is None or after[1] <= before[1]:
        return "? %"
    return f"{100 * (after[0] - before[0]) / (after[1] - before[1]):.0f} %"


def _card_notes(cards: Sequence[str]) -> str:
    """What others did on the cards just before; never a reason to fail."""
    if not cards:
        return ""
    try:
        apps = ask("nvidia-smi", "--query-compute-apps=gpu_uuid,pid", seconds=ASK_SECONDS)
        load = ask("nvidia-smi", "--query-gpu=uuid,utilization.gpu", seconds=ASK_SECONDS)
    except SandboxError:
        return "what else the card did is not known: nvidia-smi did not answer"
    others = sum(row[0] in cards for row in apps)
    busy = ", ".join(f"{row[1]} %" for row in load if row[0] in cards and row[1:] and row[1].isdecimal()) or "? %"
    return f"before, {others} other processes on the card, {busy} busy"

"""How full the graphics cards of a run are, for whoever watches it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evolve.errors import ResumableError
from sandbox.errors import SandboxError
from sandbox.gpu_cards import CardUnit, list_cards, units_of

LOOK_SECONDS = 5.0
ASK_SECONDS = 20.0
MEBIBYTE = 1 << 20
GONE = "gone: the driver does not show it any more"

Look = Callable[[], Sequence[CardUnit]]
"""What the cards are doing now; it asks the driver, which takes a while."""


def _look() -> Sequence[CardUnit]:
    return units_of(list_cards(seconds=ASK_SECONDS))


@dataclass(slots=True, kw_only=True)
class _State:
    used_bytes: int | None
    note: str = ""


class CardWatch:
    """Asks in a thread of its own how full the cards are: the driver may take seconds, and nobody waits."""

    def __init__(self, units: Sequence[CardUnit], look: Look | None = None, *, seconds: float = LOOK_SECONDS) -> None:
        self._units = {unit.uuid: unit for unit in units}
        self._states = {unit.uuid: _State(used_bytes=unit.used_bytes) for unit in units}
        self._look = look or _look
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card-watch", daemon=True)

    def start(self) -> None:
        """Look for the first time in a while."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; does not wait for an answer that is still to come."""
        self._stopped.set()

    def require(self, group: Sequence[str]) -> None:
        """Raise ResumableError if the driver does not show one of these cards any more."""
        for uuid in group:
            if self._states[uuid].note == GONE:
                unit = self._units[uuid]
                raise ResumableError(
                    f"card {unit.label} ({unit.name}) is gone: nvidia-smi does not show it any more",
                    hint="nothing is lost: `evolve resume` goes on with the cards that are there",
                )

    def label_of(self, uuid: str) -> str:
        """How people name the card."""
        return self._units[uuid].label

    def rows(self) -> dict[str, dict[str, Any]]:
        """The cards as rows, without their slots."""
        return {uuid: self._row(unit, self._states[uuid]) for uuid, unit in self._units.items()}

    def _row(self, unit: CardUnit, state: _State) -> dict[str, Any]:
        return {
            "index": unit.label,
            "name": unit.name or unit.uuid,
            "memory_used_mb": None if state.used_bytes is None else state.used_bytes // MEBIBYTE,
            "memory_total_mb": unit.memory_bytes // MEBIBYTE or None,
            **({"note": state.note} if state.note else {}),
        }

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                seen = {unit.uuid: unit for unit in self._look()}
            except SandboxError:
                self._states = {
                    uuid: _State(used_bytes=None, note="the driver does not answer") for uuid in self._units
                }
                continue
            self._states = {
                uuid: _State(used_bytes=seen[uuid].used_bytes) if uuid in seen else _State(used_bytes=None, note=GONE)
                for uuid in self._units
            }

"""What a timer wants of a program: that it can be called, paused, and shares memory."""

from collections.abc import Mapping
from typing import Any, Protocol

from sandbox.card_memory import CardMemory
from sandbox.pausing import CallTime
from sandbox.shared import SharedMemory


class Timeable(Protocol):
    """A program in a process that can be paused; the handle that `evaluate(candidate)` gets is one."""

    @property
    def shared(self) -> SharedMemory:
        """Memory that both sides see."""

    def timed(self, name: str, *args: Any, timeout: float | None = None) -> CallTime:
        """Let it go on, call it, pause it."""

    def pause(self) -> None:
        """Stop it until the next call."""


class OnCard(Protocol):
    """A program that shares memory of a graphics card, too."""

    @property
    def card(self) -> CardMemory:
        """Memory of a graphics card that both sides see."""


class Candidate(Timeable, Protocol):
    """One that can have another program beside it."""

    def beside(self, files: Mapping[str, str]) -> Timeable:
        """Another program in a process of the same kind."""

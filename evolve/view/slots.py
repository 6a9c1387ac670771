"""Slots that idle because the window of a run is small for its executor."""

from collections.abc import Mapping
from typing import Any

ENOUGH = 2
"""So many times the slots as a window keep them all busy, where evaluations last alike."""


def idle_slots_notice(slots: int, window: int) -> str:
    """Say what a window leaves idle of so many slots, and which one would not; empty where all is well."""
    if slots <= window:
        return ""
    idle = f"{slots - window} of {slots} slots idle: the window of {window} is all that is in flight"
    return (
        f"{idle}; a run with --window {ENOUGH * slots} uses them "
        f"(the window is part of what decides the search: compare only runs with the same one)"
    )


def idle_slots_of(options: object, pulse: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The same of a run, as its options and its last pulse have it; empty too where they do not say."""
    if not isinstance(options, Mapping) or pulse is None:
        return ()
    slots, window = pulse["data"].get("workers"), options.get("window")
    if not isinstance(slots, int) or not isinstance(window, int):
        return ()
    text = idle_slots_notice(slots, window)
    return (text,) if text else ()

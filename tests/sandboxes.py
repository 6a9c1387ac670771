"""Sandboxes of each level, and what runs below them."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evolve.testing.running import is_running
from sandbox.layers import NAMESPACES, Layer, Level, level_of
from sandbox.plan import ACTIVE, choose_layers
from sandbox.process import ProcessSandbox

AWAY: Mapping[Level, frozenset[Layer]] = {
    Level.FULL: frozenset(),
    Level.STRONG: NAMESPACES,
    Level.NOOPEN: NAMESPACES | {Layer.LANDLOCK},
    Level.WEAK: NAMESPACES | {Layer.LANDLOCK, Layer.SECCOMP},
}
"""The layers to leave away to get exactly a level; `WEAK` then lets candidates fork, as its processes are ours."""


def away(level: Level) -> frozenset[Layer]:
    """The layers to leave away; skips the test where this machine does not reach the level."""
    reached, missing = _reached(level)
    if reached is not level:
        pytest.skip(f"this machine does not reach {level} but {reached}: {missing}")
    return AWAY[level]


def sandbox_at(level: Level, **options: Any) -> ProcessSandbox:
    """A sandbox of exactly this level; skips the test where this machine does not reach it."""
    return ProcessSandbox(without=away(level), unsafe=level is Level.WEAK, **options)


@contextmanager
def temporary_folder_for_all() -> Iterator[Path]:
    """A folder for temporary files that every user may pass through, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="for-all-"))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parent_of(pid: int) -> int:
    """The process that a living process belongs to."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    """The living children of a process, the oldest first."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        words = " ".join(Path(f"/proc/{pid}/task/{thread}/children").read_text() for thread in threads).split()
    except OSError:  # it has just ended
        return []
    return [child for child in map(int, words) if is_running(child)]


def all_below(pid: int) -> list[int]:
    """The living descendants of a process."""
    return [each for child in children_of(pid) for each in (child, *all_below(child))]


@cache
def _reached(level: Level) -> tuple[Level, dict[str, str]]:
    reasons = choose_layers(AWAY[level])
    active = frozenset(layer for layer, reason in reasons.items() if reason == ACTIVE)
    return level_of(active), {str(layer): reason for layer, reason in reasons.items() if reason != ACTIVE}

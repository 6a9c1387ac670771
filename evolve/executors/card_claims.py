"""Shares of graphics cards that a run has claimed, so that another run of this user on this machine leaves them alone.

A card is a file of a hundred bytes that nobody writes, and a share so many of them, locked. The locks belong to the
controller's process and end with it, however it ends.
"""

import fcntl
import math
import os
from collections.abc import Sequence
from pathlib import Path

from evaluators.exclusive import file_name, private_folder
from evolve.errors import EvolveEnvironmentError
from sandbox.errors import SandboxError

PERCENT = 100
_DUST = 1e-9  # a quarter of a hundred is 25, whatever floats say


class CardClaims:
    """The claims of one run. They hold until `close`; only one of these may exist in a process at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        """Claim nothing yet; `folder` is for tests."""
        self._folder = folder
        self._files: dict[str, int] = {}
        self._taken: dict[str, list[range]] = {}

    def claim(self, group: Sequence[str], *, share: float, n_most: int) -> int:
        """Claim up to so many shares of these cards, which are given away together; how many were left.

        Raises:
            EvolveEnvironmentError: claims cannot be written down here.
        """
        width = max(1, math.floor(PERCENT * min(share, 1.0) + _DUST))
        n_claimed = 0
        while n_claimed < n_most and self._claim_all(group, width):
            n_claimed += 1
        return n_claimed

    def close(self) -> None:
        """Give everything back; harmless when repeated."""
        self._taken.clear()
        while self._files:
            os.close(self._files.popitem()[1])

    def _claim_all(self, group: Sequence[str], width: int) -> bool:
        """Claim a share of each of these cards, or of none."""
        found: list[tuple[str, range]] = []
        for card in group:
            part = self._claim_one(card, width)
            if part is None:
                for each, held in found:
                    fcntl.lockf(self._file(each), fcntl.LOCK_UN, len(held), held.start)
                return False
            found.append((card, part))
        for card, part in found:
            self._taken.setdefault(card, []).append(part)
        return True

    def _claim_one(self, card: str, width: int) -> range | None:
        """The bytes of one share, locked; None where no so many are left beside each other."""
        file = self._file(card)
        for first in range(PERCENT - width + 1):
            part = range(first, first + width)
            is_ours = any(part.start < held.stop and held.start < part.stop for held in self._taken.get(card, ()))
            if not is_ours and _is_locked(file, part):
                return part
        return None

    def _file(self, card: str) -> int:
        if card not in self._files:
            try:
                path = (self._folder or private_folder()) / f"shares-of-{file_name(card)}"
                self._files[card] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except (OSError, SandboxError) as error:
                raise EvolveEnvironmentError(f"shares of cards cannot be claimed: {error}") from error
        return self._files[card]


def _is_locked(file: int, part: range) -> bool:
    """Lock these bytes, unless another process has some of them."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, len(part), part.start)
    except (BlockingIOError, PermissionError):  # the one or the other, says POSIX
        return False
    except OSError as error:
        raise EvolveEnvironmentError(f"shares of cards need locks, and this file system has none: {error}") from error
    return True

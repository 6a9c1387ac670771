"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from evolve.errors import EvolveEnvironmentError


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """Write a file beside its place and move it there when all is written; what was there stays until then.

    A target that is not an ordinary file (a pipe, `/dev/null`) is written directly.

    Raises:
        EvolveEnvironmentError: it cannot be written. What was there before is unharmed.
    """
    try:
        if target.exists() and not target.is_file():
            with target.open("wb") as handle:
                yield handle
            return
        place = target.resolve()  # a symbolic link stays one
        temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {target}: {error.strerror or error}") from error

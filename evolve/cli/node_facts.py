"""What one node of a cluster offers: asked by `evolve doctor --ray`, answered on the node, where work would be done."""

import importlib.metadata
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HANDLER = "evolve.cli.node_facts:answer"
CLOCK = "clock"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 looked at, not used


def answer(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Answer `facts` (see `facts`) or `clock` (the time here, in seconds since 1970)."""
    return {"time": datetime.now(UTC).timestamp()} if task == CLOCK else facts(payload)


def facts(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What this machine has; the word in the folder that came with the question shows that problems arrive here."""
    from evolve.cli import doctor
    from evolve.cli.source_hash import source_hash

    word, trouble = _unpacked_word(payload)
    machine = doctor.machine()
    held = doctor.sandbox()
    return {
        "python": platform.python_version(),
        "ray": version("ray"),
        "evolve": version("evolve-discovery"),
        "source": source_hash(),
        "user": machine["user"],
        "cores": machine["cores"],
        "memory_bytes": machine["memory_bytes"],
        "cards": _cards(),
        "shared_memory_bytes": _free_bytes(SHARED_MEMORY),
        "disk_bytes": _free_bytes(tempfile.gettempdir()),
        "level": held["level"],
        "sandbox_error": _last_line(held["error"]),
        "word": word,
        "bundle_error": trouble,
    }


def _unpacked_word(payload: Mapping[str, Any]) -> tuple[str, str]:
    """The word, and why there is none. The folder came for this question alone, and goes again."""
    place = Path(str(payload["judge"]))
    try:
        [path] = place.iterdir()
        word = path.read_text(encoding="utf-8")
        path.unlink()
        place.rmdir()
    except (OSError, ValueError) as error:
        return "", f"{type(error).__name__}: {error}"
    return word, ""


def _cards() -> int | None:
    """How many graphics cards the driver shows; None without a driver."""
    from sandbox.errors import SandboxError
    from sandbox.nvidia_smi import ask

    if shutil.which("nvidia-smi") is None:
        return None
    try:
        return len(ask("nvidia-smi", "--query-gpu=uuid", seconds=20.0))
    except SandboxError:
        return None


def _free_bytes(place: str) -> int | None:
    return shutil.disk_usage(place).free if os.path.isdir(place) else None


def version(name: str) -> str | None:
    """The version of an installed package; None if it is not there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _last_line(text: str | None) -> str:
    """What went wrong; the lines before it say on which way."""
    return (text or "").strip().rpartition("\n")[2]

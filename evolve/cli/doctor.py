"""What the machine offers: the facts behind `evolve doctor`."""

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from evolve.cli.places import runs_folder

PACKAGES = ("numpy", "numba", "pydantic", "rich", "click", "python-flint")
EXTRAS = ("scipy", "torch", "ray", "openai", "anthropic")
LITTLE_SPACE_BYTES = 1 << 30


def machine() -> dict[str, Any]:
    """The interpreter, the system and what it has."""
    return {
        "python": f"{platform.python_version()} at {sys.executable}",
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "user": "root" if os.geteuid() == 0 else f"uid {os.geteuid()}",
    }


def packages() -> dict[str, str | None]:
    """Versions by name; None for what is not installed (extras need not be)."""
    return {name: _version(name) for name in (*PACKAGES, *EXTRAS)}


def places() -> list[dict[str, Any]]:
    """The folders that runs write to: whether they can be written, and the space left."""
    runs = runs_folder()
    existing = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists())
    wanted = (("runs", existing), ("temporary", Path(tempfile.gettempdir())))
    return [
        {
            "place": name,
            "folder": str(folder),
            "writable": os.access(folder, os.W_OK),
            "free_bytes": shutil.disk_usage(folder).free,
        }
        for name, folder in wanted
    ]


def sandbox(*, preload: tuple[str, ...] = ("numpy",)) -> dict[str, Any]:
    """Start a sandbox, which tests itself, and ask it for its layers; `error` says why it did not start.

    The level is that of the machine, `WEAK` included: this question runs no foreign code.
    """
    from sandbox.errors import SandboxError
    from sandbox.process import ProcessSandbox

    start = time.perf_counter()
    try:
        with ProcessSandbox(preload=preload, unsafe=True) as started:
            return {
                "level": started.level,
                "layers": dict(started.report),
                "start_seconds": time.perf_counter() - start,
                "error": None,
            }
    except SandboxError as error:
        return {"level": None, "layers": {}, "start_seconds": None, "error": str(error)}


def complaints(facts: dict[str, Any]) -> list[str]:
    """What is wrong with the facts, each with what to do; empty when all is well."""
    found = []
    missing = [name for name in PACKAGES if facts["packages"][name] is None]
    if missing:
        found.append(f"packages are missing: {', '.join(missing)}; install evolve again, with pip")
    for place in facts["places"]:
        if not place["writable"]:
            found.append(f"the folder for {place['place']} files cannot be written: {place['folder']}")
        elif place["free_bytes"] < LITTLE_SPACE_BYTES:
            found.append(f"less than 1 GiB is free in {place['folder']}: long runs may stop with a full disk")
    held = facts["sandbox"]
    if held["error"] is not None:
        found.append(f"the sandbox does not start: {held['error']}")
    elif held["level"] == "WEAK":
        found.append(
            "the sandbox reaches only WEAK: Python candidates run with --unsafe-sandbox only, symbolic ones need no "
            "sandbox; docs/security.md says what each layer needs"
        )
    return found


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None

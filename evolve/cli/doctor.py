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
from evolve.errors import UsageError

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
    """The folders that runs write to: whether they can be written, the space left, what is wrong with the choice.

    Where no temporary folder can be used, `folder` and `free_bytes` are None.
    """
    runs = runs_folder()
    existing = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists())
    found = [_place("runs", existing)]
    try:
        found.append({**_place("temporary", Path(tempfile.gettempdir())), "trouble": _unusable_temporary()})
    except FileNotFoundError as error:
        tried = str(error.strerror or error).partition("[")[2].rstrip("]").replace("'", "")
        nowhere = {"place": "temporary", "folder": None, "writable": False, "free_bytes": None}
        found.append({**nowhere, "trouble": f"none is writable (tried {tried})"})
    return found


def _place(name: str, folder: Path) -> dict[str, Any]:
    return {
        "place": name,
        "folder": str(folder),
        "writable": os.access(folder, os.W_OK),
        "free_bytes": shutil.disk_usage(folder).free,
        "trouble": "",
    }


def _unusable_temporary() -> str:
    """Say which variable names a temporary folder that Python passed over in silence; empty if none does."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        if value := os.environ.get(name):
            passed_over = os.path.abspath(value) != tempfile.gettempdir()
            return f"{name}={value} is not usable, {tempfile.gettempdir()} is taken instead" if passed_over else ""
    return ""


def sandbox(*, preload: tuple[str, ...] = ("numpy",)) -> dict[str, Any]:
    """Start a sandbox, which tests itself, and ask it for its layers; `error` says why it did not start.

    The level is that of the machine, `WEAK` included: this question runs no foreign code.

    Raises:
        UsageError: a module of `preload` is not there.
    """
    from sandbox.errors import PreloadError, SandboxError
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
    except PreloadError as error:
        raise UsageError(str(error)) from error
    except (SandboxError, FileNotFoundError) as error:  # the second: no temporary folder
        return {"level": None, "layers": {}, "start_seconds": None, "error": str(error)}


def complaints(facts: dict[str, Any]) -> list[str]:
    """What is wrong with the facts, each with what to do; empty when all is well."""
    found = []
    missing = [name for name in PACKAGES if facts["packages"][name] is None]
    if missing:
        found.append(f"packages are missing: {', '.join(missing)}; install evolve again, with pip")
    for place in facts["places"]:
        if place["trouble"]:
            found.append(f"{place['place']}: {place['trouble']}")
        if place["folder"] is None:
            continue
        if not place["writable"]:
            what = "runs" if place["place"] == "runs" else "temporary files"
            found.append(f"the folder for {what} cannot be written: {place['folder']}")
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

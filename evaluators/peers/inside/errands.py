"""A script that an evaluator started, in a process of its own: its files, its run, and what came of it."""

import base64
import os
import runpy
import sys
import traceback
from collections.abc import Mapping
from typing import Any

MAX_FILES_BYTES = 8 << 20
MAX_OUTPUT = 1 << 20
STREAMS = (".stdout", ".stderr")
PACKED = ("input", "stdout", "stderr")
"""What travels in base 64, as files do."""

Snapshot = dict[str, tuple[int, int]]


def snapshot(scratch: str) -> Snapshot:
    """Every file below a folder with its size and the time of its last change."""
    found: Snapshot = {}
    for root, _, files in os.walk(scratch):
        for name in files:
            path = os.path.join(root, name)
            status = os.stat(path, follow_symlinks=False)
            found[os.path.relpath(path, scratch)] = (status.st_size, status.st_mtime_ns)
    return found


def changed(scratch: str, before: Snapshot, now: Snapshot) -> dict[str, str | None]:
    """Files that are new or different, as text in base 64; None for those that are gone.

    Raises:
        OSError: they are too large to be handed over.
    """
    names = [name for name, state in now.items() if before.get(name) != state and name not in STREAMS]
    size = sum(now[name][0] for name in names)
    if size > MAX_FILES_BYTES:
        raise OSError(27, f"a process hands over at most {MAX_FILES_BYTES >> 20} MiB of files, these have {size} bytes")
    found: dict[str, str | None] = dict.fromkeys(before.keys() - now.keys())
    for name in names:
        with open(os.path.join(scratch, name), "rb") as file:
            found[name] = base64.b64encode(file.read()).decode()
    return found


def apply(scratch: str, files: Mapping[str, str | None]) -> None:
    """Make the same changes here."""
    for name, text in files.items():
        path = os.path.join(scratch, name)
        if os.path.lexists(path):
            os.unlink(path)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(base64.b64decode(text))


def moved(errand: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same errand, or what came of it, with another scratch folder in its texts, where it has another."""
    if old == new:
        return dict(errand)
    files = {name: _moved_file(text, old, new) for name, text in errand["files"].items()}
    packed = {name: _moved_file(errand[name], old, new) for name in PACKED if name in errand}
    plain = {name: value for name, value in errand.items() if name != "files" and name not in packed}
    return {**{name: _moved_text(value, old, new) for name, value in plain.items()}, **packed, "files": files}


def _moved_text(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _moved_text(each, old, new) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved_text(each, old, new) for each in value]
    return value.replace(old, new) if isinstance(value, str) else value


def _moved_file(text: str | None, old: str, new: str) -> str | None:
    """A file that is no text stays as it is: a longer or shorter path would break it."""
    if text is None:
        return None
    try:
        return base64.b64encode(base64.b64decode(text).decode().replace(old, new).encode()).decode()
    except UnicodeDecodeError:
        return text


def run(errand: Mapping[str, Any], scratch: str) -> dict[str, Any]:
    """Run the script in this process, which ends afterwards."""
    apply(scratch, errand["files"])
    before = snapshot(scratch)
    _redirect(scratch, base64.b64decode(errand["input"]))
    os.environ.update(errand["env"])
    os.chdir(errand["cwd"])
    status = _run_to_its_end(errand)
    sys.stdout.flush()
    sys.stderr.flush()
    files = changed(scratch, before, snapshot(scratch))
    shown = {}
    for name in STREAMS:
        with open(os.path.join(scratch, name), "rb") as file:
            shown[name[1:]] = base64.b64encode(file.read(MAX_OUTPUT)).decode()
    return {"status": status, "files": files, **shown}


def _redirect(scratch: str, data: bytes) -> None:
    """Let this process's streams be files."""
    reading, writing = os.pipe()
    os.write(writing, data[:60000])
    os.close(writing)
    os.dup2(reading, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 lives as long as the process
    for number, name in enumerate(STREAMS, start=1):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        descriptor = os.open(os.path.join(scratch, name), flags, 0o600)
        os.dup2(descriptor, number)


def _run_to_its_end(errand: Mapping[str, Any]) -> int:
    what, kind = errand["what"], errand["kind"]
    path = what if kind == "file" else "-c"
    sys.argv[:] = [path, *errand["arguments"]]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)) if kind == "file" else errand["cwd"])
    try:
        if kind == "file":
            runpy.run_path(path, run_name="__main__")
        elif kind == "module":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 what -c means
    except SystemExit as leaving:
        if isinstance(leaving.code, int) or leaving.code is None:
            return leaving.code or 0
        sys.stderr.write(f"{leaving.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 as the interpreter does
        traceback.print_exc()
        return 1
    return 0

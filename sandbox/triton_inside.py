"""Triton for candidates: kernels compile inside the jail, and no program is ever started there.

Triton itself runs two programs: `ptxas`, which makes machine code from PTX, and a C compiler, which builds the one
module that talks to the driver. Here the driver makes the machine code, inside the process, as it does for any PTX; and
the module is built in the fork server, before anything of a candidate is there. So neither the filter of system calls
nor the list of files opens by a single entry. What is left is a cache, which must be a file for each stage: it lies in
the candidate's own scratch folder, and goes with it.

Written for Triton 3.7. Its parts that are used: https://github.com/triton-lang/triton/blob/v3.7.0/python/triton/knobs.py
"""

import ctypes
import errno
import importlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_STAGE = "cubin"  # what Triton calls the last one; the driver takes PTX in its place
_KEY_LENGTH = 24
_CARD_LIBRARY = "libcuda.so.1"


class ScratchCache:
    """Files of compiled kernels, in the folder where temporary files go.

    Triton's own cache moves each file between two folders, which Landlock refuses. There is nobody to hide half a
    file from: a process has its own folder.
    """

    def __init__(self, key: str, override: bool = False, dump: bool = False) -> None:
        del override, dump
        self._start = os.path.join(tempfile.gettempdir(), f"triton-{key[:_KEY_LENGTH]}-")

    def get_file(self, filename: str) -> str | None:
        """The path of a file that was put there."""
        path = self._start + filename
        return path if os.path.exists(path) else None

    def put(self, data: Any, filename: str, binary: bool = True) -> str:
        """Keep a file; gives its path."""
        del binary
        path = self._start + filename
        try:
            Path(path).write_bytes(data if isinstance(data, bytes) else str(data).encode())
        except OSError as error:
            if error.errno in (errno.EROFS, errno.EACCES):
                raise OSError(
                    error.errno, "a kernel of Triton's needs a scratch folder: set [limits] scratch_mb"
                ) from None
            raise
        return path

    def get_group(self, filename: str) -> dict[str, str] | None:
        """The paths of the files that belong to one kernel."""
        path = self.get_file(f"group-{filename}")
        if path is None:
            return None
        group: dict[str, str] = json.loads(Path(path).read_text(encoding="utf-8"))
        return group

    def put_group(self, filename: str, group: Mapping[str, str]) -> str:
        """Remember which files belong to one kernel."""
        return self.put(json.dumps(dict(group)), f"group-{filename}")


def set_up(*, has_card: bool) -> None:
    """Import Triton and make it work in the children of this process; in the fork server, before it is confined.

    With a card, kernels are compiled for it. Without one they are interpreted, on the processor and slowly: whoever
    looks only at what they compute can do so anywhere.

    Raises:
        ImportError: Triton is not installed or not as it was, or there is no C compiler to build its driver's module.
    """
    os.environ["TRITON_INTERPRET"] = "0" if has_card else "1"  # its own library decides when it is imported
    try:
        importlib.import_module("triton")
        knobs = importlib.import_module("triton.knobs")
        _know_versions(knobs)
        knobs.cache.manager_class = ScratchCache
        knobs.runtime.add_stages_inspection_hook = _leave_ptx
        knobs.runtime.interpret = not has_card
        if has_card:
            knobs.nvidia.libcuda_path = _folder_of_driver()
            _build_driver_module()
    except (AssertionError, AttributeError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise ImportError(f"triton cannot be made ready for candidates: {error}") from error


def _leave_ptx(*stages_of: Any) -> tuple[str, str] | None:
    """Triton's hook: without arguments it tells what compiled kernels depend on, with them it changes the stages."""
    if not stages_of:
        return "ptx", "ptx"
    stages = stages_of[1]
    if _STAGE in stages:
        stages[_STAGE] = _text_for_driver
    return None


def _text_for_driver(ptx: str, metadata: Mapping[str, Any]) -> bytes:
    """PTX as the driver wants it: with a zero at its end."""
    del metadata
    return ptx.encode() + b"\0"


def _know_versions(knobs: Any) -> None:
    """Ask the bundled assemblers for their versions now: children cannot. PTX is no newer than the driver knows."""
    tool, newest = knobs.NvidiaTool, _newest_of_driver()
    found = {}
    for knob in (knobs.nvidia.ptxas, knobs.nvidia.ptxas_blackwell):
        version = knob.version if newest is None else min(knob.version, newest, key=_numbers)
        found[knob.path] = tool(knob.path, version)
    tool.from_path = staticmethod(found.get)
    knobs.nvidia.mock_ptx_version = " ".join(each.version for each in found.values())  # only part of a cache's key


def _newest_of_driver() -> str | None:
    """The version of CUDA, such as "12.8", whose PTX the driver reads; None without a driver."""
    with suppress(OSError, AttributeError):
        number = ctypes.c_int()
        if ctypes.CDLL(_CARD_LIBRARY).cuDriverGetVersion(ctypes.byref(number)) == 0:
            return f"{number.value // 1000}.{number.value % 1000 // 10}"
    return None


def _folder_of_driver() -> str:
    """Where the driver's library lies: the linker that loads it knows, and Triton would run a program to ask.

    Raises:
        OSError: there is none.
    """
    ctypes.CDLL(_CARD_LIBRARY)
    name = _CARD_LIBRARY.partition(".")[0]
    paths = {Path(line.split(maxsplit=5)[-1]) for line in Path("/proc/self/maps").read_text().splitlines()}
    return next(str(path.parent) for path in sorted(paths) if path.name.startswith(f"{name}.so"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _build_driver_module() -> None:
    """Build and load the module through which Triton talks to the driver; children inherit it, loaded."""
    driver: Any = importlib.import_module("triton.backends.nvidia.driver")
    build: Any = importlib.import_module("triton.runtime.build")
    places = {"library_dirs": driver.library_dirs(), "include_dirs": driver.include_dirs}  # the first are remembered
    name = "cuda_utils"
    with tempfile.TemporaryDirectory(prefix="evolve-triton-") as folder:
        source = Path(folder, f"{name}.c")
        source.write_bytes(Path(driver.__file__).with_name("driver.c").read_bytes())
        library = build._build(name, str(source), folder, libraries=driver.libraries, ccflags=[], **places)
        module = build._load_module_from_path(name, library)
    driver.compile_module_from_src = lambda **_: module

"""The candidate's own process, from the fork to its end: enter the jail, load the files, answer calls.

Nothing this process says is trusted. It talks on two pipes: `["load", ...]` and `["call", ...]` come in, one answer
goes out for each, `["ok", value]` or `["error", kind, text]`.
"""

import difflib
import errno
import gc
import importlib
import linecache
import mmap
import os
import random
import sys
import tempfile
import traceback
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

from sandbox.card_memory import MappedCardMemory
from sandbox.errors import SandboxError
from sandbox.frames import read_frame, write_all
from sandbox.jail import Jail, close_files, confine, filter_calls
from sandbox.modules import CandidateFinder, module_name_of
from sandbox.wire import HEADER, NotFiniteError, Placing, PlainDataError, decode, encode

REQUESTS, ANSWERS = 3, 4  # descriptors
FIRST_UNUSED = 5
SHARED = 6  # behind that of Landlock's rules; closed once the memory is mapped
CARD = 7  # the same of a card; mapped when it is first used, as only the candidate starts CUDA
SETUP_FAILED = 99
READY = encode(["ready"])
_REHEARSED = "rehearsal"
_REHEARSAL = ["load", [[f"{_REHEARSED}.py", "def f(x):\n    return x\n"]], f"{_REHEARSED}.py"]
_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MAX_TRACEBACK = 8000
_TOOLBOX = "sandbox.toolbox"
_OUR_PACKAGES = frozenset(("archive", "evaluators", "evolve", "sandbox"))
MAX_LINE = 200
_KIND_OF_ERRNO = {
    errno.EMFILE: "files",
    errno.ENOSPC: "disk",
    errno.EFBIG: "disk",
    errno.EAGAIN: "processes",
    errno.ENOMEM: "memory",
}
_KIND_OF_WORDS = {  # of errors that have no type of their own: Python's threads, torch's allocators
    "can't start new thread": "processes",
    "can't allocate memory": "memory",
    "CUDA out of memory": "gpu_memory",
}


def run(jail: Jail, limits: dict[str, Any], *, slot: int, server_pid: int) -> NoReturn:
    """Become a candidate's process; descriptors 0 to 4 and the working directory are in place. Never returns."""
    status = SETUP_FAILED
    try:
        shared = _mapped(limits["shared_bytes"])
        card = _card_places(limits["gpu_shared_bytes"])
        confine(jail, limits, slot=slot, server_pid=server_pid)
        _start_looking_around(limits["n_threads"])
        if jail.gpu is not None:
            os.environ |= jail.gpu.environment(limits["gpu_memory_bytes"])
        close_files(jail, limits)
        filter_calls(jail, limits)
        _rehearse()
        write_all(ANSWERS, READY)
        status = _serve(limits["result_bytes"], shared, card)
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BrokenPipeError:
        status = 0
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    finally:
        _flush()
        os._exit(status & 0xFF)


def look_like_a_fresh_interpreter(*, is_clean: bool = True) -> None:
    """Hide the server's modules, arguments and environment, make the streams of children; once, in the server."""
    if is_clean:
        os.environ.clear()
    os.environ |= {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "CUDA_VISIBLE_DEVICES": ""}
    os.environ |= dict.fromkeys(_THREAD_COUNTS, "1")
    for name in [name for name in sys.modules if name == "sandbox" or name.startswith("sandbox.")]:
        module = sys.modules.pop(name)
        if name.startswith(_TOOLBOX):  # made for candidates: these see it as a package of its own
            sys.modules[name.removeprefix("sandbox.")] = module
    sys.modules.update(dict.fromkeys(_OUR_PACKAGES))  # type: ignore[arg-type]  # None: "there is no such module", though it may be installed
    sys.argv[:] = [""]
    sys.orig_argv[:] = [""]
    sys.dont_write_bytecode = True
    sys.stdout = _text_stream(1)
    sys.stderr = _text_stream(2)
    vars(sys).update(__stdout__=sys.stdout, __stderr__=sys.stderr)


def live_in(folder: str) -> None:
    """Let programs find this folder where they look for one that is theirs."""
    os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = folder


def _rehearse() -> None:
    """Do once what the first request will do, so that nobody waits while this process copies the pages it writes.

    Nothing of it stays visible.
    """
    message = bytearray(encode(_REHEARSAL))
    request = decode(message[HEADER.size - 1], message[HEADER.size :])
    encode(["ok", _function(_load(request[1], request[2]), "f")(1.0)])
    _flush()
    del sys.modules[_REHEARSED], sys.meta_path[0], linecache.cache[f"{_REHEARSED}.py"]


def _start_looking_around(n_threads: int) -> None:
    """What differs from child to child."""
    folder = os.getcwd()
    if tempfile.tempdir != folder:
        live_in(folder)
    if n_threads != 1:
        os.environ |= dict.fromkeys(_THREAD_COUNTS, str(n_threads))
    random.seed(0)  # noqa: TID251 runs replay; Python gives every fork another state, numpy's the server has set
    gc.enable()


def _text_stream(descriptor: int) -> Any:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _mapped(n_bytes: int) -> mmap.mmap | None:
    """The memory that this process shares with its controller, if there is any.

    Python's object keeps a descriptor of its own, which is worth nothing: the memory's size is sealed.
    """
    if not n_bytes:
        return None
    try:
        return mmap.mmap(SHARED, n_bytes)
    finally:
        os.close(SHARED)


def _card_places(n_bytes: int) -> Placing | None:
    """What finds an array of the card's shared memory, as a tensor; None where there is no such memory."""
    if not n_bytes:
        return None
    mapped: list[MappedCardMemory] = []

    def placed(dtype: Any, shape: list[int], offset: int) -> Any:
        if not mapped:
            try:
                mapped.append(MappedCardMemory(n_bytes, CARD))
            except SandboxError as error:  # it is not the program's, whose own exceptions are told with their lines
                os.write(2, f"{error}\n".encode())
                os._exit(SETUP_FAILED)
            os.close(CARD)
        return mapped[0].array(shape, dtype, offset).tensor(importlib.import_module("torch"))

    return placed


def _serve(result_bytes: int, shared: mmap.mmap | None, card: Placing | None) -> int:
    """Answer requests until the other side closes; returns the exit status."""
    module: ModuleType | None = None
    while (frame := read_frame(REQUESTS)) is not None:
        try:
            request = decode(*frame, shared=shared, card=card)
            if request[0] == "load":
                module = _load(request[1], request[2])
                answer = encode(["ok", None])
            else:
                answer = encode(["ok", _function(module, request[1])(*request[2])])
            if len(answer) - HEADER.size > result_bytes:
                answer = encode(
                    [
                        "error",
                        "output",
                        f"the answer takes {len(answer)} bytes, allowed are {result_bytes} ([limits] result_mb)",
                    ]
                )
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 whatever a candidate raises is its answer
            answer = encode(["error", _kind_of(error), _describe(error)])
        request = frame = None
        _flush()
        write_all(ANSWERS, answer)
    return 0


def _load(files: list[list[str]], entry: str) -> ModuleType:
    """Import the entry file; all files are compiled first."""
    try:
        finder = CandidateFinder(dict(files))
    except (RecursionError, MemoryError):
        raise _DoesNotCompileError("a file is nested too deeply to be compiled") from None
    except (SyntaxError, ValueError) as error:
        raise _DoesNotCompileError(_only_message(error)) from None
    for name in _OUR_PACKAGES & {module_name_of(file_name).partition(".")[0] for file_name, _ in files}:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    return importlib.import_module(module_name_of(entry))


class _DoesNotCompileError(Exception):
    """Carries the text of a compiler's complaint."""


def _function(module: ModuleType | None, name: str) -> Any:
    function = getattr(module, name, None)
    if not callable(function):
        defined = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
        close = difflib.get_close_matches(name, defined, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it defines {', '.join(defined[:10]) or 'no function'}"
        raise NameError(f"the entry file defines no function {name!r}: {hint}")
    return function


def _kind_of(error: BaseException) -> str:
    if isinstance(error, _DoesNotCompileError):
        return "syntax"
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError) and error.errno in _KIND_OF_ERRNO:
        return _KIND_OF_ERRNO[error.errno]
    if isinstance(error, RuntimeError):
        return next((kind for words, kind in _KIND_OF_WORDS.items() if words in str(error)), "exception")
    if isinstance(error, NotFiniteError):
        return "not_finite"
    return "invalid" if isinstance(error, PlainDataError) else "exception"


def _describe(error: BaseException) -> str:
    """The traceback without our own frames; an exception whose text cannot be made still gives its type."""
    if isinstance(error, _DoesNotCompileError | PlainDataError):
        return str(error)
    try:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename in _OWN_FILES:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace, limit=-20))
    except BaseException:  # noqa: BLE001 a hostile __str__ may raise anything
        text = type(error).__name__
    return text[-MAX_TRACEBACK:].encode("utf-8", "backslashreplace").decode()


def _only_message(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.text is not None and len(error.text) > MAX_LINE:
        error.text = None
    return "".join(traceback.format_exception_only(type(error), error)).strip()[:MAX_TRACEBACK]


_OWN_FILES = frozenset(
    (__file__, importlib.__file__, "<frozen importlib._bootstrap>", sys.modules[CandidateFinder.__module__].__file__)
)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):  # the candidate may have put anything there
            stream.flush()

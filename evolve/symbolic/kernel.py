"""How functions are compiled here: no interpreter lock, IEEE division, cached on disk, no fast-math.

Without fast-math the same additions happen in the same order, so a burst gives the same bits in every process.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from sandbox.symbolic import vocabulary

_Compiled = TypeVar("_Compiled", bound=Callable[..., Any])


def _source_digest() -> str:
    """A hash of all that goes into compiled functions: their sources and the numbers of the opcodes."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    compiled_sources = [source for source in sources if b"@compiled" in source]
    opcodes = sorted((name, number) for name, number in vars(vocabulary).items() if name.startswith("OP_"))
    return hashlib.sha256(b"".join([*compiled_sources, repr(opcodes).encode()])).hexdigest()


_SOURCES = _source_digest()


def compiled(function: _Compiled) -> _Compiled:
    """Compile a function on its first call.

    numba's cache notices changes of the file a function stands in, not of the files it calls into, so the stamp of
    its cache file is extended by a hash of all of them. Where numba's insides differ, its own stamp has to do.
    """
    dispatcher: Any = njit(nogil=True, cache=True, error_model="numpy")(function)
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    stamp = getattr(cache_file, "_source_stamp", None)
    if cache_file is not None and stamp is not None:
        cache_file._source_stamp = (stamp, _SOURCES)
    return cast("_Compiled", dispatcher)

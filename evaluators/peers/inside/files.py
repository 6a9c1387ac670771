"""The peer's folder, laid out anew in the process's own scratch folder."""

import os
import sys
from collections.abc import Mapping
from typing import Any

PROBLEM = "problem"
CANDIDATE = "candidate"
RESULTS = "results"
READ_ONLY = 0o444


def lay_out(files: Mapping[str, Any], folder: str) -> str:
    """Write these files, names to arrays of bytes, below a new folder of the working directory; gives its path."""
    home = os.path.join(os.getcwd(), folder)
    os.makedirs(home, exist_ok=True)
    for name, data in files.items():
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, memoryview(data).cast("B") if len(data) else memoryview(b""))
    return home


def lay_out_texts(files: Mapping[str, str], folder: str) -> str:
    """The same for texts."""
    home = os.path.join(os.getcwd(), folder)
    for name, text in files.items():
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, memoryview(text.encode("utf-8", "surrogatepass")))
    return home


def search_first(*folders: str) -> None:
    """Let imports look into these folders before anything else, in this order."""
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]


def _write(path: str, data: memoryview) -> None:
    # Nothing here may change a file's mode, so what is written once cannot be opened for writing again.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READ_ONLY)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)

"""Importing an evaluator by path and running one as a script, as its own engine does."""

import importlib.util
import os
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def load_module(path: str, name: str) -> ModuleType:
    """Run a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SystemExit as leaving:
        raise RuntimeError(f"{os.path.basename(path)} ended with sys.exit({leaving.code!r})") from None
    return module


def call(function: Any, *arguments: Any, **named: Any) -> Any:
    """Call an evaluator; leaving by `sys.exit` is an error like any other."""
    try:
        return function(*arguments, **named)
    except SystemExit as leaving:
        raise RuntimeError(f"the evaluator or the program ended with sys.exit({leaving.code!r})") from None


def run_script(path: str, arguments: Sequence[str]) -> int:
    """Run a file as `python path arguments` would; gives its exit status."""
    sys.argv[:] = [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as leaving:
        if leaving.code is None:
            return 0
        if isinstance(leaving.code, int):
            return leaving.code
        sys.stderr.write(f"{leaving.code}\n")
        return 1
    return 0

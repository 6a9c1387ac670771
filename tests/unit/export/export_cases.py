"""Discoveries to export, made without a run, and ways to bring exported code to life."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archive.candidate import Candidate
from evaluators.contract import Evaluation
from evolve.config.locate import shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.config.tables import ExportTable
from evolve.export.discovery import Certificate, Discovery
from evolve.export.function_facts import ExportedFunction, exported_function
from evolve.export.straight_line import exportable
from evolve.store import CandidateRecord
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

EXP2 = """\
def f(x):
    t1 = 92542.41262551454 / x
    t2 = x + t1
    t3 = 242308.39761804783 / t2
    t4 = t3 - 1002.2736311476957
    t5 = t2 + t4
    t6 = 2004.5472622997072 / t5
    t7 = t6 + 1.0
    t8 = t7 * t7
    return t8 * t8
"""
PRECISE = """\
def f(x):
    t1 = x * 0.69314718055994530941723212145818
    return t1 * x + 1.0000000000000000000000000000012
"""
PRECISE_DIGITS = "0.69314718055994530941723212145818"
C_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")

_problems: dict[str, Problem] = {}


def shipped(name: str) -> Problem:
    """A shipped problem, read once."""
    if name not in _problems:
        _problems[name] = load_problem(shipped_problems()[name])
    return _problems[name]


def discovery_of(
    problem: Problem,
    files: Mapping[str, str] | str,
    *,
    metrics: Mapping[str, float] | None = None,
    certificate: Certificate | None = None,
    export: ExportTable | None = None,
    verdict: str = "",
) -> Discovery:
    """Candidate 7 of a run that never was."""
    texts = {"seed.py": files} if isinstance(files, str) else dict(files)
    candidate = Candidate(
        id=7, files=texts, fingerprint="f", parent_ids=(1,), operator="mutate", generation=2, iteration=3, metrics={}
    )
    record = CandidateRecord(
        candidate=candidate,
        evaluation=Evaluation(score=3.5, metrics=metrics or {}, descriptor={"operations": 3.0}),
        island=0,
        status="new",
        cell=0,
    )
    return Discovery(
        problem=problem,
        record=record,
        run="20260102T030405Z-5",
        rng_seed=5,
        version="0.1.0",
        export=export or problem.tables.export,
        certificate=certificate,
        verdict=verdict,
    )


def bare_function(program: Program, vocabulary: Vocabulary, name: str) -> ExportedFunction:
    """A program with a head that says nothing."""
    return ExportedFunction(
        name=name, program=exportable(program, vocabulary), vocabulary=vocabulary, summary="", facts=(), origin=()
    )


def function_of(problem: str, text: str) -> ExportedFunction:
    """A program of a shipped problem, called like no other."""
    return exported_function(discovery_of(shipped(problem), text))


def renamed(function: ExportedFunction, name: str) -> ExportedFunction:
    """The same function under another name, so that many fit in one file."""
    return replace(function, name=name)


def imported(text: str) -> dict[str, Any]:
    """The names that an exported module of ours defines."""
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), names)
    return names


def interpreted(function: ExportedFunction, points: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """What our own interpreter computes."""
    value = np.asarray(evaluate(function.program, function.vocabulary, list(points)), dtype=points[0].dtype)
    return np.array(np.broadcast_to(value, points[0].shape))


def compiled(texts: Sequence[str], functions: Sequence[ExportedFunction], folder: Path) -> ctypes.CDLL:
    """A shared library of exported C: `run_<name>(x, ..., y, n)` runs a function over arrays. Warnings are errors."""
    lines = []
    for number, (text, function) in enumerate(zip(texts, functions, strict=True)):
        (folder / f"f{number}.h").write_text(text)
        kind, inputs = "float" if function.is_machine else "double", range(len(function.program.inputs))
        parameters = ", ".join(f"const {kind} *x{k}" for k in inputs)
        call = f"{function.name}({', '.join(f'x{k}[i]' for k in inputs)})"
        lines.append(
            f'#include "f{number}.h"\nvoid run_{function.name}({parameters}, {kind} *y, long n);\n'
            f"void run_{function.name}({parameters}, {kind} *y, long n) "
            f"{{ for (long i = 0; i < n; i++) y[i] = {call}; }}\n"
        )
    (folder / "all.c").write_text("".join(lines))
    command = [str(compiler()), *C_WARNINGS, "-O1", "-shared", "-fPIC", "all.c", "-o", "all.so", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "all.so"))


def compiler() -> str | None:
    """The machine's C compiler, if it has one."""
    return next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def run_compiled(
    library: ctypes.CDLL, function: ExportedFunction, points: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """The values of a compiled function."""
    arrays = [np.ascontiguousarray(each) for each in points]
    values = np.empty_like(arrays[0])
    pointers = [ctypes.c_void_p(each.ctypes.data) for each in (*arrays, values)]
    library[f"run_{function.name}"](*pointers, ctypes.c_long(values.size))
    return values


def assert_same_bits(found: npt.NDArray[Any], wanted: npt.NDArray[Any], *, what: str = "") -> None:
    """Equal to the last bit; any NaN is as good as any other."""
    assert found.dtype == wanted.dtype, what
    integer = {4: np.uint32, 8: np.uint64}[wanted.itemsize]
    same = (found.view(integer) == wanted.view(integer)) | (np.isnan(found) & np.isnan(wanted))
    where = np.flatnonzero(~same)
    assert not where.size, f"{what}: {found[where[:3]]} is not {wanted[where[:3]]} at places {where[:3]}"

"""The part of a prompt that never changes in a run: the task, its limits, what is known of it, the rules."""

import json
from collections.abc import Mapping
from typing import Any

from evolve.config.problem import Problem
from evolve.config.table_archive import CategoriesAxisTable, EdgesAxisTable, RangeAxisTable
from evolve.operators.writing.language import Language
from evolve.operators.writing.prompt_templates import Templates
from evolve.operators.writing.prompt_text import exact_number, number

MAX_BASELINES = 2500


def task_text(problem: Problem, language: Language, templates: Templates) -> str:
    """The first block of every prompt of a run, the same for all operators, so that providers can cache it."""
    return templates.fill(
        "system",
        {
            "title": problem.title,
            "statement": problem.tables.problem.statement.strip(),
            "score": problem.tables.problem.score,
            "known": _known(problem),
            "language": language.rules(templates),
            "limits": "\n\n".join(part for part in (_limits(problem), _stages(problem), _axes(problem)) if part),
        },
    )


def _known(problem: Problem) -> str:
    known = problem.tables.known
    lines = []
    if known is not None:
        source = ", ".join(str(part) for part in (known.source, known.year) if part)
        lines.append(f"Best value known to the world, to be beaten: {exact_number(known.value)} ({known.kind})")
        lines[-1] += f", {source}." if source else "."
    baselines = _baselines(problem)
    if baselines:
        lines.append(baselines)
    return "\n\n".join(lines)


def _baselines(problem: Problem) -> str:
    """Values to compare with, from the problem's own file; nothing if it is too long to show."""
    stored = problem.baselines
    by_operations = stored.get("operations")
    if isinstance(by_operations, Mapping):
        return _least_errors(by_operations, problem.tables.symbolic.max_operations)
    text = json.dumps(dict(stored), ensure_ascii=False)
    return f"Known for comparison: {text}" if stored and len(text) <= MAX_BASELINES else ""


def _least_errors(by_operations: Mapping[str, Any], max_operations: int) -> str:
    """The least error of the classical methods for each number of operations."""
    parts = []
    for count, methods in by_operations.items():
        if int(count) <= max_operations:
            error, name = min((float(each["error"]), name) for name, each in methods.items())
            parts.append(f"{count}: {number(error)} ({name.replace('_', ' ')})")
    listed = "; ".join(parts)
    return f"Least error of the classical methods by number of operations, to be beaten: {listed}." if parts else ""


def _limits(problem: Problem) -> str:
    if problem.language != "python":
        return ""
    limits = problem.tables.limits
    threads = "1 thread" if limits.n_threads == 1 else f"{limits.n_threads} threads"
    return (
        f"Each run of a program may take {number(limits.wall_seconds)} s, {number(limits.cpu_seconds)} s of processor "
        f"time, {limits.memory_mb} MiB of memory and {threads}; a program that takes more has failed."
    )


def _stages(problem: Problem) -> str:
    stages = problem.tables.evaluator.stages
    if not stages:
        return ""
    named = [
        stage.name + ("" if stage.threshold is None else f" (a score below {number(stage.threshold)} ends there)")
        for stage in stages
    ]
    return f"Judging goes through these stages: {', '.join(named)}."


def _axes(problem: Problem) -> str:
    axes = "; ".join(_axis(axis) for axis in problem.tables.archive.axes)
    return (
        f"Programs are told apart by {axes}. The best of every kind is kept, so a good program of a kind that has none "
        "yet is welcome too."
    )


def _axis(axis: RangeAxisTable | EdgesAxisTable | CategoriesAxisTable) -> str:
    if isinstance(axis, CategoriesAxisTable):
        return f"{axis.name} ({', '.join(axis.categories)})"
    if isinstance(axis, EdgesAxisTable):
        low, high, n_cells = axis.edges[0], axis.edges[-1], len(axis.edges) - 1
    else:
        low, high, n_cells = axis.low, axis.high, axis.cells
    return f"{axis.name} ({n_cells} kinds from {number(low)} to {number(high)})"

"""Checks of the archive's axes: where do the seed program and small changes of it land?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archive.axes import Axis, axis_from_mapping
from archive.build import build_archive
from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.loop.gate import gate_for
from evolve.operators.contract import Operator
from evolve.operators.python_literals import PythonLiteralEdit
from evolve.operators.python_tree import PythonTreeEdit
from evolve.operators.rule_edits import RuleEdit
from evolve.operators.symbolic import SymbolicMutation
from evolve.scaffold.findings import Finding, State, error, ok, warning
from evolve.scaffold.trials import Trials
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.vocabulary import load_vocabulary

N_EDITS = 20
N_TRIES = 60
FEW = 4  # fewer scored edits than this say nothing about an axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Small random changes of the seed program: the evaluations of those that scored, and of those that failed.

    `n_made` is how many there are: more than were judged, if the time was up.
    """

    scored: tuple[Evaluation, ...]
    failed: tuple[Evaluation, ...]
    n_made: int

    @property
    def scores(self) -> list[float]:
        """Their scores."""
        return [each.score for each in self.scored if each.score is not None]

    @property
    def n(self) -> int:
        """How many were judged."""
        return len(self.scored) + len(self.failed)


def judge_edits(trials: Trials) -> Edits:
    """Make up to twenty different children of the seed program with the operators that need no model; judge them."""
    scored: list[Evaluation] = []
    failed: list[Evaluation] = []
    children = _children(trials)
    for files in children:
        if trials.is_over:
            break
        evaluation = trials.judge(files)
        (failed if evaluation.score is None else scored).append(evaluation)
    return Edits(scored=tuple(scored), failed=tuple(failed), n_made=len(children))


def _children(trials: Trials) -> list[Mapping[str, str]]:
    problem = trials.problem
    gate = gate_for(problem)
    seed = Candidate(id=1, files=problem.seed_files, fingerprint=gate.fingerprint_of(problem.seed_files))
    operators = _operators(trials)
    known = {seed.fingerprint}
    children: list[Mapping[str, str]] = []
    for number in range(N_TRIES):
        operator = operators[number % len(operators)]
        for files in _proposed(operator, seed, np.random.default_rng(number)):
            try:
                fingerprint = gate.fingerprint_of(files)
            except CandidateSyntaxError:
                continue
            if fingerprint not in known and len(children) < N_EDITS:
                known.add(fingerprint)
                children.append(files)
    return children


def _operators(trials: Trials) -> list[Operator]:
    if trials.problem.language == "python":
        return [PythonLiteralEdit(), PythonTreeEdit()]
    symbolic = trials.problem.symbolic_mapping()
    vocabulary = load_vocabulary(symbolic["vocabulary"])
    operator = SymbolicMutation if vocabulary.signature is None else RuleEdit
    return [
        operator(
            vocabulary=vocabulary,
            inputs=tuple(symbolic["inputs"]),
            entry=trials.entry,
            max_operations=symbolic["max_operations"],
        )
    ]


def _proposed(operator: Operator, parent: Candidate, rng: np.random.Generator) -> list[Mapping[str, str]]:
    """The children of an operator that asks for nothing."""
    proposing = operator.propose([parent], [], rng)
    try:
        while True:
            next(proposing)
    except StopIteration as stop:
        return [proposal.files for proposal in stop.value]


def check_axes(trials: Trials, plain: Evaluation, edits: Edits) -> list[Finding]:
    """One finding for each axis, and one for how edits spread over the cells."""
    tables = trials.problem.archive_mapping()["axes"]
    axes = [axis_from_mapping(table) for table in tables]
    findings = [_check_axis(axis, plain.descriptor[axis.name], _values(edits, axis.name)) for axis in axes]
    others_move = max(finding.data.get("cells", 1) for finding in findings) > 1
    if others_move:
        findings = [_excused(finding) for finding in findings]
    return [*findings, _check_spread(trials, plain, edits)]


def _excused(finding: Finding) -> Finding:
    """An axis that small edits move within one cell is fine where another axis tells them apart."""
    data = finding.data
    if finding.state is not State.WARNING or data.get("cells") != 1 or len({data["seed"], *data["edits"]}) == 1:
        return finding
    return ok(finding.check, f"{finding.seen}, which is fine for small edits as another axis tells them apart", **data)


def _values(edits: Edits, name: str) -> list[float | str]:
    return [each.descriptor[name] for each in edits.scored]


def _check_axis(axis: Axis, own: float | str, values: Sequence[float | str]) -> Finding:
    check = f"axis {axis.name}"
    code = axis.code_of(own)
    low, high = axis.edges[0], axis.edges[-1]
    data: dict[str, Any] = {"seed": own, "edits": list(values)}
    if int(axis.positions_of(np.array([code]))[0]) < 0:
        seen = f"the seed program has {_shown(own)}, outside of {low:g} .. {high:g}, and the axis rejects that"
        return error(check, seen, "widen the axis, or let the evaluator compute something else", **data)
    codes = [axis.code_of(value) for value in values]
    n_outside = sum(not low <= each <= high for each in codes)
    told = f"the seed program has {_shown(own)}"
    if values and not isinstance(own, str):
        told += f", {len(values)} edits {min(codes):.4g} .. {max(codes):.4g}"
    told += f" on {low:g} .. {high:g}"
    if not low <= code <= high or n_outside > len(codes) / 2:
        seen = f"{told}: {'the seed program' if not low <= code <= high else f'{n_outside} edits'} outside of the axis"
        return warning(check, seen, "widen the axis: what is outside shares the edge cells", **data)
    positions = {int(each) for each in axis.positions_of(np.array([code, *codes]))}
    data["cells"] = len(positions)
    if len(positions) == 1 and len(values) >= FEW:
        where = "always the same value" if len(set(values) | {own}) == 1 else "always in one cell"
        advice = "fine if larger changes move it; if nothing can, use another descriptor or narrower cells"
        return warning(check, f"{told}: {where}", advice, **data)
    return ok(check, f"{told}: {len(positions)} of {axis.n_positions} cells", **data)


def _shown(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.4g}"


def _check_spread(trials: Trials, plain: Evaluation, edits: Edits) -> Finding:
    archive = build_archive(trials.problem.archive_mapping())
    for number, each in enumerate((plain, *edits.scored), start=1):
        assert each.score is not None
        candidate = Candidate(id=number, files={}, fingerprint=str(number), metrics=each.metrics)
        archive.add(candidate, score=each.score, descriptor=[each.descriptor[axis.name] for axis in archive.axes])
    stats = archive.stats()
    n_better = sum(score > (plain.score or 0.0) for score in edits.scores)
    seen = (
        f"{edits.n} small random edits of the seed program: {len(edits.scored)} scored, {n_better} better than it, "
        f"in {stats.n_occupied} of {stats.n_cells} cells"
    )
    data = {"edits": edits.n, "scored": len(edits.scored), "better": n_better, "cells": stats.n_occupied}
    if edits.n_made < FEW:
        return warning(
            "edits", seen, "the evolve block holds hardly anything that can be changed without a model", **data
        )
    if edits.n < FEW:
        return warning("edits", f"{seen}: the time was up", "too few to say anything: give it more --seconds", **data)
    stumbled = [each for each in edits.failed if each.failure is Failure.EVALUATOR]
    if stumbled:
        seen = f"{seen}; the evaluator itself fails on {len(stumbled)}: {stumbled[0].detail.strip()[:200]}"
        return warning("edits", seen, "mend that: these candidates are lost, and nobody learns from them", **data)
    if not edits.scored:
        kinds = sorted({str(each.failure) for each in edits.failed})
        advice = f"every edit failed ({', '.join(kinds)}): is the judge too strict, or the block only names and calls?"
        return warning("edits", seen, advice, **data)
    if stats.n_occupied == 1 and len(edits.scored) >= FEW:
        return warning("edits", seen, "all in one cell: the archive would keep one program; rethink the axes", **data)
    return ok("edits", seen, **data)

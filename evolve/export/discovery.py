"""What is exported: one candidate of a run, with where it comes from and what is proved about it."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evaluators.contract import Certainty
from evolve.config.locate import PROBLEM_FILE
from evolve.config.problem import Problem
from evolve.config.tables import ExportTable
from evolve.errors import ProblemError, UsageError
from evolve.export.update_rule_validated import stored_validation
from evolve.store import CandidateRecord, RunReader

CERTIFICATES = "certificates"
CERTIFICATE_SCHEMA = "evolve.certificate/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate file of a run: its name below the run's folder, the SHA-256 of its bytes, and what it says."""

    name: str
    sha256: str
    verdict: str
    value: float | None
    detail: str
    body: Mapping[str, Any]

    @property
    def is_proof(self) -> bool:
        """Whether it proves the candidate's value."""
        return self.verdict == Certainty.CERTIFIED and self.value is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A candidate of a run. `version` is the Evolve that found it; `certificate` is None where there is none.

    `export` is what the problem says that its programs are. `verdict` is what a verification has just said, for a
    candidate that it wrote no certificate for. `validation` is what `evolve validate` wrote for the run.
    """

    problem: Problem
    record: CandidateRecord
    run: str
    rng_seed: int | None
    version: str
    export: ExportTable | None = None
    certificate: Certificate | None = None
    verdict: str = ""
    validation: Mapping[str, Any] | None = None

    @property
    def verification(self) -> str:
        """What a verification said last, in words; empty if there was none that is known of."""
        proof = self.certificate
        return f"{proof.verdict}: {proof.detail}".rstrip(": ") if proof is not None else self.verdict

    @property
    def files(self) -> Mapping[str, str]:
        """The candidate's text."""
        return self.record.candidate.files

    @property
    def entry(self) -> str:
        """The text of the first file, whose functions are called."""
        return next(iter(self.files.values()))


def load_discovery(run_dir: Path, identifier: int, *, verdict: str = "") -> Discovery:
    """Read a candidate of a run, and its certificate if there is one.

    Raises:
        UsageError: no such run or candidate, or it failed.
        ProblemError: the run's problem was written by another version.
    """
    reader = RunReader(run_dir)
    try:
        record = reader.candidate(identifier)
        meta = reader.meta()
    finally:
        reader.close()
    if record.evaluation.failure is not None:
        raise UsageError(
            f"candidate {identifier} failed ({record.evaluation.failure}): there is nothing to export",
            hint="`evolve show` has its text, `evolve best` names candidates with a score",
        )
    options, versions = _table(meta, "options"), _table(meta, "versions")
    problem = Problem.from_json(meta["problem"])
    return Discovery(
        problem=problem,
        record=record,
        run=run_dir.resolve().name,
        rng_seed=options.get("rng_seed"),
        version=str(versions.get("evolve-discovery", "of unknown version")),
        export=problem.tables.export or _declared_since(problem.folder),
        certificate=stored_certificate(run_dir, record),
        verdict=verdict,
        validation=stored_validation(run_dir),
    )


def stored_certificate(run_dir: Path, record: CandidateRecord) -> Certificate | None:
    """The certificate that `evolve verify` wrote for this very text; None if there is none that can be read."""
    path = run_dir / CERTIFICATES / f"{record.candidate.id}.json"
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("schema") != CERTIFICATE_SCHEMA:
        return None
    if document.get("files") != dict(record.candidate.files) or not isinstance(document.get("certificate"), dict):
        return None
    value = document.get("value")
    return Certificate(
        name=f"{CERTIFICATES}/{path.name}",
        sha256=hashlib.sha256(content).hexdigest(),
        verdict=str(document.get("verdict")),
        value=float(value) if isinstance(value, int | float) else None,
        detail=str(document.get("detail", "")),
        body=document["certificate"],
    )


def _declared_since(folder: Path) -> ExportTable | None:
    """What the problem's file says now of what its programs are: that may be added after a run.

    Raises:
        ProblemError: it says something wrong.
    """
    try:
        raw = tomllib.loads((folder / PROBLEM_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # the folder is gone or is being edited: the run knows all else
    if not isinstance(raw.get("export"), dict):
        return None
    try:
        return ExportTable.model_validate(raw["export"])
    except ValidationError as error:
        wrong = "; ".join(f"export.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ProblemError(f"{folder / PROBLEM_FILE}: {wrong}") from error


def _table(meta: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = meta.get(name)
    return table if isinstance(table, Mapping) else {}

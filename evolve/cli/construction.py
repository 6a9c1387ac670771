"""`evolve verify --problem NAME --construction FILE`: what a construction from a file is worth, and its certificate."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.output import Output
from evolve.cli.terminal import clean_line
from evolve.errors import EXIT_FINISHED, EXIT_INTERNAL, EvolveEnvironmentError, UsageError

if TYPE_CHECKING:
    from evaluators.constructions.verdict import Verdict
    from evolve.config.problem import Problem


def verify_file(
    name: str, parameters: Mapping[str, str], file: Path, certificate: Path | None, *, as_json: bool
) -> int:
    """Answer for `evolve verify --construction`; returns the exit code, 1 for a construction that is refused."""
    from evolve.config.problem import load_problem

    if certificate is not None and certificate.exists() and file.exists() and certificate.samefile(file):
        raise UsageError(f"--certificate would replace the construction {file}", hint="give it another name")
    problem = load_problem(name, parameters=parameters)
    if problem.generalizes:
        raise UsageError("a construction is for one size", hint="give one value of each parameter")
    verdict = _verdict(problem, file)
    document: dict[str, Any] = {
        "problem": problem.name,
        "construction": str(file),
        "verdict": "certified" if verdict.valid else "refuted",
        "value": None if verdict.value is None else value_as_float(verdict.score, problem),
        "score": verdict.score,
        "is_exact": verdict.is_exact,
        "detail": verdict.reason,
        "certificate": None,
        "checker": None,
    }
    if verdict.valid and certificate is not None:
        document["certificate"] = str(certificate)
        document["checker"] = str(_write(problem, verdict, certificate))
    Output(as_json=as_json).answer("evolve.verify_construction/1", document, lambda: _lines(document, problem))
    return EXIT_FINISHED if verdict.valid else EXIT_INTERNAL


def _verdict(problem: "Problem", file: Path) -> "Verdict":
    from evaluators.constructions.reading import read_json
    from evaluators.constructions.registry import verify
    from evaluators.constructions.verdict import RejectedError, Verdict

    verifier = _verifier_of(problem)
    try:
        data = read_json(file)
    except RejectedError as error:
        return Verdict(valid=False, reason=str(error))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="--construction names a JSON file") from error
    return verify(verifier, data, problem.tables.parameters)


def _verifier_of(problem: "Problem") -> str:
    from evaluators.spec import CONSTRUCTION_FAMILY

    evaluator = problem.tables.evaluator
    if evaluator.family != CONSTRUCTION_FAMILY:
        hint = "`evolve problems` lists those with an area: their constructions are data; or verify a RUN"
        raise UsageError(f"{problem.name} has no verifier of constructions", hint=hint)
    return str(evaluator.options.get("verifier"))


def value_as_float(score: float | None, problem: "Problem") -> float | None:
    """The value in the problem's own direction."""
    from evaluators.constructions.registry import verifier_named

    if score is None:
        return None
    return score if verifier_named(_verifier_of(problem)).direction == "max" else -score


def _write(problem: "Problem", verdict: "Verdict", target: Path) -> Path:
    """Write the certificate, and its checker beside it."""
    from evaluators.constructions.certificate import certificate_of, checker_of
    from evaluators.constructions.registry import checked_parameters, verifier_named

    verifier = verifier_named(_verifier_of(problem))
    parameters = checked_parameters(verifier, problem.tables.parameters)
    certificate = certificate_of(verifier, parameters, verdict, problem=problem.name)
    checker = checker_of(certificate)
    try:
        target.write_text(json.dumps(certificate, indent=1) + "\n", encoding="utf-8")
        shutil.copyfile(checker, target.parent / checker.name)
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {error.filename or target}: {error.strerror}") from error
    return target.parent / checker.name


def _lines(document: Mapping[str, Any], problem: "Problem") -> Iterator[str]:
    if document["verdict"] == "refuted":
        yield f"refuted: {clean_line(document['detail'])}"
        return
    sort = "exactly" if document["is_exact"] else "with proof"
    yield f"certified: {document['value']!r} for {problem.name}, {sort}; score {document['score']!r}"
    known = problem.tables.known
    if known is not None:
        yield f"best known: {known.value!r} ({known.source})"
    if document["certificate"] is not None:
        yield f"certificate: {document['certificate']}"
        yield f"re-check it with: python {document['checker']} {document['certificate']}"


def recheck_line(path: Path) -> Iterator[str]:
    """How to re-check the certificate of a construction that a run found; nothing for other certificates."""
    from evaluators.constructions.certificate import CHECKERS
    from evaluators.spec import FAMILY_SCHEMA

    proof = json.loads(path.read_text(encoding="utf-8"))["certificate"]
    if proof.get("schema") == FAMILY_SCHEMA:
        proved = [each for each in proof["sizes"] if each["certificate"] is not None]
        for each in proved[-1:]:
            path = path.with_suffix("") / f"{proof['parameter']}{each['size']}.json"
            proof = each["certificate"]
            yield f"each size has a certificate of its own in {path.parent}"
    checker = CHECKERS / str(proof.get("checker", ""))
    if checker.is_file():
        yield f"re-check it with: python {checker} {path}"


def refuse_both(given: Mapping[str, Any]) -> None:
    """Tell what is missing or too much between RUN and the options for a construction.

    Raises:
        click.UsageError: RUN and a construction, or neither, or half of the options.
    """
    of_file = [f"--{name}" for name in ("problem", "construction", "certificate", "parameter") if given[name]]
    if given["run"] is not None and of_file:
        raise click.UsageError(f"RUN and {', '.join(of_file)}: verify a candidate of a run, or a construction")
    if given["run"] is None and not (given["problem"] and given["construction"]):
        raise click.UsageError("give a RUN, or --problem NAME and --construction FILE")

"""Certificates: the repaired construction and what it proves, for a script that needs nothing of ours to re-check."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flint import fmpq

from evaluators.constructions.verdict import Parameters, Verdict, Verifier

SCHEMA = "evolve.construction/1"
CHECKERS = Path(__file__).parent / "checkers"


def certificate_of(verifier: Verifier, parameters: Parameters, verdict: Verdict, *, problem: str) -> dict[str, Any]:
    """The certificate of a valid construction, as JSON data.

    `value` is a rational number as text: exactly the quantity, or a bound that it does not fall short of.
    """
    assert verdict.value is not None
    assert verdict.score is not None
    value = verdict.score if verifier.direction == "max" else -verdict.score
    relation = "equals" if verdict.is_exact else "is at least" if verifier.direction == "max" else "is at most"
    return {
        "schema": SCHEMA,
        "problem": problem,
        "verifier": verifier.name,
        "parameters": dict(parameters),
        "quantity": verifier.quantity,
        "direction": verifier.direction,
        "claim": f"the {verifier.quantity} {relation} `value`, which rounds to {value!r}",
        "relation": relation,
        "value": str(fmpq(verdict.value.numerator, verdict.value.denominator)),  # of any length, unlike Python's
        "value_as_float": value,
        "construction": verdict.construction,
        "checker": verifier.checker,
    }


def checker_of(certificate: Mapping[str, Any]) -> Path:
    """The stand-alone script that re-checks a certificate."""
    return CHECKERS / str(certificate["checker"])

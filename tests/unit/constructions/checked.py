"""Certificates in tests: the checkers as they are shipped, loaded without the rest of the package."""

import importlib.util
import json
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from flint import ctx

from evaluators.constructions.certificate import CHECKERS, certificate_of
from evaluators.constructions.registry import checked_parameters, verifier_named, verify
from evaluators.constructions.verdict import Verdict


def checker(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), CHECKERS / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def certificate(name: str, data: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate of a construction, as it comes back from its file."""
    verdict = verify(name, data, parameters)
    assert verdict.valid, verdict.reason
    return of_verdict(name, verdict, parameters)


def of_verdict(name: str, verdict: Verdict, parameters: Mapping[str, Any]) -> dict[str, Any]:
    verifier = verifier_named(name)
    found = certificate_of(verifier, checked_parameters(verifier, parameters), verdict, problem="a_test")
    loaded: dict[str, Any] = json.loads(json.dumps(found))
    return loaded


def confirm(document: Mapping[str, Any]) -> None:
    """Re-check a certificate; raises where it does not hold. Numbers of any length, as the script takes them.

    A checker is a program of its own and sets the precision of all balls as it likes: that is put back.
    """
    before = sys.get_int_max_str_digits(), ctx.prec
    sys.set_int_max_str_digits(0)
    try:
        checker(document["checker"]).check(document)
    finally:
        sys.set_int_max_str_digits(before[0])
        ctx.prec = before[1]

"""GEPA's contract from the inside: the evaluator that a script gives to `optimize_anything`, called on one candidate.

The script runs until that call, which never returns: what it was given is what we came for.
"""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluators.peers.inside.code_execution import NAMES as CODE_EXECUTION
from evaluators.peers.inside.loading import call, run_script
from evaluators.peers.inside.plain import Entry, entries_of, entry_of, kind_of, text_of
from evaluators.peers.inside.standins import install

CALL = "optimize_anything"
MAX_LOG = 8000
_log: list[str] = []


class _CaughtCall(BaseException):
    """Carries the arguments out of the script; no handler of ordinary errors stops it."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__()
        self.arguments = arguments


class _Settings:
    """Whatever it is told: nothing of it concerns a judge."""

    def __init__(self, *values: Any, **settings: Any) -> None:
        del values
        self.__dict__.update(settings)


@dataclass
class OptimizationState:
    """What earlier evaluations found: nothing here, because every candidate is judged alike."""

    best_example_evals: list[dict[str, Any]] = field(default_factory=list)


def optimize_anything(seed_candidate: Any = None, **arguments: Any) -> None:
    """Never returns."""
    raise _CaughtCall({"seed_candidate": seed_candidate, **arguments})


def log(*values: Any, sep: str = " ", end: str = "\n") -> None:
    """Keep a line for the candidate's author."""
    if sum(map(len, _log)) < MAX_LOG:
        _log.append(sep.join(map(text_of, values)) + end)


def run(home: str, script: str, texts: Sequence[tuple[str, str]], is_one_text: bool) -> list[dict[str, Any]]:
    """Judge a candidate on every example that the script names, or once if it names none."""
    _install()
    arguments = _arguments(os.path.join(home, script))
    candidate: Any = texts[0][1] if is_one_text else dict(texts)
    examples = arguments.get("valset") or arguments.get("dataset")
    evaluate, batch = arguments.get("evaluator"), arguments.get("batch_evaluator")
    if evaluate is None:
        pairs = [(candidate, example) for example in examples or [None]]
        return [_result(each) for each in call(batch, pairs)]
    named = _wanted(evaluate)
    if not examples:
        return [_result(call(evaluate, candidate, **named))]
    return [_result(call(evaluate, candidate, example, **named)) for example in examples]


def _arguments(script: str) -> dict[str, Any]:
    try:
        status = run_script(script, [])
    except _CaughtCall as caught:
        if not callable(caught.arguments.get("evaluator")) and not callable(caught.arguments.get("batch_evaluator")):
            raise TypeError(f"{CALL} was given no evaluator") from None
        return caught.arguments
    raise RuntimeError(f"{os.path.basename(script)} ended with status {status} before it called {CALL}")


def _wanted(evaluate: Callable[..., Any]) -> dict[str, Any]:
    try:
        names = inspect.signature(evaluate).parameters
    except (TypeError, ValueError):
        return {}
    return {"opt_state": OptimizationState()} if "opt_state" in names else {}


def _result(result: Any) -> dict[str, Any]:
    """One answer: a score, or a pair of a score and what there is to say about it."""
    score, info = result if isinstance(result, tuple | list) and len(result) == 2 else (result, {})
    entry = entry_of("score", score)
    if entry[1] == "text":
        raise TypeError(f"the evaluator returned {kind_of(score)} as the score, expected a number")
    told: list[Entry] = entries_of(info if isinstance(info, Mapping) else {"info": info})
    if _log:
        told.append(["log", "text", text_of("".join(_log))])
        _log.clear()
    return {"score": entry, "info": told}


def _install() -> None:
    settings = (
        "EngineConfig", "GEPAConfig", "MergeConfig", "OptimizeAnythingConfig", "RefinerConfig", "ReflectionConfig",
        "TrackingConfig", "Image",
    )  # fmt: skip
    names: dict[str, Any] = {name: type(name, (_Settings,), {}) for name in settings}
    names |= {CALL: optimize_anything, "log": log, "OptimizationState": OptimizationState}
    names |= {"SideInfo": dict, "Candidate": dict, "Evaluator": Callable, "GEPAResult": dict}
    names |= {"get_log_context": lambda: None, "set_log_context": lambda _: None}
    install({"gepa.optimize_anything": names, "gepa.utils.code_execution": CODE_EXECUTION})

"""AlphaEvolve's client contract from the inside: a script with `--output-file`, or a function of a program."""

import asyncio
import importlib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluators.peers.inside.files import RESULTS
from evaluators.peers.inside.loading import call, run_script
from evaluators.peers.inside.plain import entries_of, entry_of, kind_of, text_of
from evaluators.peers.inside.standins import install

OUTPUT = "scores.json"
MAX_JSON_BYTES = 8 << 20
MAX_SCORES = 200


class _Model:
    """What every model of the client offers."""

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """Plain data, without what was not set."""
        return {name: value for name, value in asdict(self).items() if value is not None}  # type: ignore[call-overload]


@dataclass
class AlphaEvolveEvaluationScore(_Model):
    """One metric."""

    metric: str
    score: float | None = None


@dataclass
class AlphaEvolveEvaluationScores(_Model):
    """All metrics, the one that counts first."""

    scores: list[Any] = field(default_factory=list)


@dataclass
class AlphaEvolveEvaluationInsight(_Model):
    """A text about the program."""

    label: str
    text: str


@dataclass
class AlphaEvolveEvaluationInsights(_Model):
    """All texts."""

    insights: list[Any] = field(default_factory=list)


@dataclass
class AlphaEvolveProgramEvaluation(_Model):
    """Metrics and texts."""

    scores: Any
    insights: Any = None


MODELS: dict[str, Any] = {
    each.__name__: each
    for each in (
        AlphaEvolveEvaluationScore,
        AlphaEvolveEvaluationScores,
        AlphaEvolveEvaluationInsight,
        AlphaEvolveEvaluationInsights,
        AlphaEvolveProgramEvaluation,
    )
}


def run_file(home: str, evaluator: str, program_path: str, options: list[str]) -> dict[str, Any]:
    """Run the script with those of its options that it knows, and read the file it wrote."""
    output = os.path.join(os.path.dirname(home), RESULTS, OUTPUT)
    os.makedirs(os.path.dirname(output), exist_ok=True)
    values = {"--output-file": output, "--program-dir": os.path.dirname(program_path)}
    values["--input-program-file"] = program_path
    arguments = [part for option in options for part in (option, values[option])]
    status = run_script(os.path.join(home, evaluator), arguments)
    try:
        with open(output, "rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
        return _described(json.loads(data if len(data) <= MAX_JSON_BYTES else b"null"))
    except FileNotFoundError:
        raise RuntimeError(f"{evaluator} wrote no --output-file and ended with exit status {status}") from None


def run_function(module: str, function: str, files: list[tuple[str, str]]) -> dict[str, Any]:
    """Call the function as the client's controller does."""
    install({"alpha_evolve.models": MODELS})
    evaluate = getattr(importlib.import_module(module), function)
    contents = [{"path": name, "content": text} for name, text in files]
    result = call(evaluate, {"name": "programs/candidate", "content": {"files": contents}})
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    return _described(result.model_dump() if hasattr(result, "model_dump") else result)


async def _awaited(result: Any) -> Any:
    return await result


def _described(result: Any) -> dict[str, Any]:
    """Scores in order, texts by label: from nested models, a list, one number, or a flat mapping."""
    if not isinstance(result, Mapping):
        raise TypeError(f"the evaluator answered with {kind_of(result)}, expected keys with values")
    scores = _inner(result.get("scores"), "scores")
    insights = _inner(result.get("insights"), "insights")
    if scores is None and "score" in result:
        scores = [{"metric": "score", "score": result["score"]}]
    if scores is None:
        scores = [{"metric": name, "score": value} for name, _, value in entries_of(result)]
    told = [
        entry_of(text_of(each.get("label", "insight"), 120), text_of(each.get("text", ""))) for each in insights or []
    ]
    found = [entry_of(text_of(each.get("metric", "score"), 120), each.get("score")) for each in scores[:MAX_SCORES]]
    return {"scores": found, "insights": told}


def _inner(value: Any, name: str) -> list[Mapping[str, Any]] | None:
    if isinstance(value, Mapping):
        value = value.get(name, [value] if "metric" in value else [])
    return None if not isinstance(value, list) else [each for each in value if isinstance(each, Mapping)]

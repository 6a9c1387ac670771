"""The figures of a run for Prometheus: its text format, version 0.0.4."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evolve.loop import Event

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_LABEL = 200
Labels = tuple[tuple[str, str], ...]
_TOKEN_KINDS = ("input", "cached", "output", "reasoning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One family: its samples are values by labels; a value of None is left out."""

    name: str
    kind: str
    help: str
    samples: Mapping[Labels, float | None]


@dataclass(slots=True)
class Gauges:
    """What is known of a run, from its events: hears everything, and writes it down when asked."""

    run: str = ""
    problem: str = ""
    rng_seed: int | None = None
    over: bool = False
    latest: Mapping[str, Any] = field(default_factory=dict)
    updated: float | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def hear(self, event: "Event") -> None:
        """Take one event of the loop."""
        if event.kind == "started":
            self.run, self.problem = str(event.data.get("run", "")), str(event.data.get("problem", ""))
            self.rng_seed = event.data.get("rng_seed")
        elif event.kind == "progress":
            self.latest, self.updated = event.data, self.now().timestamp()
        elif event.kind == "stopped":
            self.over = True

    def exposition(self) -> str:
        """All figures as text; every sample says which run it is of."""
        common = (("problem", self.problem), ("run", self.run))
        return "".join(_family(metric, common) for metric in self._metrics())

    def _metrics(self) -> Iterator[Metric]:
        going = 0.0 if self.over or not self.run else 1.0
        seed = "" if self.rng_seed is None else str(self.rng_seed)
        yield Metric(name="run_info", kind="gauge", help="The run that is going on.", samples={(("seed", seed),): 1.0})
        yield _one("up", "gauge", "1 while the search goes on, 0 before and after.", going)
        yield _one(
            "updated_timestamp_seconds", "gauge", "When the run last said how far it is, Unix time.", self.updated
        )
        if self.latest:
            yield from _search_metrics(self.latest)
            yield from _machine_metrics(self.latest)
        if self.latest.get("models"):
            yield from _model_metrics(self.latest["models"])


def _one(name: str, kind: str, text: str, value: Any) -> Metric:
    return Metric(name=name, kind=kind, help=text, samples={(): _number(value)})


def _many(name: str, text: str, label: str, values: Mapping[str, Any]) -> Metric:
    samples: dict[Labels, float | None] = {
        ((label, str(key)),): _number(value) for key, value in sorted(values.items())
    }
    return Metric(name=name, kind="counter", help=text, samples=samples)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _search_metrics(data: Mapping[str, Any]) -> Iterator[Metric]:
    yield _one("evaluations_total", "counter", "Candidates judged in all sessions of the run.", data.get("evaluations"))
    yield _one("iterations_total", "counter", "Iterations told, the seed program's among them.", _next(data))
    yield _one("duplicates_total", "counter", "Children that were known before, never judged.", data.get("duplicates"))
    yield _many("failures_total", "Failed evaluations by type.", "type", data.get("failures_by_type") or {})
    yield _one("best_score", "gauge", "The best score so far; higher is better.", data.get("best_score"))
    yield _one("elites", "gauge", "Candidates that hold a place in the archive.", data.get("elites"))
    yield _one("coverage_ratio", "gauge", "Filled cells over all cells, 0 to 1.", data.get("coverage"))
    yield _one("qd_score", "gauge", "Sum over elites of score above the offset.", data.get("qd_score"))


def _next(data: Mapping[str, Any]) -> int | None:
    last = data.get("iterations")
    return None if last is None else int(last) + 1


def _machine_metrics(data: Mapping[str, Any]) -> Iterator[Metric]:
    yield _one("in_flight", "gauge", "Iterations that are being worked on.", data.get("in_flight"))
    yield _one("workers", "gauge", "Worker processes.", data.get("workers"))
    yield _one("lost_workers_total", "counter", "Workers that died and were replaced.", data.get("lost_workers"))
    yield _one("paused", "gauge", "1 while the run is paused.", bool(data.get("paused")))
    yield _one("seconds_total", "counter", "Wall time of all sessions, without pauses.", data.get("seconds"))


def _model_metrics(totals: Mapping[str, Any]) -> Iterator[Metric]:
    outcomes = totals.get("outcomes") or {}
    yield _many("llm_requests_total", "Requests to language models by how they ended.", "outcome", outcomes)
    tokens = {kind: totals.get(f"{kind}_tokens") or 0 for kind in _TOKEN_KINDS}
    yield _many("llm_tokens_total", "Tokens; cached ones are input too, reasoning ones output.", "kind", tokens)
    yield _one("llm_cost_usd_total", "counter", "Known cost of requests in US dollars.", totals.get("cost_usd"))
    yield _one("llm_unpriced_total", "counter", "Requests whose price is unknown.", totals.get("unpriced"))


def _family(metric: Metric, common: Labels) -> str:
    name = f"evolve_{metric.name}"
    lines = [
        f"{name}{{{_labels((*common, *labels))}}} {_value(value)}\n"
        for labels, value in metric.samples.items()
        if value is not None
    ]
    return f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n" + "".join(lines) if lines else ""


def _labels(pairs: Labels) -> str:
    return ",".join(f'{key}="{_escaped(value)}"' for key, value in pairs)


def _escaped(value: str) -> str:
    r"""A label's value: backslash, quote and newline become `\\`, `\"` and `\n`; what UTF-8 cannot carry a mark."""
    text = value[:MAX_LABEL].encode("utf-8", "replace").decode("utf-8")
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)

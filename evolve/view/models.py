"""Language models: requests, how they ended, tokens, money, and what came of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from evolve.store.calls import NEVER_SENT
from evolve.view.run import RunView

MANY_CALLS = 300_000
"""Beyond so many requests what came of each model's answers is not counted: it takes a look at every candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One language model over the whole run. `cost_usd` adds up what is known; `unpriced` requests have no price.

    `evaluations` came of iterations whose last answer was its, `kept` of them became elites; None where there are too
    many to count.
    """

    model: str
    requests: int
    ok: int
    outcomes: Mapping[str, int]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float
    unpriced: int
    seconds: float
    evaluations: int | None
    kept: int | None


def model_rows(view: RunView) -> list[ModelRow]:
    """Every model that was asked, the one with the most requests first; none in a run without models."""
    if not view.has("call"):
        return []
    n_calls = view.number("SELECT max(id) FROM call")
    brought = _brought(view) if n_calls <= MANY_CALLS else None
    outcomes: dict[str, dict[str, int]] = {}
    for row in view.rows("SELECT model, outcome, count(*) AS n FROM call GROUP BY 1, 2 ORDER BY n DESC, outcome"):
        outcomes.setdefault(row["model"], {})[row["outcome"]] = row["n"]
    sums = view.rows(
        "SELECT model, sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,"
        " sum(output_tokens) AS output_tokens, coalesce(sum(cost_usd), 0.0) AS cost_usd,"
        " sum(cost_usd IS NULL) AS unpriced, sum(seconds) AS seconds FROM call GROUP BY model"
    )
    rows = [_row(dict(row), outcomes.get(row["model"], {}), brought) for row in sums]
    return sorted(rows, key=lambda row: (-row.requests, row.model))


def _row(
    sums: dict[str, object], outcomes: Mapping[str, int], brought: Mapping[str, tuple[int, int]] | None
) -> ModelRow:
    evaluations, kept = (None, None) if brought is None else brought.get(str(sums["model"]), (0, 0))
    return ModelRow(
        **sums,  # type: ignore[arg-type]  # the columns of the query are the fields
        requests=sum(n for outcome, n in outcomes.items() if outcome not in NEVER_SENT),
        ok=outcomes.get("ok", 0),
        outcomes=outcomes,
        evaluations=evaluations,
        kept=kept,
    )


def _brought(view: RunView) -> dict[str, tuple[int, int]]:
    """For each model the candidates of iterations that it answered, and how many of them were kept."""
    rows = view.rows(
        "WITH answered AS (SELECT iteration, model FROM call WHERE is_final AND outcome = 'ok'"
        " GROUP BY iteration HAVING ordinal = max(ordinal))"
        " SELECT answered.model, count(*) AS n, sum(c.status IN ('new', 'improved')) AS kept"
        " FROM answered JOIN candidate AS c ON c.iteration = answered.iteration GROUP BY answered.model"
    )
    return {row["model"]: (row["n"], row["kept"]) for row in rows}

"""Requests to language models in `run.db`: how they are written, read and added up."""

import json
import sqlite3
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from evolve.store.records import CallRecord

CALL_TABLES = """
CREATE TABLE call (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, iteration INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL, purpose TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL,
  prompt_hash TEXT NOT NULL, outcome TEXT NOT NULL, text BLOB NOT NULL, detail TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, is_estimated INTEGER NOT NULL, cost_usd REAL,
  seconds REAL NOT NULL, request_id TEXT NOT NULL, model_reported TEXT NOT NULL, is_final INTEGER NOT NULL) STRICT;
CREATE INDEX call_question ON call (iteration, ordinal);
CREATE TABLE prompt (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
"""
NEVER_SENT = ("no_budget", "unavailable")
"""Outcomes of questions for which nothing left this machine: they are on record so that a replay finds them."""
_COLUMNS = tuple(each.name for each in fields(CallRecord))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTotals:
    """Sums over requests. `cost_usd` adds up what is known, `unpriced` counts the requests with an unknown price.

    `outcomes` also counts questions that were never sent; `requests` does not.
    """

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """What a budget of tokens counts: input and output."""
        return self.input_tokens + self.output_tokens

    def plus(self, call: CallRecord) -> "CallTotals":
        """The totals with one more request."""
        return CallTotals(
            requests=self.requests + (call.outcome not in NEVER_SENT),
            input_tokens=self.input_tokens + call.input_tokens,
            cached_tokens=self.cached_tokens + call.cached_tokens,
            output_tokens=self.output_tokens + call.output_tokens,
            reasoning_tokens=self.reasoning_tokens + call.reasoning_tokens,
            cost_usd=self.cost_usd + (call.cost_usd or 0.0),
            unpriced=self.unpriced + (call.cost_usd is None),
            outcomes={**self.outcomes, call.outcome: self.outcomes.get(call.outcome, 0) + 1},
        )

    def to_mapping(self) -> dict[str, Any]:
        """The totals as JSON data."""
        return {**asdict(self), "tokens": self.tokens}


def insert_call(connection: sqlite3.Connection, call: CallRecord, *, at: str, prompt: Mapping[str, Any] | None) -> None:
    """Write one request, and its prompt unless that is there already; to be called in a transaction."""
    if prompt is not None:
        row = (call.prompt_hash, _packed(json.dumps(prompt, ensure_ascii=False)))
        connection.execute("INSERT OR IGNORE INTO prompt VALUES (?, ?)", row)
    values = {**asdict(call), "text": _packed(call.text)}
    names = ", ".join(_COLUMNS)
    marks = ", ".join("?" * (len(_COLUMNS) + 1))
    connection.execute(f"INSERT INTO call (at, {names}) VALUES ({marks})", (at, *(values[each] for each in _COLUMNS)))  # noqa: S608


def call_of(row: sqlite3.Row) -> CallRecord:
    """The request that a row of the table `call` holds."""
    values = {name: row[name] for name in _COLUMNS}
    flags = {name: bool(row[name]) for name in ("is_estimated", "is_final")}
    return CallRecord(**{**values, **flags, "text": _unpacked(row["text"])})


def prompt_of(body: bytes) -> dict[str, Any]:
    """The prompt that a row of the table `prompt` holds, as JSON data."""
    prompt: dict[str, Any] = json.loads(_unpacked(body))
    return prompt


def totals_of(rows: list[sqlite3.Row]) -> CallTotals:
    """Totals from sums by outcome, see `TOTALS_QUERY`."""
    return CallTotals(
        requests=sum(row["questions"] for row in rows if row["outcome"] not in NEVER_SENT),
        input_tokens=sum(row["input_tokens"] for row in rows),
        cached_tokens=sum(row["cached_tokens"] for row in rows),
        output_tokens=sum(row["output_tokens"] for row in rows),
        reasoning_tokens=sum(row["reasoning_tokens"] for row in rows),
        cost_usd=sum(row["cost_usd"] for row in rows),
        unpriced=sum(row["unpriced"] for row in rows),
        outcomes={row["outcome"]: row["questions"] for row in rows},
    )


TOTALS_QUERY = (
    "SELECT outcome, count(*) AS questions, sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,"
    " sum(output_tokens) AS output_tokens, sum(reasoning_tokens) AS reasoning_tokens,"
    " coalesce(sum(cost_usd), 0.0) AS cost_usd, sum(cost_usd IS NULL) AS unpriced"
    " FROM call GROUP BY outcome ORDER BY outcome"
)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def _unpacked(body: bytes) -> str:
    return zlib.decompress(body).decode("utf-8", "surrogatepass")

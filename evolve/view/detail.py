"""All about one candidate: program, change, judgement, and what language models were asked for it."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import loads
from typing import Any

from evolve.store import CallRecord, CandidateRecord
from evolve.view.lineage import n_children
from evolve.view.run import RunView

N_CHILDREN = 100
MAX_DIFF_LINES = 20_000
"""Programs with more lines are not compared line by line: that takes time that grows with the square."""
MAX_DIFF_CHARACTERS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question of the candidate's iteration to a language model, with the answer that was taken.

    `prompt` is empty where the run did not keep it.
    """

    ordinal: int
    purpose: str
    model: str
    outcome: str
    detail: str
    prompt: str
    reply: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationFacts:
    """The iteration that made a candidate: its cost in the units of its operator, how many candidates came of it."""

    number: int
    operator: str
    cost: float
    reward: float
    seconds: float
    n_candidates: int
    n_duplicates: int
    notes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A candidate and what surrounds it. `diff` is to its first parent, empty for the seed program."""

    record: CandidateRecord
    parent: CandidateRecord | None
    diff: str
    children: tuple[int, ...]
    n_children: int
    places: tuple[tuple[int, int, int], ...]
    iteration: IterationFacts | None
    exchanges: tuple[Exchange, ...]

    @property
    def cost_usd(self) -> float | None:
        """What its iteration's questions cost; None if there were none or a price is unknown."""
        costs = [each.cost_usd for each in self.exchanges]
        return sum(cost for cost in costs if cost is not None) if costs and None not in costs else None


def detail(view: RunView, identifier: int) -> Detail:
    """Read a candidate with its surroundings.

    Raises:
        UsageError: no candidate has this id.
    """
    record = view.reader.candidate(identifier)
    parents = record.candidate.parent_ids
    parent = view.reader.candidate(parents[0]) if parents else None
    children = view.rows("SELECT DISTINCT candidate FROM parent WHERE parent = ? LIMIT ?", identifier, N_CHILDREN)
    places = view.rows("SELECT island, cell, rank FROM elite WHERE candidate = ? ORDER BY 1, 2, 3", identifier)
    return Detail(
        record=record,
        parent=parent,
        diff="" if parent is None else _diff(parent, record),
        children=tuple(row["candidate"] for row in children),
        n_children=len(children) if len(children) < N_CHILDREN else n_children(view, identifier),
        places=tuple((row["island"], row["cell"], row["rank"]) for row in places),
        iteration=_iteration(view, record.candidate.iteration),
        exchanges=tuple(_exchanges(view, record.candidate.iteration)),
    )


def best_candidate(view: RunView) -> int | None:
    """The id of the best candidate, None while nothing has a score; the seed program may have failed."""
    rows = view.rows("SELECT id FROM candidate WHERE score IS NOT NULL ORDER BY score DESC, id LIMIT 1")
    return rows[0]["id"] if rows else None


def _diff(old: CandidateRecord, new: CandidateRecord) -> str:
    labels = f"candidate {old.candidate.id}", f"candidate {new.candidate.id}"
    return program_diff(old.candidate.files, new.candidate.files, *labels)


def program_diff(old: Mapping[str, str], new: Mapping[str, str], old_label: str, new_label: str) -> str:
    """The difference of two programs, file by file; for very long ones a line that says so."""
    texts = [*old.values(), *new.values()]
    if sum(map(len, texts)) > MAX_DIFF_CHARACTERS or sum(text.count("\n") for text in texts) > MAX_DIFF_LINES:
        return f"(too long to compare: {sum(map(len, texts)):,} characters)\n"
    parts: list[str] = []
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        names = f"{name} ({old_label})", f"{name} ({new_label})"
        parts += [f"{line}\n" for line in difflib.unified_diff(before, after, *names, lineterm="")]
    return "".join(parts)


def _iteration(view: RunView, number: int) -> IterationFacts | None:
    rows = view.rows("SELECT * FROM iteration WHERE number = ?", number)
    if not rows:
        return None
    values = dict(rows[0])
    return IterationFacts(
        **{name: values[name] for name in ("number", "operator", "cost", "reward", "seconds", "n_duplicates")},
        n_candidates=view.number("SELECT count(*) FROM candidate WHERE iteration = ?", number),
        notes=loads(values.get("notes") or "{}"),
    )


def _exchanges(view: RunView, iteration: int) -> Iterator[Exchange]:
    if not view.has("call"):
        return
    query = "SELECT DISTINCT ordinal FROM call WHERE iteration = ? ORDER BY ordinal"
    for row in view.rows(query, iteration):
        calls = view.reader.reply(iteration, row["ordinal"])
        if calls:
            yield _exchange(view, calls)


def _exchange(view: RunView, calls: list[CallRecord]) -> Exchange:
    last = next((call for call in calls if call.is_final), calls[-1])
    costs = [call.cost_usd for call in calls]
    return Exchange(
        ordinal=last.ordinal,
        purpose=last.purpose,
        model=last.model,
        outcome=last.outcome,
        detail=last.detail,
        prompt=_prompt_text(view.reader.prompt(last.prompt_hash)),
        reply=last.text,
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(call.seconds for call in calls),
        attempts=len(calls),
    )


def _prompt_text(prompt: Mapping[str, Any] | None) -> str:
    """A prompt's parts under their roles."""
    if prompt is None:
        return ""
    system = prompt.get("system") or ()
    parts = [f"[system]\n{part}" for part in ((system,) if isinstance(system, str) else system)]
    turns = prompt.get("turns") or ()
    parts += [f"[{turn.get('role')}]\n{turn.get('text')}" for turn in turns if isinstance(turn, Mapping)]
    return "\n\n".join(parts)

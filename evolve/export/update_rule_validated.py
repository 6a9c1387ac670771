"""What `evolve validate` has said about a rule, for the head of its export. The file is read as text of any origin."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

VALIDATION = "validation.json"
LARGEST = 10_000_000
"""Bytes of a file that is still read."""
MOST = 1e9
"""A speed-up beyond this is no number that a validation wrote."""


def stored_validation(run_dir: Path) -> Mapping[str, Any] | None:
    """What the last validation of a run wrote; None if there is none that can be read."""
    path = run_dir / VALIDATION
    try:
        if path.stat().st_size > LARGEST:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def validation_lines(document: Mapping[str, Any] | None, rule_text: str) -> list[str]:
    """Sentences for the head of the rule with this canonical text."""
    if document is None:
        return ["Not validated: `evolve validate` sets it against tuned baselines on tasks that nothing was chosen on."]
    if document.get("rule") != rule_text:
        chosen = str(document.get("chosen"))[:60]
        return [f"Not validated: of this run's rules `evolve validate` chose another one, {chosen}."]
    contests = document.get("contests")
    known = contests if isinstance(contests, list) else []
    told = [line for each in known if isinstance(each, dict) for line in _told(each)]
    longer = document.get("longer")
    if isinstance(longer, dict):
        told += [f"at a longer horizon {line}" for line in _told(longer)]
    if not told:
        return ["Validated, with nothing that can be told here."]
    effort = str(document.get("effort"))[:20]
    return [f"VALIDATED (`evolve validate`, effort {effort}) on test tasks, every rule tuned: {'; '.join(told)}."]


def _told(contest: Mapping[str, Any]) -> Iterator[str]:
    """A contest in words: how often won and lost, after the correction for many tasks, and the mean speed-up."""
    counts = [contest.get(name) for name in ("won", "lost", "even")]
    if not all(isinstance(each, int) for each in counts):
        return
    won, lost, even = (int(each) for each in counts if isinstance(each, int))
    factors = [_factor(contest.get("speed_up"), "steps"), _factor(contest.get("speed_up_in_time"), "time")]
    means = ", ".join(each for each in factors if each)
    opponent = str(contest.get("opponent"))[:40]
    yield f"{means or 'no mean'} against {opponent} ({won} of {won + lost + even} tasks won, {lost} lost)"


def _factor(value: object, what: str) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0.0 < value < MOST
    return f"x{value:.2f} in {what}" if is_number else ""

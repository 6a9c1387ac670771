"""`scripted:FILE`: replies from a file, in order, faults included; for tests and demonstrations.

The file holds JSON lines, or TOML with `[[replies]]`. A reply has `text`, and may have: `match` (a text that the prompt
must hold), `times` (how often it serves, 1 if left out), `outcome` (a word of `Outcome`), `detail`,
`retry_after_seconds`, `default = true` (it serves whenever no other one fits) and `usage` with numbers of tokens.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from evolve.errors import UsageError
from evolve.llm.contract import Completion, Outcome, Prompt, Usage
from evolve.llm.fake import estimated_usage

_NEVER_SENT = (Outcome.NO_BUDGET, Outcome.UNAVAILABLE)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "match": (str,),
    "times": (int,),
    "outcome": (str,),
    "detail": (str,),
    "retry_after_seconds": (int, float),
    "default": (bool,),
    "usage": (dict,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One line of the script."""

    text: str = ""
    match: str = ""
    times: int = 1
    outcome: Outcome = Outcome.OK
    detail: str = ""
    retry_after_seconds: float | None = None
    default: bool = False
    usage: Usage | None = None


class ScriptedModel:
    """Serves the first reply that is left and fits the prompt, else the default.

    Without a default it says `quota` when nothing is left, which stops it for the session. The script begins anew when
    a run is resumed.
    """

    def __init__(self, replies: Sequence[Reply], *, name: str = "scripted:") -> None:
        self.name = name
        self._replies = [reply for reply in replies if not reply.default]
        self._left = [reply.times for reply in self._replies]
        self._default = next((reply for reply in replies if reply.default), None)

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        """Answer at once."""
        del total_seconds, idle_seconds
        reply = self._next(prompt)
        if reply is None:
            return Completion(outcome=Outcome.QUOTA, detail=f"{self.name} has no reply left for this prompt")
        is_answer = reply.outcome in (Outcome.OK, Outcome.LENGTH, Outcome.CUT, Outcome.REFUSED)
        usage = reply.usage or (estimated_usage(prompt, reply.text) if is_answer else Usage())
        return Completion(
            outcome=reply.outcome,
            text=reply.text,
            detail=reply.detail,
            usage=usage,
            retry_after_seconds=reply.retry_after_seconds,
            model_reported="scripted",
        )

    async def close(self) -> None:
        """Nothing is open."""

    def _next(self, prompt: Prompt) -> Reply | None:
        said = "\n".join(prompt.texts)
        for place, reply in enumerate(self._replies):
            if self._left[place] > 0 and reply.match in said:
                self._left[place] -= 1
                return reply
        return self._default


def load_script(path: Path, *, name: str) -> ScriptedModel:
    """Read a script.

    Raises:
        UsageError: the file cannot be read, or a reply is wrong; the message says which and how.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the script {path} cannot be read: {reason}") from None
    rows = _toml_rows(text, path) if path.suffix == ".toml" else _json_rows(text, path)
    if not rows:
        raise UsageError(f"the script {path} holds no reply: expected at least one")
    return ScriptedModel([_reply(row, f"{path}, reply {number}") for number, row in enumerate(rows, 1)], name=name)


def _json_rows(text: str, path: Path) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise UsageError(f"{path}, line {number} is not JSON: {error}") from None
    return rows


def _toml_rows(text: str, path: Path) -> list[Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the script {path} is not TOML: {error}") from None
    rows = data.get("replies")
    if set(data) != {"replies"} or not isinstance(rows, list):
        raise UsageError(f"the script {path} has {', '.join(data) or 'nothing'}: expected [[replies]] alone")
    return rows


def _reply(row: Any, place: str) -> Reply:
    if not isinstance(row, dict):
        raise UsageError(f'{place}: got {row!r:.60}, expected an object such as {{"text": "..."}}')
    for key, value in row.items():
        if key not in _KINDS:
            raise UsageError(f"{place}: {key} is unknown, expected one of {', '.join(_KINDS)}")
        if not isinstance(value, _KINDS[key]) or (isinstance(value, bool) and key != "default"):
            raise UsageError(
                f"{place}: {key} is {value!r:.60}, expected {' or '.join(k.__name__ for k in _KINDS[key])}"
            )
    words = dict(row)
    known = [str(outcome) for outcome in Outcome if outcome not in _NEVER_SENT]
    if words.get("outcome", "ok") not in known:
        raise UsageError(f"{place}: outcome is {words['outcome']!r:.60}, expected one of {', '.join(known)}")
    words["outcome"] = Outcome(words.get("outcome", "ok"))
    if "usage" in words:
        words["usage"] = _usage(words["usage"], place)
    return Reply(**words)


def _usage(table: Mapping[str, Any], place: str) -> Usage:
    known = [field.name for field in fields(Usage) if field.name != "is_estimated"]
    for key, value in table.items():
        if key not in known or type(value) is not int or value < 0:
            raise UsageError(f"{place}: usage has {key} = {value!r:.60}, expected whole numbers for {', '.join(known)}")
    return Usage(**table)

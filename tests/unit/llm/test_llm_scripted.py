"""The scripted model: replies in order, matches, faults and what is wrong with a script."""

import asyncio
import json
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.llm.contract import Completion, LanguageModel, Outcome, Prompt, Turn, Usage
from evolve.llm.scripted import load_script


def script(folder: Path, *rows: object) -> Path:
    path = folder / "script.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def complete(model: LanguageModel, text: str = "hello") -> Completion:
    prompt = Prompt(system=("rules",), turns=(Turn(role="user", text=text),))
    return asyncio.run(model.complete(prompt, total_seconds=1.0, idle_seconds=1.0))


def test_replies_come_in_order_and_then_the_default(tmp_path: Path) -> None:
    rows = [{"text": "one"}, {"text": "rest", "default": True}, {"text": "two", "times": 2}]
    model = load_script(script(tmp_path, *rows), name="scripted:x")

    assert [complete(model).text for _ in range(5)] == ["one", "two", "two", "rest", "rest"]


def test_a_reply_with_a_match_waits_for_its_prompt(tmp_path: Path) -> None:
    rows = [{"text": "for the second", "match": "second"}, {"text": "plain"}]
    model = load_script(script(tmp_path, *rows), name="scripted:x")

    assert [complete(model, text).text for text in ("first", "the second")] == ["plain", "for the second"]


def test_a_line_of_a_script_ends_at_a_line_feed_only(tmp_path: Path) -> None:
    path = tmp_path / "script.jsonl"
    path.write_text('{"text": "one\u2028two\u0085three"}\r\n{"text": "four"}\n', encoding="utf-8")
    model = load_script(path, name="scripted:x")

    assert [complete(model).text for _ in range(2)] == ["one\u2028two\u0085three", "four"]


def test_a_script_without_a_default_ends_in_an_outcome_that_stops_the_model(tmp_path: Path) -> None:
    model = load_script(script(tmp_path, {"text": "one"}), name="scripted:x")

    assert [complete(model).outcome for _ in range(2)] == [Outcome.OK, Outcome.QUOTA]


def test_a_script_can_tell_of_faults_and_tokens(tmp_path: Path) -> None:
    rows = [
        {"outcome": "rate_limited", "retry_after_seconds": 3, "detail": "slow down"},
        {"text": "half", "outcome": "length", "usage": {"input_tokens": 7, "output_tokens": 8}},
    ]
    model = load_script(script(tmp_path, *rows), name="scripted:x")

    limited, cut = complete(model), complete(model)

    assert (limited.outcome, limited.retry_after_seconds, limited.detail) == (Outcome.RATE_LIMITED, 3, "slow down")
    assert limited.usage == Usage()
    assert (cut.outcome, cut.text, cut.usage) == (Outcome.LENGTH, "half", Usage(input_tokens=7, output_tokens=8))


def test_a_script_can_be_toml(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_text('[[replies]]\ntext = """\nlines\n"""\n[[replies]]\nmatch = "x"\n', encoding="utf-8")

    assert complete(load_script(path, name="scripted:x")).text == "lines\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"txt": "a"}, "reply 1: txt is unknown"),
        ({"text": 3}, "reply 1: text is 3, expected str"),
        ({"text": "a", "times": True}, "times is True"),
        ({"outcome": "no_budget"}, "outcome is 'no_budget', expected one of ok"),
        ({"usage": {"tokens": 3}}, "usage has tokens"),
        (["a"], "expected an object"),
    ],
)
def test_a_wrong_reply_is_refused_by_its_place(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_script(script(tmp_path, row), name="scripted:x")


@pytest.mark.parametrize(("name", "text"), [("a.jsonl", ""), ("a.jsonl", "{"), ("a.toml", "x ="), ("a.toml", "x = 1")])
def test_a_file_that_is_no_script_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match=name):
        load_script(path, name="scripted:x")
    with pytest.raises(UsageError, match="No such file"):
        load_script(tmp_path / "none.jsonl", name="scripted:x")

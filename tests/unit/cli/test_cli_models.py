"""What people and scripts read of language models: calls, money, and the options of a run with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evolve.cli.conduct import exit_code_of, report, resume_command_of
from evolve.cli.output import Output
from evolve.cli.spending import dollars, endings, spending
from evolve.loop import RunSummary
from evolve.store import CallRecord, CallTotals, RunWriter
from tests.unit.cli.conftest import Invoke, write_run

PROMPT = {"system": ["Be brief.\x1b[2J"], "turns": [{"role": "user", "text": "Improve x."}], "max_output_tokens": 100}


def a_call(**fields: Any) -> CallRecord:
    call = CallRecord(
        iteration=3,
        ordinal=0,
        attempt=0,
        purpose="code",
        model="small",
        provider="chat",
        prompt_hash="abc",
        outcome="ok",
        text="def f(x): return 1",
        input_tokens=1000,
        cached_tokens=250,
        output_tokens=20,
        cost_usd=0.0125,
        seconds=1.25,
        request_id="r",
        model_reported="small-1",
        is_final=True,
    )
    return replace(call, **fields)


@pytest.fixture
def talkative_run(tmp_path: Path) -> Path:
    """A run that asked twice, once in vain, and did not learn the price of that."""
    run = write_run(tmp_path / "runs" / "talk", [])
    writer = RunWriter.open(run)
    writer.record_call(a_call(), prompt=PROMPT)
    writer.record_call(a_call(ordinal=1, outcome="refused", text="", cost_usd=None, prompt_hash="no", detail="bio\x1b"))
    writer.close()
    return run


def test_people_read_calls_as_a_table_with_what_they_took(talkative_run: Path, invoke: Invoke) -> None:
    lines = invoke("calls", str(talkative_run)).stdout.splitlines()

    assert lines[0].split() == ["call", "iteration", "purpose", "model", "outcome", "read", "written", "USD", "seconds"]
    assert lines[1].split() == ["1", "3", "code", "small", "ok", "1,000", "20", "0.01250", "1.2"]
    assert lines[2].split()[-2:] == ["unknown", "1.2"]
    assert lines[-2] == (
        "2 requests, 2,000 tokens read (25% from the cache), 40 written, 0.0125 USD and 1 request of unknown price"
    )
    assert lines[-1] == "ok 1, refused 1"


def test_only_failed_calls_and_only_the_last_ones_can_be_asked_for(talkative_run: Path, invoke: Invoke) -> None:
    def ids(*arguments: str) -> list[int]:
        document = json.loads(invoke("calls", str(talkative_run), "--json", *arguments).stdout)
        return [call["id"] for call in document["calls"]]

    assert ids() == [1, 2]
    assert ids("--failed") == [2]
    assert ids("--last", "1") == [2]
    assert ids("--last", "0") == [1, 2]


def test_one_call_is_shown_with_its_prompt_and_reply_and_without_what_a_terminal_obeys(
    talkative_run: Path, invoke: Invoke
) -> None:
    text = invoke("calls", str(talkative_run), "--id", "1").stdout
    other = invoke("calls", str(talkative_run), "--id", "2").stdout

    assert "    Be brief." in text
    assert "user:\n    Improve x." in text
    assert "reply:\n    def f(x): return 1" in text
    assert "\x1b" not in text + other
    assert "the prompt was not kept (hash no)" in other
    document = json.loads(invoke("calls", str(talkative_run), "--id", "1", "--json").stdout)
    assert (document["prompt"], document["cost_usd"]) == (PROMPT, 0.0125)
    assert invoke("calls", str(talkative_run), "--id", "9").exit_code == 1  # raised here, exit code 2 by `evolve`


def test_a_run_without_models_says_so(toy_run: Path, invoke: Invoke) -> None:
    assert invoke("calls", str(toy_run)).stdout == "this run asked no language model\n"
    assert "language models" not in invoke("status", str(toy_run)).stdout


def test_the_status_tells_what_each_model_took(talkative_run: Path, invoke: Invoke) -> None:
    lines = invoke("status", str(talkative_run)).stdout.splitlines()

    assert [line.split() for line in lines if line.startswith("small")] == [
        ["small", "2", "1", "2,000", "40", "0.0125", "USD", "and", "1", "request", "of", "unknown", "price"]
    ]
    assert "requests ended: ok 1, refused 1" in lines


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        (CallTotals(), "0.0000 USD"),
        (CallTotals(requests=2, unpriced=2), "cost unknown"),
        (CallTotals(requests=2, cost_usd=1234.5), "1,234.5000 USD"),
        (CallTotals(requests=3, cost_usd=1.0, unpriced=2), "1.0000 USD and 2 requests of unknown price"),
    ],
)
def test_money_that_nobody_knows_is_never_nothing(totals: CallTotals, text: str) -> None:
    assert dollars(totals.to_mapping()) == text
    assert text in spending(totals.to_mapping())


def test_endings_come_most_frequent_first() -> None:
    assert endings({"outcomes": {"cut": 1, "ok": 5, "auth": 1}}) == "ok 5, auth 1, cut 1"


def a_summary(**fields: Any) -> RunSummary:
    summary = RunSummary(
        run="runs/x",
        evaluations=3,
        elites=1,
        best_score=1.0,
        best_id=1,
        archive_hash="abc",
        stopped_by="budget_usd",
        signal=None,
        seconds=1.0,
        models=CallTotals(requests=2, cost_usd=0.5, input_tokens=10, output_tokens=5, outcomes={"ok": 2}).to_mapping(),
    )
    return replace(summary, **fields)


def test_the_report_tells_money_and_resuming_doubles_it(capsys: pytest.CaptureFixture[str]) -> None:
    report(a_summary(), Output(as_json=False), 0)

    text = capsys.readouterr().out
    assert "stopped: what is left of the budget in USD is too little for another request" in text
    assert "language models: 2 requests, 10 tokens read, 5 written, 0.5000 USD" in text
    assert "requests ended: ok 2 (see evolve calls runs/x)" in text
    assert "resume with: evolve resume runs/x --budget-usd 1" in text
    assert resume_command_of(a_summary(stopped_by="budget_tokens")) == "evolve resume runs/x --budget-tokens 30"
    nothing_fits = {**CallTotals().to_mapping(), "budget_usd": 0.001, "budget_tokens": None}
    assert resume_command_of(a_summary(models=nothing_fits)) == "evolve resume runs/x --budget-usd 0.002"


def test_a_repetition_that_differs_is_said_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    equal, different = (a_summary(stopped_by="replayed", replay_equal=each) for each in (True, False))

    assert exit_code_of(equal, target=None, target_required=False) == 0
    assert exit_code_of(different, target=None, target_required=False) == 1
    report(different, Output(as_json=False), 1)
    assert "the archive DIFFERS from that of the recorded run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give a PROBLEM"),
        (("exp2", "--no-symbolic"), "give a language model with --model"),
        (("exp2", "--budget-usd", "0"), "give a number above 0"),
        (("exp2", "--budget-usd", "nan"), "give a number above 0"),
        (("exp2", "--strategy", "greedy"), "greedy"),
    ],
)
def test_wrong_options_of_a_run_with_models_are_named(arguments: tuple[str, ...], words: str, invoke: Invoke) -> None:
    result = invoke("run", *arguments)

    assert result.exit_code == 2
    assert words in result.output


def test_a_repetition_takes_everything_from_the_recorded_run(toy_run: Path, invoke: Invoke) -> None:
    result = invoke("run", "exp2", "--replay", str(toy_run), "--seed", "3", "--model", "fake:", "--time", "3s")

    assert result.exit_code == 2
    assert "leave out PROBLEM, --model, --seed, --time" in result.output.replace("\n", " ")

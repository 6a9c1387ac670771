"""Language models in the loop: repetition, crashes, budgets, silent providers, baselines."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import ModelUnusableError, UsageError
from evolve.llm.anthropic_client import MessagesWire
from evolve.llm.contract import Prompt, Turn
from evolve.loop import Event, replay_run, resume_run
from evolve.store import RunReader
from tests.integration.language_model_runs import calls_of, repeated, rows_of, run, silent


@pytest.mark.parametrize(("language", "workers"), [("python_problem", (1, 4)), ("symbolic_problem", (4,))])
def test_a_repetition_finds_the_same_archive_with_one_worker_and_with_four(
    language: str, workers: tuple[int, ...], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(language)
    recorded = run(folder, tmp_path / "recorded", workers=2, evaluations=20)

    again = [repeated(tmp_path / "recorded", tmp_path / f"again-{n}", workers=n) for n in workers]

    assert replay_run(tmp_path / "recorded").equal
    assert {each.archive_hash for each in again} == {recorded.archive_hash}
    assert {(each.replay_equal, each.stopped_by) for each in again} == {(True, "replayed")}
    assert any("@fake:" in row.candidate.operator for row in rows_of(tmp_path / "recorded"))
    assert {each.evaluations for each in again} == {recorded.evaluations}


def test_a_repetition_with_other_prompts_says_which_question_differs(symbolic_problem: Path, tmp_path: Path) -> None:
    run(symbolic_problem, tmp_path / "recorded", evaluations=6, symbolic=False)
    (symbolic_problem / "prompts").mkdir()
    (symbolic_problem / "prompts" / "instruction.md").write_text("Do something else.\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"question 0 of iteration \d+ .* differs"):
        repeated(tmp_path / "recorded", tmp_path / "again", workers=1)


def test_neither_a_crash_nor_a_spent_budget_changes_the_archive_or_pays_for_a_reply_twice(
    symbolic_problem: Path, tmp_path: Path
) -> None:
    def crash(event: Event) -> None:
        if event.kind == "progress" and event.data["evaluations"] >= 5:
            raise RuntimeError("the controller crashes here")

    with (symbolic_problem / "problem.toml").open("a", encoding="utf-8") as file:
        file.write("\n[llm]\nmax_output_tokens = 256\n")  # so much is set aside for every answer
    whole = run(symbolic_problem, tmp_path / "whole", symbolic=False)
    with pytest.raises(RuntimeError, match="crashes here"):
        run(symbolic_problem, tmp_path / "crashed", crash, symbolic=False)
    poor = run(symbolic_problem, tmp_path / "poor", symbolic=False, budget_tokens=9_000)

    resumed = resume_run(tmp_path / "crashed", silent)
    enriched = resume_run(tmp_path / "poor", silent, budget_tokens=10**7)

    assert resumed.archive_hash == enriched.archive_hash == whole.archive_hash
    for name in ("crashed", "poor"):
        answered = [call for call in calls_of(tmp_path / name) if call.outcome == "ok" and call.is_final]
        assert set(Counter((call.iteration, call.ordinal) for call in answered).values()) == {1}
        assert replay_run(tmp_path / name).equal
    assert poor.models is not None
    assert 0 < poor.models["tokens"] <= 9_000
    assert (poor.stopped_by, enriched.stopped_by) == ("budget_tokens", "evaluations")
    assert "no_budget" in {call.outcome for call in calls_of(tmp_path / "poor")}


def test_without_any_key_the_search_is_that_without_models(
    python_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ANTHROPIC_API_KEY", "EVOLVE_API_KEY_ANTHROPIC", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    warnings: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "warning":
            warnings.append(event.data["text"])

    plain = run(python_problem, tmp_path / "plain", models=())
    keyless = run(python_problem, tmp_path / "keyless", listen, models=("claude-sonnet-5-5",))

    assert keyless.archive_hash == plain.archive_hash
    assert re.search("claude-sonnet-5-5 cannot be used: no key", warnings[0])
    with pytest.raises(ModelUnusableError, match="no key"):
        run(python_problem, tmp_path / "alone", models=("claude-sonnet-5-5",), symbolic=False)
    assert not (tmp_path / "alone").exists()


def test_a_provider_that_dies_is_told_once_and_the_others_go_on(python_problem: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"text": "", "outcome": "auth", "detail": "the key is refused"}) + "\n")
    warnings: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "warning":
            warnings.append(event.data["text"])

    summary = run(python_problem, tmp_path / "run", listen, models=(f"scripted:{script}",), evaluations=25)

    assert summary.stopped_by == "evaluations"
    assert len([text for text in warnings if "cannot be used" in text]) == 1
    assert len([text for text in warnings if "goes on with the operators that need none" in text]) == 1
    assert Counter(call.outcome for call in calls_of(tmp_path / "run"))["auth"] == 1


def test_a_dead_provider_ends_a_run_that_has_nobody_else(python_problem: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"text": "", "outcome": "quota"}) + "\n")

    with pytest.raises(ModelUnusableError, match="no language model can be used") as caught:
        run(python_problem, tmp_path / "run", models=(f"scripted:{script}",), symbolic=False)

    assert caught.value.exit_code == 4
    with closing(RunReader(tmp_path / "run")) as reader:
        assert reader.sessions()[-1]["stopped_by"] == "no_model"


def test_independent_samples_all_have_the_seed_program_as_their_parent(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", strategy="iid", evaluations=20)

    rows = rows_of(tmp_path / "run")[1:]
    operators = {row.candidate.operator for row in rows}
    assert {row.candidate.parent_ids for row in rows} == {(1,)}
    assert operators >= {"diff@fake:", "rewrite@fake:", "literal_edit"}
    assert operators.isdisjoint({"crossover", "crossover@fake:", "repair@fake:", "insight@fake:"})


def test_a_sequential_search_always_goes_on_from_the_last_best(python_problem: Path, tmp_path: Path) -> None:
    run(python_problem, tmp_path / "run", strategy="sequential", window=1)

    best, best_score = 1, float("-inf")
    for row in rows_of(tmp_path / "run"):
        if row.candidate.id > 1:
            assert row.candidate.parent_ids == (best,)
        if (row.evaluation.score or float("-inf")) > best_score:
            best, best_score = row.candidate.id, row.evaluation.score or 0.0
    assert best > 1


def test_prompts_are_kept_unless_the_problem_says_no(symbolic_problem: Path, tmp_path: Path) -> None:
    run(symbolic_problem, tmp_path / "kept", evaluations=3, symbolic=False)
    with (symbolic_problem / "problem.toml").open("a", encoding="utf-8") as file:
        file.write("\n[llm]\nkeep_prompts = false\n")
    run(symbolic_problem, tmp_path / "forgotten", evaluations=3, symbolic=False)

    with closing(RunReader(tmp_path / "kept")) as kept, closing(RunReader(tmp_path / "forgotten")) as forgotten:
        assert all("2 x + 1" in json.dumps(kept.prompt(call.prompt_hash)) for _, _, call in kept.calls())
        assert {forgotten.prompt(call.prompt_hash) for _, _, call in forgotten.calls()} == {None}


@pytest.mark.parametrize("language", ["python_problem", "symbolic_problem"])
def test_every_prompt_of_a_run_begins_with_the_same_bytes_and_a_mark_to_cache_them(
    language: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run(request.getfixturevalue(language), tmp_path / "run", evaluations=20, symbolic=False)

    wire = MessagesWire(model="m")
    with closing(RunReader(tmp_path / "run")) as reader:
        prompts = [as_prompt(reader.prompt(call.prompt_hash)) for _, _, call in reader.calls()]
        purposes = {call.purpose for _, _, call in reader.calls()}
    blocks = [wire.body(prompt, without=())["system"] for prompt in prompts]
    assert purposes >= {"code", "idea", "review", "insight"}
    assert len(prompts) > 15
    assert {json.dumps(each[0]) for each in blocks} == {json.dumps(blocks[0][0])}
    assert blocks[0][0]["cache_control"] == {"type": "ephemeral"}
    assert 1 < len({json.dumps(each[1:]) for each in blocks}) < len(prompts) / 2, "what changes slowly comes next"
    assert len({prompt.turns for prompt in prompts}) > len(prompts) / 2, "what is new comes last"


def as_prompt(data: Mapping[str, Any] | None) -> Prompt:
    """A prompt as it was written down."""
    assert data is not None
    return Prompt(system=tuple(data["system"]), turns=tuple(Turn(**turn) for turn in data["turns"]))

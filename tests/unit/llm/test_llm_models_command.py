"""`evolve models`: what it lists, what it tries, and that no key shows."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli.models_command import models_command
from evolve.errors import EXIT_FINISHED, EXIT_MODEL

CANARY = "sk-canary-1414213562"


@pytest.fixture(autouse=True)
def lonely(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "EVOLVE_MODELS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_the_list_shows_prices_and_whether_a_key_is_there_but_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)

    result = CliRunner().invoke(models_command, [])

    assert result.exit_code == EXIT_FINISHED
    lines = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert "ANTHROPIC_API_KEY" in lines["claude-sonnet-5-5"]
    assert "MISSING" in lines["gpt-6.1-terra"]
    assert CANARY not in result.output


def test_a_test_tells_the_outcome_of_each_model(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text('{"outcome": "overloaded", "detail": "busy"}\n', encoding="utf-8")
    models = [f"scripted:{script}", "fake:", f"manual:{tmp_path / 'box'}", "claude-sonnet-5-5"]

    arguments = [word for model in models for word in ("--model", model)]
    result = CliRunner().invoke(models_command, ["--test", "--json", *arguments])

    assert result.exit_code == EXIT_FINISHED
    rows = json.loads(result.output)["models"]
    assert [row["test"]["outcome"] for row in rows] == ["overloaded", "ok", "not tried", "not tried"]
    assert rows[1]["test"]["output_tokens"] > 0


def test_without_a_single_answer_a_test_ends_with_the_exit_code_for_models() -> None:
    result = CliRunner().invoke(models_command, ["--test", "--model", "claude-sonnet-5-5"])

    assert result.exit_code == EXIT_MODEL
    assert "ANTHROPIC_API_KEY" in result.output


def test_an_address_without_a_name_is_a_mistake() -> None:
    assert CliRunner().invoke(models_command, ["--base-url", "http://127.0.0.1:1/v1"]).exit_code == 2

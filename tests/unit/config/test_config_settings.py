from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.config.settings import KNOWN, Settings, resolve_settings
from evolve.errors import ProblemError, UsageError


def settled(
    home: Path,
    *,
    command_line: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    problem: Any = None,
) -> Settings:
    return resolve_settings(
        command_line=command_line or {},
        environment={"XDG_CONFIG_HOME": str(home), **(environment or {})},
        problem=problem or {},
    )


def write_user_file(home: Path, text: str) -> None:
    (home / "evolve").mkdir()
    (home / "evolve" / "config.toml").write_text(text, encoding="utf-8")


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = settled(tmp_path)

    assert (settings.rng_seed, settings.window, settings.evaluations) == (0, 8, None)
    assert set(settings.origins.values()) == {"default"}


def test_the_nearest_source_wins_key_by_key(tmp_path: Path) -> None:
    write_user_file(tmp_path, "rng_seed = 1\nwindow = 1\nworkers = 1\nseconds = 1\n")

    settings = settled(
        tmp_path,
        problem={"seconds": 2.0, "window": 2, "evaluations": 2},
        environment={"EVOLVE_WINDOW": "3", "EVOLVE_EVALUATIONS": "3", "HOME": "/nowhere"},
        command_line={"evaluations": 4, "target": None},
    )

    assert settings.to_json() == {
        "rng_seed": 1,
        "evaluations": 4,
        "seconds": 2.0,
        "target": None,
        "workers": 1,
        "gpus": None,
        "device": "cpu",
        "window": 3,
        "durability": "full",
        "runs_dir": "runs",
        "unsafe_sandbox": False,
        "model": [],
        "base_url": None,
        "budget_usd": None,
        "budget_tokens": None,
        "strategy": "map_elites",
        "symbolic": True,
    }
    assert settings.origins == {
        "rng_seed": "user file",
        "evaluations": "command line",
        "seconds": "problem.toml",
        "target": "default",
        "workers": "user file",
        "gpus": "default",
        "device": "default",
        "window": "environment",
        "durability": "default",
        "runs_dir": "default",
        "unsafe_sandbox": "default",
        **dict.fromkeys(("model", "base_url", "budget_usd", "budget_tokens", "strategy", "symbolic"), "default"),
    }


def test_all_mistakes_of_all_sources_are_reported_at_once(tmp_path: Path) -> None:
    write_user_file(tmp_path, 'workerz = 2\nwindow = "many"\n')

    with pytest.raises(UsageError) as caught:
        settled(tmp_path, environment={"EVOLVE_SECONDS": "soon"}, command_line={"rng_seed": -1})

    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    file = tmp_path / "evolve" / "config.toml"
    assert lines == [
        f'{file}: workerz: got an unknown key, expected one of {", ".join(KNOWN)}; did you mean "workers"?',
        f'{file}: window: got "many", expected a whole number, 1 or more',
        'EVOLVE_SECONDS: got "soon", expected a number above 0',
        "--rng-seed: got -1, expected a whole number, 0 or more",
    ]


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-3", ""])
def test_a_time_limit_is_a_finite_positive_number(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="EVOLVE_SECONDS"):
        settled(tmp_path, environment={"EVOLVE_SECONDS": value})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("no", False)])
def test_a_truth_value_may_be_written_as_people_do(tmp_path: Path, text: str, *, value: bool) -> None:
    assert settled(tmp_path, environment={"EVOLVE_UNSAFE_SANDBOX": text}).unsafe_sandbox is value


def test_a_problem_cannot_switch_off_the_confinement_of_its_candidates(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text("unsafe_sandbox = true\n", encoding="utf-8")

    with pytest.raises(ProblemError, match="unsafe_sandbox: got an unknown key"):
        load_problem(file)


def test_a_question_is_not_refused_for_a_key_that_it_does_not_need(tmp_path: Path) -> None:
    write_user_file(tmp_path, 'workers = "many"\nruns_dir = "mine"\n')

    settings = resolve_settings(
        command_line={},
        environment={"XDG_CONFIG_HOME": str(tmp_path), "EVOLVE_WINDOW": "wide", "EVOLVE_WINDWO": "3"},
        problem={},
        only=("runs_dir",),
    )

    assert settings.runs_dir == "mine"


def test_models_are_a_list_in_a_file_and_words_in_a_variable(tmp_path: Path) -> None:
    write_user_file(tmp_path, 'model = ["fake:", "chat:small@http://localhost:1/v1"]\n')

    assert settled(tmp_path).model == ("fake:", "chat:small@http://localhost:1/v1")
    assert settled(tmp_path, environment={"EVOLVE_MODEL": "gpt-x  fake:"}).model == ("gpt-x", "fake:")
    assert settled(tmp_path, problem={"model": ["fake:slow"]}, environment={"EVOLVE_MODEL": ""}).model == ()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://here",
        "localhost",
        "http://",
        "http://me:secret@host/v1",
        "http://me:p@/secret@host/v1",
        "ftp://host/v1?key=secret",
        "http://me@host/v1#secret",
    ],
)
def test_an_address_is_one_of_the_web_and_holds_no_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match=r"--base-url: got .*without a password") as caught:
        settled(tmp_path, command_line={"base_url": url})

    assert "secret" not in str(caught.value)


def test_a_problem_cannot_say_where_a_key_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text('[llm]\nmodels = ["chat:x@https://elsewhere"]\nbase_url = "https://elsewhere"\n', encoding="utf-8")

    with pytest.raises(ProblemError) as caught:
        load_problem(file)

    assert "llm.base_url: got an unknown key" in caught.value.message
    assert "names without an address" in caught.value.message


def test_a_truth_value_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--window"):
        settled(tmp_path, command_line={"window": True})


def test_a_user_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    write_user_file(tmp_path, "rng_seed = \n")

    with pytest.raises(UsageError, match=r"config\.toml"):
        settled(tmp_path)

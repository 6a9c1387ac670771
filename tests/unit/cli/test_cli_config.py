"""`config show` and `completion`."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from evolve.cli.app import cli
from evolve.config.settings import KNOWN
from tests.unit.cli.conftest import Invoke


def shown(invoke: Invoke, *arguments: str) -> dict[str, tuple[Any, str]]:
    result = invoke("config", "show", *arguments, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == "evolve.config/1"
    return {row["name"]: (row["value"], row["origin"]) for row in document["settings"]}


def test_every_setting_has_a_value_an_origin_and_a_meaning(invoke: Invoke) -> None:
    rows = json.loads(invoke("config", "show", "--json").stdout)["settings"]

    assert [row["name"] for row in rows] == list(KNOWN)
    assert {row["origin"] for row in rows} == {"default"}
    assert all(row["help"] for row in rows)


def test_the_nearest_source_is_named(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "evolve").mkdir(parents=True)
    (tmp_path / "home" / "evolve" / "config.toml").write_text('workers = 3\nwindow = 9\ndurability = "fast"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EVOLVE_WINDOW", "11")
    monkeypatch.setenv("EVOLVE_SYMBOLIC", "yes")

    found = shown(invoke, "exp2", "--window", "13", "--no-symbolic", "--model", "fake:one", "--model", "fake:two")

    assert found["workers"] == (3, "user file")
    assert found["durability"] == ("fast", "user file")
    assert found["seconds"][1] == "problem.toml"
    assert found["window"] == (13, "command line")
    assert found["symbolic"] == (False, "command line")
    assert found["model"] == (["fake:one", "fake:two"], "command line")
    assert found["rng_seed"] == (0, "default")
    assert shown(invoke, "exp2")["window"] == (11, "environment")


def test_people_see_origins_when_they_ask_and_the_file_that_counts(invoke: Invoke, tmp_path: Path) -> None:
    short = invoke("config", "show").stdout.splitlines()
    long = invoke("config", "show", "--origin", "--workers", "2").stdout.splitlines()

    assert short[0].split() == ["setting", "value"]
    assert long[0].split() == ["setting", "value", "origin"]
    assert ["workers", "2", "command", "line"] in [line.split() for line in long]
    assert long[-1] == f"settings file: {tmp_path / 'no-settings' / 'evolve' / 'config.toml'}"


def test_secrets_are_never_shown(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_API_KEY_HOME", "sk-secret-of-ours")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-theirs")
    monkeypatch.setenv("EVOLVE_BASE_URL", "https://host.example/v1?key=sk-in-the-address#sk-here")

    for arguments in (["--origin"], ["--json"]):
        text = invoke("config", "show", *arguments).output
        assert "sk-" not in text
        assert "https://host.example/v1?..." in text


def test_a_wrong_setting_is_a_mistake_here_as_in_a_run(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_WORKERS", "many")

    assert "EVOLVE_WORKERS" in str(invoke("config", "show").exception)


def completions(*words: str) -> list[str]:
    *before, incomplete = words
    made = ShellComplete(cli, {}, "evolve", "_EVOLVE_COMPLETE")
    return [each.value for each in made.get_completions(before, incomplete)]


def test_commands_problems_and_runs_are_completed(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOLVE_RUNS_DIR", "runs")

    assert {"stop", "status"} <= set(completions("st"))
    assert {"exp", "exp2"} <= set(completions("run", "ex"))
    assert {"exp", "exp2"} <= set(completions("config", "show", "ex"))
    assert completions("status", "") == ["last", "runs/toy/20260102T030405Z-0"]
    assert completions("tail", "runs/t") == ["runs/toy/20260102T030405Z-0"]
    assert "--durability" in completions("run", "--dur")
    assert completions("run", "--durability", "f") == ["full", "fast"]


def test_a_run_whose_name_a_terminal_would_obey_is_not_offered(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOLVE_RUNS_DIR", "runs")
    hostile = Path("runs", "toy", "a\n\x1b[2Jb")
    hostile.mkdir()
    (hostile / "run.db").touch()

    assert completions("status", "") == ["last", "runs/toy/20260102T030405Z-0"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(invoke: Invoke, shell: str, tmp_path: Path) -> None:
    result = invoke("completion", shell)

    assert result.exit_code == 0
    assert "_EVOLVE_COMPLETE" in result.stdout
    assert json.loads(invoke("completion", shell, "--json").stdout)["shell"] == shell
    if (path := shutil.which(shell)) is not None:
        script = tmp_path / "script"
        script.write_text(result.stdout)
        assert subprocess.run([path, "-n", str(script)], check=False, capture_output=True).returncode == 0


def test_another_shell_is_refused_by_name(invoke: Invoke) -> None:
    result = invoke("completion", "cmd")

    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr

import json
import shutil
import sys
from pathlib import Path

import click
import pytest

from evolve.__main__ import main
from evolve.cli.app import cli
from evolve.errors import EvolveEnvironmentError, ResumableError, SeedError

COMMANDS = {
    "best",
    "calls",
    "check",
    "completion",
    "config",
    "dashboard",
    "diff",
    "doctor",
    "export",
    "frontier",
    "lineage",
    "ls",
    "models",
    "new",
    "noise",
    "pause",
    "problems",
    "replay",
    "report",
    "resume",
    "run",
    "show",
    "status",
    "stop",
    "tail",
    "top",
    "validate",
    "verify",
    "version",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))


def failing(error: Exception) -> click.Command:
    @click.command("fail")
    @click.option("--json", is_flag=True)
    def fail(json: bool) -> None:
        raise error

    return fail


def run_failing(error: Exception, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setitem(cli.commands, "fail", failing(error))
    return main(["fail", *options])


def test_every_command_has_help_and_json() -> None:
    assert set(cli.commands) == COMMANDS
    for command in cli.commands.values():
        assert command.help
        leaves = command.commands.values() if isinstance(command, click.Group) else [command]
        for leaf in leaves:
            assert "as_json" in {parameter.name for parameter in leaf.params}


def test_a_known_error_becomes_a_message_with_a_hint_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_failing(SeedError("the seed raised \x1b[2J", hint="mend it"), monkeypatch)

    captured = capsys.readouterr()
    assert code == 3
    assert captured.err == "error: the seed raised \\x1b[2J\nmend it\n"
    assert captured.out == ""


@pytest.mark.parametrize(("error", "code"), [(EvolveEnvironmentError("no disk"), 5), (ResumableError("disk full"), 75)])
def test_scripts_get_errors_as_json_too(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_failing(error, monkeypatch, "--json") == code

    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": "evolve.error/1", "error": str(error), "hint": "", "exit_code": code}


def test_an_unknown_error_ends_with_1_its_trace_and_how_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_failing(ZeroDivisionError("by zero \x1b"), monkeypatch) == 1

    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "error: ZeroDivisionError: by zero \\x1b" in text
    assert "please report it" in text


def test_ctrl_c_in_a_query_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command("fail")
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.commands, "fail", interrupted)

    assert main(["fail"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["best"], "Missing argument 'RUN'"),
        (["best", "nowhere"], "there is none under runs/"),
        (["bset", "last"], "No such command 'bset'"),
        (["run", "exp2", "--time", "soon"], "'soon' is not a duration"),
        (["run", "exp2", "--evaluations", "0"], "0 is not in the range"),
        (["run", "exp2", "--target", "nan"], "give a finite number"),
        (["run", "exp2", "--wrokers", "2"], "No such option"),
        (["ls", "nowhere"], "does not exist"),
        (["problems", "no_such_problem"], 'no problem "no_such_problem"'),
        (["run", "no/such/folder"], "there is no folder no/such/folder"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_is_wrong(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert captured.out == ""


def test_a_wrong_command_line_of_a_script_is_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", "nowhere", "--json"]) == 2

    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_without_a_command_there_is_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    captured = capsys.readouterr()
    assert "Exit codes:" in captured.err
    assert captured.out == ""


def test_a_wrong_setting_in_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("EVOLVE_WRKERS", "2")

    assert main(["run", "exp2", "--run-dir", str(tmp_path / "run")]) == 2

    assert "EVOLVE_WRKERS" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "value"), [("EVOLVE_X", "1"), ("EVOLVE_WORKERS", "many"), ("EVOLVE_WRKERS", "2")])
def test_a_question_does_not_fail_for_a_variable_that_has_no_part_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert main(["ls"]) == 0

    assert name not in capsys.readouterr().err


def test_a_question_fails_for_a_wrong_name_of_the_one_setting_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVOLVE_RUN_DIR", "elsewhere")

    assert main(["ls"]) == 2

    assert "EVOLVE_RUN_DIR: got an unknown key" in capsys.readouterr().err


def test_help_lists_the_commands_in_the_order_of_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    text = capsys.readouterr().out
    assert text.index("  run ") < text.index("  best ") < text.index("  version ")


def test_the_problems_own_folder_is_no_place_for_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = Path(__file__).resolve().parents[3] / "problems" / "exp2"
    folder = shutil.copytree(shipped, tmp_path / "mine")

    assert main(["run", str(folder), "--run-dir", str(folder)]) == 2

    assert "the problem's own folder" in capsys.readouterr().err
    assert not (folder / "run.db").exists()


def test_ctrl_c_while_the_commands_are_loaded_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    class Interrupted:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            del path, target
            if name == "evolve.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "evolve.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    # when
    code = main(["version"])
    # then
    assert code == 130
    assert capsys.readouterr().err == "error: interrupted\n"

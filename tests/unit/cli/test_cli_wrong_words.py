"""Wrong words, and how every ending is told: codes, messages for people, documents for scripts, files on disk."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from evolve import errors
from evolve.__main__ import main
from evolve.cli.app import cli
from evolve.cli.conduct import exit_code_of, resume_command_of
from evolve.cli.output import Output, plain_data
from evolve.cli.program_commands import write_program
from evolve.errors import EvolveEnvironmentError, EvolveError
from evolve.loop import RunSummary

TAKE_A_RUN = ["status", "best", "show", "diff", "lineage", "frontier", "verify", "replay", "resume"]
TAKE_A_CANDIDATE = ["show", "diff", "lineage", "verify"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    monkeypatch.delenv("EVOLVE_RUNS_DIR", raising=False)


def ending(error: BaseException, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    """Run a command that raises; returns the exit code."""

    @click.command("fail")
    @click.option("--json", is_flag=True)
    def fail(json: bool) -> None:
        raise error

    monkeypatch.setitem(cli.commands, "fail", fail)
    return main(["fail", *options])


ENDINGS: list[tuple[BaseException, int]] = [
    (errors.EvolveError("x"), 1),
    (errors.UsageError("x"), 2),
    (errors.ProblemError("x"), 2),
    (errors.SeedError("x"), 3),
    (errors.ModelUnusableError("x"), 4),
    (errors.EvolveEnvironmentError("x"), 5),
    (errors.ResumableError("x"), 75),
    (click.UsageError("x"), 2),
    (click.BadParameter("x"), 2),
    (click.exceptions.Exit(42), 42),
    (click.Abort(), 130),
    (KeyboardInterrupt(), 130),
    (RecursionError("x"), 1),
    (MemoryError(), 1),
    (OSError(errno.EACCES, "denied"), 1),
    (OSError(errno.ENOSPC, "full"), 5),
    (OSError(errno.EDQUOT, "quota"), 5),
    (BrokenPipeError(errno.EPIPE, "gone"), 141),
]


@pytest.mark.parametrize(("error", "code"), ENDINGS, ids=repr)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error, monkeypatch) == code

    assert capsys.readouterr().out == ""


def test_the_help_explains_the_codes_of_all_errors_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    raised = {
        each.exit_code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, EvolveError)
    }

    assert main(["--help"]) == 0

    explained = capsys.readouterr().out.split("Exit codes:")[1].splitlines()
    assert raised | {0, 130} <= {int(line.split()[0]) for line in explained if line.strip()}


@pytest.mark.parametrize("error", [errors.UsageError("no \x1b[2J", hint="try\nthis"), ValueError("a\x07")])
def test_an_error_for_scripts_is_one_line_of_json_and_people_read_it_clean(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ending(error, monkeypatch, "--json")

    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    document = json.loads(line)
    assert list(document) == ["schema", "error", "hint", "exit_code"]
    assert document["exit_code"] == code
    assert not {"\x1b", "\x07"} & set(captured.err)


@pytest.mark.parametrize("command", TAKE_A_RUN)
@pytest.mark.parametrize("run", ["nowhere", "last", "", "/", "\x1b[2J", "."])
def test_a_run_that_is_not_there_is_a_wrong_word(command: str, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, run]) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith("error: no run")
    assert "\x1b" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", [command for command in TAKE_A_RUN if command != "verify"])
def test_a_command_without_its_run_points_to_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 2

    assert capsys.readouterr().err == f"error: Missing argument 'RUN'.\nhelp: evolve {command} --help\n"


@pytest.mark.parametrize("command", TAKE_A_CANDIDATE)
@pytest.mark.parametrize("word", ["BEST", "0x1", "1e1", "+1", "", "1" * 19])
def test_what_is_no_number_of_a_candidate_is_refused_before_anything_is_read(
    command: str, word: str, toy_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(toy_run), word]) == 2

    assert "neither the number of a candidate nor `best`" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "5", "9" * 18])
def test_a_number_that_nobody_has_is_answered_with_the_numbers_there_are(
    number: str, toy_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(toy_run), number, "--json"]) == 2

    assert "ids run from 1 to 4" in json.loads(capsys.readouterr().out)["error"]


def leaves() -> list[str]:
    """All commands as they are typed, those of a group with its name before."""
    groups = {name: command for name, command in cli.commands.items() if isinstance(command, click.Group)}
    inner = [f"{name} {each}" for name, group in groups.items() for each in group.commands]
    return sorted([*(cli.commands.keys() - groups.keys()), *inner])


@pytest.mark.parametrize("name", leaves())
def test_every_command_explains_itself_and_refuses_options_it_does_not_know(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: evolve {name}" in text
    assert "--json" in text

    assert main([*name.split(), "--no-such-option"]) == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "exp2", "--workers", "0"],
        ["run", "exp2", "--workers", "two"],
        ["run", "exp2", "--seed", "-1"],
        ["run", "exp2", "--window", "0"],
        ["run", "exp2", "--time", "0"],
        ["run", "exp2", "--time", "-5"],
        ["run", "exp2", "--target", "inf"],
        ["run", "exp2", "--durability", "none"],
        ["run", "exp2", "--evaluations", "1.5"],
        ["run", "exp2", "exp2"],
        ["version", "now"],
        ["ls", "a", "b"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_starts_nothing(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_a_target_can_only_be_required_where_there_is_one(
    python_problem: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(python_problem), "--require-target"]) == 2

    assert "--require-target needs a target" in capsys.readouterr().err


def summary(**changes: Any) -> RunSummary:
    usual: dict[str, Any] = {
        "run": "runs/toy/1",
        "evaluations": 10,
        "elites": 2,
        "best_score": 1.0,
        "best_id": 3,
        "archive_hash": "0",
        "stopped_by": "time",
        "signal": None,
        "seconds": 4.0,
    }
    return RunSummary(**(usual | changes))


@pytest.mark.parametrize("signal", [1, 2, 15])
def test_a_signal_decides_the_code_even_where_a_required_target_was_reached(signal: int) -> None:
    ended = summary(stopped_by="signal", signal=signal, best_score=9.0)

    assert exit_code_of(ended, target=5.0, target_required=True) == 128 + signal


@pytest.mark.parametrize("best", [None, -1.0, 5.0, 6.0])
@pytest.mark.parametrize("target", [None, 5.0])
@pytest.mark.parametrize("stopped_by", ["time", "evaluations", "exhausted"])
def test_a_required_target_counts_as_reached_from_the_score_on(
    best: float | None, target: float | None, stopped_by: str
) -> None:
    ended = summary(best_score=best, stopped_by=stopped_by)
    is_reached = best is not None and target is not None and best >= target

    assert exit_code_of(ended, target=target, target_required=True) == (0 if is_reached else 6)
    assert exit_code_of(ended, target=target, target_required=False) == 0


@pytest.mark.parametrize("folder", ["runs/a b", "runs/it's", "runs/$HOME", "runs/ü", "-x"])
def test_the_command_that_resumes_can_be_pasted_into_a_shell(folder: str) -> None:
    import shlex

    words = shlex.split(resume_command_of(summary(run=folder)))

    assert words == ["evolve", "resume", folder, "--time", "8s"]


@pytest.mark.parametrize("seconds", [0.0, 0.4, 0.9])
def test_a_run_of_no_time_is_resumed_with_some(seconds: float) -> None:
    assert resume_command_of(summary(seconds=seconds)).endswith(" --time 2s")


def test_a_program_of_one_file_may_replace_a_file_and_goes_into_a_folder_that_exists(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("old", encoding="utf-8")
    (tmp_path / "folder").mkdir()

    write_program({"seed.py": "new\r\n"}, tmp_path / "old.py")
    write_program({"seed.py": "new\r\n"}, tmp_path / "folder")

    assert (tmp_path / "old.py").read_bytes() == b"new\r\n"
    assert (tmp_path / "folder" / "seed.py").read_bytes() == b"new\r\n"


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py"])
def test_no_file_of_a_program_leaves_the_folder_it_was_given(name: str, tmp_path: Path) -> None:
    target = tmp_path / "in" / "out"

    with pytest.raises(EvolveEnvironmentError, match="would be outside"):
        write_program({name: "x", "b.py": "y"}, target)

    assert not list(tmp_path.rglob("evil.py"))


def test_a_program_that_cannot_be_encoded_is_written_as_it_was_stored(tmp_path: Path) -> None:
    write_program({"a.py": "# \ud800"}, tmp_path / "a.py")

    assert (tmp_path / "a.py").read_bytes().decode("utf-8", "surrogatepass") == "# \ud800"


def test_the_best_program_is_written_whatever_else_is_asked(
    toy_run: Path, tmp_path: Path, invoke: Callable[..., Any]
) -> None:
    result = invoke("best", str(toy_run), "-n", "3", "-o", "out.py", "--json")

    assert (tmp_path / "out.py").read_text(encoding="utf-8") == "def f(x):\n    return x * 4.0\n"
    assert json.loads(result.stdout)["written_to"] == "out.py"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2.5, None)), [1, [2.5, None]]),
        ({1: {2: float("nan")}}, {"1": {"2": None}}),
        (True, True),
        ("\x00", "\x00"),
        (Path("a"), "a"),
        (frozenset({3}), [3]),
        (-0.0, -0.0),
        (10**30, 10**30),
    ],
)
def test_plain_data_survives_json(value: Any, plain: Any) -> None:
    assert plain_data(value) == plain
    assert json.loads(json.dumps(plain_data(value), allow_nan=False)) == plain
    assert plain_data(plain_data(value)) == plain_data(value)


def test_a_document_is_for_scripts_or_its_lines_for_people_never_both(capsys: pytest.CaptureFixture[str]) -> None:
    def never() -> list[str]:
        raise AssertionError("lines for people were made for a script")

    Output(as_json=True).answer("evolve.x/1", {"a": 1}, never)
    Output(as_json=False).answer("evolve.x/1", {"a": object()}, lambda: ["one", "two\x1b"])

    captured = capsys.readouterr()
    assert captured.out == '{"schema": "evolve.x/1", "a": 1}\none\ntwo\\x1b\n'
    assert captured.err == ""

"""`evolve export --as`: a candidate of a run as code, on standard output or in files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evolve.cli.app import cli
from evolve.config.problem import Problem, load_problem
from evolve.errors import EXIT_FINISHED, ProblemError, UsageError
from evolve.store import CandidateRecord, RunWriter
from tests.conftest import PYTHON_EVALUATE, PYTHON_SEED, PYTHON_TOML
from tests.told import told_alone
from tests.unit.cli.conftest import judged
from tests.unit.export.export_cases import EXP2, shipped
from tests.unit.export.test_export_key import folder_of
from tests.unit.export.test_export_update_rule import LION

Invoke = Callable[..., Any]
LINE = "def f(x):\n    return 1.0 + x\n"


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    return lambda *arguments: CliRunner().invoke(cli, ["export", *map(str, arguments)])


def a_run(folder: Path, problem: Problem, records: list[CandidateRecord]) -> Path:
    meta = {
        "problem": problem.to_json(),
        "options": {"rng_seed": 11},
        "versions": {"evolve-discovery": "0.0.9"},
    }
    writer = RunWriter.create(folder, meta, durability="fast", network_fs_allowed=True)
    writer.start_session()
    for record in records:
        iteration = told_alone(record)
        scored = record.evaluation.score is not None
        writer.append(
            [iteration], elites=[(0, record.candidate.id, [record.candidate.id])] if scored else [], seconds=1.0
        )
    writer.end_session(3.0, "time")
    writer.close()
    return folder


@pytest.fixture
def exp2_run(tmp_path: Path) -> Path:
    records = [judged(1, score=1.0, source=LINE), judged(2, detail="broken"), judged(3, score=6.0, source=EXP2)]
    return a_run(tmp_path / "run", shipped("exp2"), records)


def test_without_an_id_the_best_program_goes_to_standard_output(invoke: Invoke, exp2_run: Path) -> None:
    result = invoke(exp2_run, "--as", "python")

    assert result.exit_code == EXIT_FINISHED, result.output
    assert "candidate 3 of the run run, rng_seed 11" in result.stdout
    assert "found by evolve 0.0.9" in " ".join(result.stdout.lower().replace("\n# ", " ").split())
    assert "def evolved_exp2(x: float) -> float:" in result.stdout


def test_a_file_is_written_and_told(invoke: Invoke, exp2_run: Path, tmp_path: Path) -> None:
    result = invoke(exp2_run, 1, "--as", "c", "-o", tmp_path / "f.h")

    assert result.exit_code == EXIT_FINISHED, result.output
    assert result.stdout == f"wrote candidate 1 as c to {tmp_path / 'f.h'}\n"
    assert "return t1;" in (tmp_path / "f.h").read_text()


def test_json_tells_what_was_written_or_has_the_text(invoke: Invoke, exp2_run: Path, tmp_path: Path) -> None:
    beside = json.loads(invoke(exp2_run, "--as", "latex", "-o", tmp_path / "f.tex", "--json").stdout)
    inside = json.loads(invoke(exp2_run, "--as", "latex", "--json").stdout)

    assert beside["written_to"] == [str(tmp_path / "f.tex")]
    assert beside["files"] is None
    assert inside["files"] == {"evolved_exp2.tex": (tmp_path / "f.tex").read_text()}
    assert (inside["schema"], inside["id"], inside["as"], inside["proved"]) == ("evolve.export/1", 3, "latex", False)


def test_a_failed_candidate_cannot_be_exported(invoke: Invoke, exp2_run: Path) -> None:
    result = invoke(exp2_run, 2, "--as", "python")

    assert isinstance(result.exception, UsageError)
    assert "candidate 2 failed (exception): there is nothing to export" in str(result.exception)


def test_verify_proves_the_program_first_and_the_certificate_is_used_again(invoke: Invoke, exp2_run: Path) -> None:
    first = invoke(exp2_run, 1, "--as", "c", "--verify")
    second = json.loads(invoke(exp2_run, 1, "--as", "c", "--json").stdout)

    assert first.exit_code == EXIT_FINISHED, first.output
    assert "PROVED: relative error at most" in first.stdout
    assert second["proved"] is True
    assert second["certificate"] == "certificates/1.json"
    assert second["files"]["evolved_exp2.h"] == first.stdout


def test_a_declaration_that_is_made_after_the_run_counts(invoke: Invoke, tmp_path: Path) -> None:
    # given
    folder = folder_of(tmp_path / "toy", PYTHON_TOML, PYTHON_EVALUATE, PYTHON_SEED)
    run = a_run(tmp_path / "run", load_problem(folder), [judged(1, score=1.0, source=LION)])
    before = invoke(run, "--as", "torch")

    # when
    (folder / "problem.toml").write_text(PYTHON_TOML + '\n[export]\nform = "update_rule"\n')
    after = invoke(run, "--as", "torch", "-o", tmp_path / "opt.py", "--with-test")
    (folder / "problem.toml").write_text(PYTHON_TOML + '\n[export]\nform = "rule"\n')
    wrong = invoke(run, "--as", "torch")

    # then
    assert isinstance(before.exception, UsageError)
    assert "declare what the programs of this problem are" in str(before.exception)
    assert after.exit_code == EXIT_FINISHED, after.output
    assert f"wrote its test to {tmp_path / 'test_opt.py'}" in after.output
    assert "class EvolvedToy(_torch.optim.Optimizer):" in (tmp_path / "opt.py").read_text()
    assert 'with_name("opt.py")' in (tmp_path / "test_opt.py").read_text()
    assert isinstance(wrong.exception, ProblemError)
    assert "export.form" in str(wrong.exception)


def test_characters_that_a_terminal_obeys_are_escaped_on_standard_output_only(invoke: Invoke, tmp_path: Path) -> None:
    # given
    folder = folder_of(tmp_path / "toy", PYTHON_TOML, PYTHON_EVALUATE, PYTHON_SEED)
    source = "x = '\x1b[31m\u202e'\n"
    record = judged(1, score=1.0, source=source)
    run = a_run(tmp_path / "run", load_problem(folder), [record])

    # when
    shown = invoke(run, "--as", "python")
    invoke(run, "--as", "python", "-o", tmp_path / "p.py")

    # then
    assert "x = '\\x1b[31m\\u202e'" in shown.stdout
    assert "-o FILE writes them exactly" in shown.stderr
    assert (tmp_path / "p.py").read_text().endswith(source)
    assert "WARNING: it holds characters" in " ".join(shown.stdout.replace("\n# ", " ").split())


def test_a_program_of_several_files_goes_into_a_folder(invoke: Invoke, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "toy", PYTHON_TOML, PYTHON_EVALUATE, PYTHON_SEED)
    record = judged(1, score=1.0)
    two = replace(record, candidate=replace(record.candidate, files={"seed.py": "a = 1\n", "more/b.py": "b = 2\n"}))
    run = a_run(tmp_path / "run", load_problem(folder), [two])

    result = invoke(run, "--as", "python", "-o", tmp_path / "out")

    assert result.exit_code == EXIT_FINISHED, result.output
    assert (tmp_path / "out" / "more" / "b.py").read_text().endswith("b = 2\n")


def test_in_a_folder_that_is_there_a_program_has_the_name_of_its_problem(
    invoke: Invoke, exp2_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()

    result = invoke(exp2_run, "--as", "c", "-o", tmp_path / "out")

    assert result.exit_code == EXIT_FINISHED, result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["evolved_exp2.h"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--as", "c", "--with-test"), "name the first with -o"),
        (("999", "--as", "c"), "no candidate 999"),
        (("--as", "c", "--what", "elites"), "are for tables"),
        (("--as", "c", "--no-texts"), "are for tables"),
        (("--format", "csv", "--verify"), "are for programs"),
    ],
)
def test_wrong_words_are_told(invoke: Invoke, exp2_run: Path, arguments: tuple[str, ...], told: str) -> None:
    result = invoke(exp2_run, *arguments)

    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)

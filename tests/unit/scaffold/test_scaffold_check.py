import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.__main__ import main
from evolve.cli.app import cli
from evolve.cli.check_problem_command import _lines
from evolve.cli.records import reading
from evolve.config.locate import shipped_problems
from evolve.config.problem import load_problem
from evolve.scaffold.check import check_problem
from evolve.scaffold.create import TEMPLATES, create_problem
from evolve.scaffold.findings import Report, State, error, ok, warning
from tests.extent import ALL_TESTS
from tests.unit.scaffold.planted import plant

EXPLAINED = {
    "optimizer": {"axis state_arrays"},  # its README says why
    "kernel": {"noise", "determinism"},  # it measures time
}
BY_THE_NEIGHBOURS = {"noise", "determinism", "extent"}  # how time spreads depends on who else is on the machine
WITHOUT_A_CARD = {"card_softmax": {"axis worst", "axis operations", "edits"}}  # nothing is timed there


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))


def test_a_new_symbolic_problem_passes_with_a_row_for_each_check() -> None:
    create_problem("mine", template="symbolic", parent=Path())

    answer = CliRunner().invoke(cli, ["check", "mine", "--repeats", "2", "--json"])

    document = json.loads(answer.stdout)
    states = {finding["check"]: finding["state"] for finding in document["findings"]}
    assert answer.exit_code == 0
    assert document["schema"] == "evolve.check/1"
    assert set(states.values()) == {"ok"}
    assert {"seed program", "noise", "determinism", "axis operations", "edits", "verify", "direction", "cost"} <= set(
        states
    )


def test_every_mistake_of_the_file_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    create_problem("mine", template="symbolic", parent=Path())
    path = Path("mine/problem.toml")
    path.write_text(path.read_text().replace("low = -0.5", "lowest = -0.5").replace("cells = 15", "cells = 0"))

    code = main(["check", "mine"])

    said = capsys.readouterr().err
    assert code == 2
    assert "archive.axes[0].lowest" in said
    assert "archive.axes[0].cells" in said


def test_an_evaluator_that_fails_on_the_seed_program_ends_the_check(tmp_path: Path) -> None:
    folder = plant(tmp_path / "broken", "sound")
    (folder / "evaluate.py").write_text("def evaluate(candidate):\n    return {'score': 1 / 0}\n")

    report = check_problem(load_problem(folder), repeats=2)

    last = report.findings[-1]
    assert report.exit_code == 3
    assert (last.check, last.state) == ("seed program", State.ERROR)
    assert "ZeroDivisionError" in last.seen
    assert "evaluate.py:2" in last.seen


def test_text_of_a_program_cannot_steer_the_terminal() -> None:
    nasty = "\x1b]0;owned\x07 \u202eevil\nsecond line"
    finding = warning(f"axis {nasty}", nasty, nasty)

    text = "\n".join(_lines(Report(problem="p", folder="f", findings=(finding,), evaluations=1, seconds=0.0)))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(("states", "code"), [((), 0), (("warning",), 0), (("warning", "error"), 3)])
def test_only_errors_are_failures(states: tuple[str, ...], code: int) -> None:
    made = {"warning": warning("a", "b", "c"), "error": error("a", "b", "c")}
    findings = (ok("x", "y"), *(made[state] for state in states))

    assert Report(problem="p", folder="f", findings=findings, evaluations=0, seconds=0.0).exit_code == code


@pytest.mark.skipif(not ALL_TESTS, reason="checks whole problems: EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_passes_its_own_check(template: str, tmp_path: Path) -> None:
    created = create_problem("mine", template=template, parent=tmp_path)

    report = check_problem(load_problem(created.folder), repeats=3)

    odd = {finding.check for finding in report.findings if finding.state is not State.OK}
    assert report.exit_code == 0
    assert odd <= EXPLAINED.get(template, set())


@pytest.mark.skipif(not ALL_TESTS, reason="checks whole problems: EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize(
    "name", [name for name, folder in shipped_problems().items() if folder.parent.name == "problems"]
)
def test_every_shipped_problem_passes_the_check(name: str) -> None:
    if name.endswith("_f32") and shutil.which("cc") is None:
        pytest.skip("no C compiler")

    problem = load_problem(name)
    for module in {"torch", "triton"} & {*problem.tables.sandbox.preload}:
        pytest.importorskip(module)

    report = check_problem(problem, repeats=3)

    spared = (BY_THE_NEIGHBOURS if problem.measures_time else set()) | WITHOUT_A_CARD.get(name, set())
    odd = [each for each in report.findings if each.state is not State.OK]
    assert [each.seen for each in odd if each.state is State.ERROR or each.check not in spared] == []


@pytest.mark.skipif(not ALL_TESTS, reason="checks whole problems: EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize("name", ["tammes", "block_stacking", "merit_factor", "squares_in_square"])
def test_no_construction_gets_a_score_by_breaking_its_rules(name: str) -> None:
    # Numbers as text, and another construction with the same verifier, are answers like others: they may score.
    report = check_problem(load_problem(name), repeats=2, seconds=60.0)

    odd = {finding.check for finding in report.findings if finding.state is not State.OK}
    assert report.exit_code == 0
    assert odd <= {"odd answers", "odd values", "direction", "axis program_lines"}


@pytest.mark.skipif(not ALL_TESTS, reason="runs searches: EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize("template", [each for each in TEMPLATES if each != "symbolic"])
def test_a_short_run_improves_on_every_templates_seed_program(template: str) -> None:
    create_problem("mine", template=template, parent=Path())

    code = main(["run", "mine", "--evaluations", "80", "--run-dir", "found"])

    with reading(Path("found")) as reader:
        first, best = reader.candidate(1).evaluation.score, reader.elites(limit=1)[0].evaluation.score
    assert code == 0
    assert first is not None
    assert best is not None
    assert best > first

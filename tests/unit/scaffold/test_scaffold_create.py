import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli.app import cli
from evolve.cli.new_command import _TEMPLATES
from evolve.config.problem import load_problem
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.export.update_rule_names import NAMES
from evolve.scaffold.create import TEMPLATES, create_problem


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_problem_is_complete_and_carries_its_own_name(template: str, tmp_path: Path) -> None:
    created = create_problem("my-problem", template=template, parent=tmp_path)

    problem = load_problem(created.folder)
    texts = [(created.folder / name).read_text(encoding="utf-8") for name in created.files]
    assert problem.name == created.name == "my_problem"
    assert {"README.md", "problem.toml", "seed.py"} <= set(created.files)
    assert ("evaluate.py" in created.files) == (template != "symbolic")
    assert not [text for text in texts if "@name@" in text or "@folder@" in text]
    assert any("evolve check my-problem" in text for text in texts)


def test_the_command_knows_every_template() -> None:
    assert tuple(TEMPLATES) == _TEMPLATES


def test_the_optimizer_says_how_its_rule_is_exported(tmp_path: Path) -> None:
    created = create_problem("rule", template="optimizer", parent=tmp_path)

    tables = tomllib.loads((created.folder / "problem.toml").read_text(encoding="utf-8"))

    assert tables["export"] == {"form": "update_rule", "function": "update"}


def test_rules_are_judged_with_the_names_that_exported_ones_have(tmp_path: Path) -> None:
    created = create_problem("rule", template="optimizer", parent=tmp_path)

    text = (created.folder / "seed.py").read_text(encoding="utf-8").split('NAMES = """')[1].split('"""')[0]

    assert set(text.split()) == NAMES


@pytest.mark.parametrize("name", ["", "My-Problem", "a b", "../up", "-x", ".hidden", "ä", "x" * 61, "a/b"])
def test_what_is_no_name_is_refused_with_one_that_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        create_problem(name, template="python", parent=tmp_path)

    assert '"' in raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["exp2", "gaussian-quantile"])
def test_the_name_of_a_shipped_problem_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shipped problem"):
        create_problem(name, template="python", parent=tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file", "dangling"])
def test_nothing_that_exists_is_touched(kind: str, tmp_path: Path) -> None:
    taken = tmp_path / "mine"
    if kind == "folder":
        taken.mkdir()
    elif kind == "file":
        taken.write_text("precious")
    else:
        taken.symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match="exists already"):
        create_problem("mine", template="python", parent=tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EvolveEnvironmentError, match="cannot write"):
        create_problem("mine", template="python", parent=tmp_path / "file")


def test_an_unknown_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no template 'rust'"):
        create_problem("mine", template="rust", parent=tmp_path)


def test_the_next_commands_can_be_typed_as_they_stand(tmp_path: Path) -> None:
    created = create_problem("mine", template="symbolic", parent=tmp_path / "with space")

    assert created.next_commands[0] == f"evolve check '{tmp_path}/with space/mine'"


def test_new_says_what_it_wrote_and_what_to_type_next(tmp_path: Path) -> None:
    runner = CliRunner()

    text = runner.invoke(cli, ["new", "one", "--dir", str(tmp_path)])
    document = runner.invoke(cli, ["new", "two", "--dir", str(tmp_path), "--template", "kernel", "--json"])

    assert text.exit_code == 0
    assert f"  evolve check {tmp_path}/one\n  evolve run {tmp_path}/one\n" in text.output
    answer = json.loads(document.stdout)
    assert answer["schema"] == "evolve.new/1"
    assert answer["template"] == "kernel"
    assert (tmp_path / "two" / "problem.toml").is_file()

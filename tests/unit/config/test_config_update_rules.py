"""Folders of update rules: what a wrong one is told."""

import shutil
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.errors import ProblemError

SHIPPED = Path(__file__).parents[3] / "problems" / "optimizers"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "optimizers"))


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def mistakes_of(folder: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        load_problem(folder)
    return caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('family = "optimizer"', 'family = "float32"', 'symbolic.vocabulary: got "optimizer" with'),
        ('"optimizer"\ninputs', '"elementary"\ninputs', "expected the vocabulary of update rules: 'optimizer'"),
        ('"optimizer"\ninputs', '"optimiser"\ninputs', "did you mean optimizer?"),
        ('"w", "g",', '"w", "grad",', "symbolic.inputs: got w, grad, t"),
        ('"w", "g",', '"w",', "and g among them"),
        ('"m", "v"', '"m", "V"', 'did you mean "v"?'),
        ('"m", "v"', '"m"', "`v` is not offered by this problem"),
        ("max_operations = 24", "max_operations = 5", "at most 5 are allowed"),
        ('function = "update"', 'function = "step"', "got def update, expected def step"),
    ],
)
def test_a_wrong_table_is_told_with_what_was_expected(folder: Path, old: str, new: str, words: str) -> None:
    changed(folder, "problem.toml", old, new)

    assert words in mistakes_of(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ema(m, g", "emma(m, g", "did you mean"),
        ("square(g)", "square(loss)", "loss"),
        (", m, v\n", ", m\n", "return update, m, v"),
        ("square(g)", "left_gram(g)", "left"),
        ("def update(g,", "def update(gradient,", "`gradient` is no input"),
    ],
)
def test_a_typo_in_the_seed_rule_is_told_before_anything_runs(folder: Path, old: str, new: str, words: str) -> None:
    changed(folder, "seed.py", old, new)

    assert words in mistakes_of(folder)

"""Seed noise: measured over random states, kept with the problem, and two programs compared in pairs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evaluators.judge import JudgeSpec
from evolve.cli.app import cli
from evolve.config.locate import shipped_problems
from evolve.config.problem import load_problem
from evolve.errors import SeedError
from evolve.scaffold.noise import Comparison, measure_noise, save_noise, stored_noise

TOML = """
[problem]
name = "luck"
title = "One block"
statement = "Place a block."
language = "python"
[evaluator]
family = "construction"
options = { verifier = "block_stacking" }
[parameters]
n = 1
[search]
inherit = true
[archive]
axes = [{ name = "program_lines", low = 0, high = 99, cells = 3 }]
"""
SEED = """import random

# EVOLVE-BLOCK-START


def construct(n, best=None, seed=1):
    return [-0.5 * random.Random(seed).random()]


# EVOLVE-BLOCK-END
"""
BETTER = SEED.replace("-0.5 *", "-0.4 *")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problem.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "seed.py").write_text(SEED, encoding="utf-8")
    return tmp_path


def evolve(*arguments: str) -> Any:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_the_noise_of_a_program_and_a_comparison_in_pairs(folder: Path) -> None:
    problem = load_problem(folder)

    (first, other), compared = measure_noise(problem, [problem.seed_files, {"seed.py": BETTER}], n_seeds=4)

    assert len(set(first.scores)) == 4
    assert first.deviation > 0.0
    assert compared is not None
    assert compared.differences == pytest.approx([b - a for a, b in zip(first.scores, other.scores, strict=True)])
    assert min(compared.differences) > 0.0
    assert compared.error < compared.unpaired_error


def test_what_was_measured_is_kept_by_the_parameters_and_told_with_the_problem(folder: Path) -> None:
    answer = json.loads(evolve("noise", str(folder), "--seeds", "3", "--save", "--json").stdout)

    problem = load_problem(folder)
    found = stored_noise(problem)
    told = evolve("problems", str(folder)).stdout

    assert answer["schema"] == "evolve.noise/1"
    assert found is not None
    assert found["scores"] == answer["scores"]
    assert found["is_current"]
    assert "seed noise: mean " in told
    assert "of 3 scores" in told
    assert stored_noise(load_problem(folder, parameters={"n": 2})) is None


def test_noise_of_another_seed_program_is_told_as_such_and_says_nothing_about_the_judge(folder: Path) -> None:
    before = load_problem(folder)
    (noise,), _ = measure_noise(before, [before.seed_files], n_seeds=2)
    save_noise(before, noise)

    (folder / "seed.py").write_text(BETTER, encoding="utf-8")
    after = load_problem(folder)

    assert "seed noise of an earlier seed program: mean" in evolve("problems", str(folder)).stdout
    assert after.judge_hashes == before.judge_hashes == {}


@pytest.mark.parametrize("text", ["", "[]", '{"measured": 3}', '{"measured": [{"problem": "luck"}]}', "\x00"])
def test_a_damaged_file_of_noise_is_passed_over(folder: Path, text: str) -> None:
    (folder / "noise.json").write_text(text, encoding="utf-8")

    assert stored_noise(load_problem(folder)) is None


def test_the_noise_that_is_shipped_can_be_read() -> None:
    shipped = [name for name, path in shipped_problems().items() if (path / "noise.json").is_file()]

    found = {name: stored_noise(load_problem(name)) for name in shipped}

    assert len(found) >= 10
    for name, noise in found.items():
        assert noise is not None, name
        assert len(noise["scores"]) >= 2, name
        assert noise["best"] == max(noise["scores"]), name
        assert noise["mean"] == pytest.approx(sum(noise["scores"]) / len(noise["scores"])), name


def test_a_program_that_fails_has_no_noise(folder: Path) -> None:
    problem = load_problem(folder)

    with pytest.raises(SeedError, match=r"the program of luck fails \(invalid\)"):
        measure_noise(problem, [{"seed.py": SEED.replace("[-0.5", "[0.5")}], n_seeds=2)


def test_differences_are_counted_and_have_a_standard_error() -> None:
    compared = Comparison(differences=[1.0, 0.0, -0.5, 1.5], unpaired_error=2.0).to_json()

    assert (compared["mean"], compared["better"], compared["equal"], compared["worse"]) == (0.5, 2, 1, 1)
    assert compared["standard_error"] == pytest.approx((2.5 / 3) ** 0.5 / 2)


@pytest.mark.parametrize(
    ("keys", "combine"),
    [("", "best"), ('combine = "mean"', "mean"), ('combine = "median"', "median")],
)
def test_of_constructions_the_best_counts_unless_the_problem_says_otherwise(
    folder: Path, keys: str, combine: str
) -> None:
    text = TOML.replace('family = "construction"', f'family = "construction"\n{keys}')
    (folder / "problem.toml").write_text(text, encoding="utf-8")

    spec = JudgeSpec.from_mapping(load_problem(folder).judge_spec_mapping())

    assert spec.combine == combine
    assert not spec.paired


def test_of_a_program_for_several_sizes_the_mean_counts(folder: Path) -> None:
    text = TOML + '[family]\nparameter = "n"\nsizes = [1, 2]\nbaseline = "n"\n'
    (folder / "problem.toml").write_text(text, encoding="utf-8")

    assert load_problem(folder).combine == "best"
    assert load_problem(folder, generalize=True).combine == "mean"

import os
import subprocess
import sys
from pathlib import Path

import pytest

import evolve

ROOT = Path(evolve.__file__).resolve().parent.parent


def run_in(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_public_names_are_these() -> None:
    assert sorted(evolve.__all__) == [
        "Candidate",
        "CardBench",
        "Compute",
        "Evaluation",
        "EvolveError",
        "Failure",
        "HostBench",
        "Limits",
        "Operator",
        "PairedTimer",
        "Problem",
        "Proposal",
        "QuietCard",
        "TimedTask",
        "TimingEffort",
        "__version__",
        "checked_evaluation",
        "load_problem",
        "shipped_problems",
        "timed_evaluation",
    ]


@pytest.mark.parametrize("name", evolve.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(evolve, name) is not None
    assert name in dir(evolve)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = evolve.nonsense


def test_importing_evolve_imports_nothing_heavy(tmp_path: Path) -> None:
    script = "import evolve, sys; print(sorted({'numpy', 'pydantic', 'numba', 'rich', 'click'} & set(sys.modules)))"

    assert run_in(tmp_path, "-c", script).stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["archive", "sandbox", "evaluators"])
@pytest.mark.parametrize("as_package", [True, False])
def test_a_users_own_package_that_hides_ours_is_named(tmp_path: Path, name: str, *, as_package: bool) -> None:
    guilty = tmp_path / name / "__init__.py" if as_package else tmp_path / f"{name}.py"
    guilty.parent.mkdir(exist_ok=True)
    guilty.write_text("", encoding="utf-8")

    answer = run_in(tmp_path, "-c", "import evolve")

    assert answer.returncode == 1
    assert f"ImportError: {guilty}" in answer.stderr
    assert "rename it" in answer.stderr


@pytest.mark.parametrize("name", ["archive", "sandbox", "evaluators", "problems"])
def test_a_users_own_data_folder_does_no_harm(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "data.csv").write_text("1\n", encoding="utf-8")

    assert run_in(tmp_path, "-c", "import evolve; evolve.load_problem").returncode == 0


def test_safe_path_mode_ignores_a_users_own_packages(tmp_path: Path) -> None:
    (tmp_path / "archive.py").write_text("", encoding="utf-8")

    assert run_in(tmp_path, "-P", "-c", "import evolve").returncode == 0

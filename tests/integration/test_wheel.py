"""What is installed from a wheel works without the clone: the command, the workers, the shipped problems."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheel")  # one is built and installed for all
ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {"evolve", "evaluators", "archive", "sandbox"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    [path] = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and our dependencies, but without the clone."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=True)
    [packages] = home.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return home / "bin" / "python"


def evolve(python: Path, *arguments: str, folder: Path) -> list[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-m", "evolve", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == TOP_LEVEL


def test_what_our_runs_found_is_not_in_the_wheel_where_candidates_could_read_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "evolve/_problems/geometry/tammes/problem.toml" in names
    assert [name for name in names if "/found/" in name] == []


def test_an_installed_wheel_finds_the_shipped_problems(installed: Path, tmp_path: Path) -> None:
    document = json.loads("\n".join(evolve(installed, "problems", "--json", folder=tmp_path)))
    assert {"exp2", "log2", "erf", "circle_packing_26", "tammes"} <= {
        problem["name"] for problem in document["problems"]
    }


def test_an_installed_wheel_runs_a_shipped_problem(installed: Path, tmp_path: Path) -> None:
    arguments = ["run", "circle_packing_26", "--evaluations", "5", "--workers", "1", "--run-dir", "run", "--json"]
    last = json.loads(evolve(installed, *arguments, folder=tmp_path)[-1])
    assert last["evaluations"] == 5
    code = "import evolve; print(evolve.__file__)"
    where = subprocess.run(
        [str(installed), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert not Path(where.strip()).is_relative_to(ROOT)

"""What is said where candidates cannot be confined; `tests/integration/test_unsafe_sandbox.py` has the whole way."""

import subprocess
import sys
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.errors import EvolveEnvironmentError, ProblemError
from evolve.loop.isolation import require_isolation, warning_of
from sandbox.layers import Level


def test_a_symbolic_problem_and_one_whose_risk_is_accepted_are_not_asked(
    symbolic_problem: Path, python_problem: Path
) -> None:
    require_isolation(load_problem(symbolic_problem), unsafe=False)
    require_isolation(load_problem(python_problem), unsafe=True)


def test_a_machine_that_confines_is_accepted(python_problem: Path) -> None:
    require_isolation(load_problem(python_problem), unsafe=False)


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_machine_without_the_problems_graphics_card_is_refused(
    python_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, unsafe: bool
) -> None:
    with (python_problem / "problem.toml").open("a", encoding="utf-8") as file:
        file.write("\n[sandbox]\ngpus = [0]\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EvolveEnvironmentError, match="no 'nvidia-smi', so no NVIDIA driver") as caught:
        require_isolation(load_problem(python_problem), unsafe=unsafe)

    assert "[sandbox] gpus = [0]" in caught.value.hint


def test_the_loop_is_imported_without_what_only_linux_has() -> None:
    text = "import sys, evolve.loop; print(*{'sandbox.kernel', 'sandbox.jail'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == ""


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_module_that_is_not_there_is_a_mistake_of_the_problem(python_problem: Path, *, unsafe: bool) -> None:
    with (python_problem / "problem.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sandbox]\npreload = ["nosuch"]\n')

    with pytest.raises(ProblemError, match=r"no module 'nosuch' to preload.*\[sandbox\] preload"):
        require_isolation(load_problem(python_problem), unsafe=unsafe)


def test_a_weak_level_is_warned_of(python_problem: Path) -> None:
    problem = load_problem(python_problem)

    assert warning_of(Level.WEAK, problem).startswith("WEAK: candidates can read and change what you can")
    assert all(warning_of(level, problem) == "" for level in (Level.FULL, Level.STRONG, Level.NOOPEN, ""))


def test_a_scratch_folder_that_nobody_gets_is_warned_of(python_problem: Path) -> None:
    file = python_problem / "problem.toml"
    text = file.read_text(encoding="utf-8").replace("[limits]\n", "[limits]\nscratch_mb = 4\n")
    file.write_text(text, encoding="utf-8")
    problem = load_problem(python_problem)

    assert "scratch_mb = 4" in warning_of(Level.NOOPEN, problem)
    assert warning_of(Level.STRONG, problem) == ""


def test_rules_are_refused_where_nothing_can_train_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed

    with pytest.raises(EvolveEnvironmentError, match="needs torch, and torch is not installed") as caught:
        require_isolation(load_problem("optimizers"), unsafe=False)

    assert "pip install 'evolve-discovery[torch]'" in caught.value.hint


def test_other_problems_need_no_torch(monkeypatch: pytest.MonkeyPatch, symbolic_problem: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    require_isolation(load_problem(symbolic_problem), unsafe=False)

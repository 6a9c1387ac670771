"""Where nothing confines candidates, no command runs one unless it is told to; see `tests.ordinary_user`."""

import json
from typing import Any

import pytest

from tests.conftest import PYTHON_EVALUATE, PYTHON_SEED, PYTHON_TOML, SYMBOLIC_EVALUATE, SYMBOLIC_TOML
from tests.ordinary_user import as_ordinary_user
from tests.outer_filter import Refused

SCRIPT = """
import contextlib, io, json, os, sys
from pathlib import Path
from evolve.__main__ import main

home = Path(os.environ["HOME"])
problems, commands = json.loads(sys.argv[1])
for name, texts in problems.items():
    (home / name).mkdir()
    for file, text in texts.items():
        (home / name / file).write_text(text)
os.chdir(home)
said = []
for words, variables in commands:
    os.environ.update(variables)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    for name in variables:
        del os.environ[name]
    said.append({"code": code, "out": out.getvalue(), "err": err.getvalue(), "run": (home / "run").exists()})
print(json.dumps(said))
"""
PROBLEMS = {
    "toy": {"problem.toml": PYTHON_TOML, "seed.py": PYTHON_SEED, "evaluate.py": PYTHON_EVALUATE},
    "line": {
        "problem.toml": SYMBOLIC_TOML,
        "seed.py": "def f(x):\n    return x\n",
        "evaluate.py": SYMBOLIC_EVALUATE,
    },
}
RUN = ["run", "toy", "--run-dir", "run", "--evaluations", "3", "--workers", "1"]


def said_by(
    *commands: list[str], variables: dict[str, str] | None = None, refused: list[Refused] | None = None
) -> list[dict[str, Any]]:
    """What commands say one after the other to a user whose kernel refuses system-call filters."""
    request = json.dumps([PROBLEMS, [[words, variables or {}] for words in commands]])
    done = as_ordinary_user(["-c", SCRIPT, request], refused=[Refused.SECCOMP] if refused is None else refused)
    assert done.returncode == 0, done.stderr
    said: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_run_is_refused_with_what_is_missing_and_the_flag_and_nothing_is_written() -> None:
    (run,) = said_by(RUN)

    assert run["code"] == 5
    assert not run["run"]
    for word in ("WEAK", "seccomp", "--unsafe-sandbox", "docs/security.md"):
        assert word in run["err"]


def test_with_the_flag_it_runs_and_every_result_says_how_little_confined_it() -> None:
    run, status, show, resume, again, verify, verified = said_by(
        [*RUN, "--unsafe-sandbox"],
        ["status", "run", "--json"],
        ["show", "run", "1"],
        ["resume", "run", "--evaluations", "5"],
        ["resume", "run", "--evaluations", "5", "--unsafe-sandbox"],
        ["verify", "run", "1"],
        ["verify", "run", "1", "--unsafe-sandbox", "--json"],
    )

    assert run["code"] == 0, run["err"]
    assert "sandbox WEAK" in run["out"]
    assert "warning   WEAK: candidates can read and change what you can" in run["out"]
    assert run["out"].endswith(" --unsafe-sandbox\n")
    assert json.loads(status["out"])["levels"] == {"WEAK": 3}
    assert "sandbox   WEAK" in show["out"]
    assert (resume["code"], verify["code"]) == (5, 5)
    assert "--unsafe-sandbox" in resume["err"]
    assert again["code"] == 0, again["err"]
    assert json.loads(verified["out"])["verdict"] == "certified"


def test_the_users_own_settings_may_allow_it() -> None:
    (run,) = said_by(RUN, variables={"EVOLVE_UNSAFE_SANDBOX": "1"})

    assert run["code"] == 0, run["err"]


def test_a_symbolic_problem_needs_no_sandbox() -> None:
    run, status = said_by(["run", "line", "--run-dir", "run", "--evaluations", "3"], ["status", "run"])

    assert run["code"] == 0, run["err"]
    assert "sandbox: INTERPRETER" in status["out"]


@pytest.mark.parametrize("refused", [[], [Refused.NAMESPACES], [Refused.NAMESPACES, Refused.LANDLOCK]])
def test_an_ordinary_user_needs_no_flag_where_the_kernel_filters_calls(refused: list[Refused]) -> None:
    run, status = said_by(RUN, ["status", "run", "--json"], refused=refused)

    assert run["code"] == 0, run["err"]
    assert set(json.loads(status["out"])["levels"]) <= {"FULL", "STRONG", "NOOPEN"}

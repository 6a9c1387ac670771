"""What is said where candidates cannot be confined; `tests/integration/test_unsafe_sandbox.py` has the whole way."""

from pathlib import Path

from evolve.config.problem import load_problem
from evolve.loop.isolation import require_isolation, weakness
from sandbox.layers import BASIC, Layer


def test_every_missing_layer_is_named_with_its_reason_and_no_other() -> None:
    report = dict.fromkeys(BASIC, "active") | {
        Layer.SECCOMP: "not supported by this kernel",
        Layer.LANDLOCK: "switched off",
        Layer.USER_NAMESPACE: "not needed by root",
    }

    message = str(weakness(report))

    assert "\n  seccomp: not supported by this kernel\n  landlock: switched off\n" in message
    assert "user-namespace" not in message
    assert "own-session" not in message


def test_it_says_what_can_be_done() -> None:
    error = weakness({Layer.SECCOMP: "gone"})

    assert error.exit_code == 5
    for way in ("--unsafe-sandbox", "unsafe_sandbox = true", "EVOLVE_UNSAFE_SANDBOX=1", "docs/security.md"):
        assert way in error.hint


def test_a_symbolic_problem_and_one_whose_risk_is_accepted_are_not_asked(
    symbolic_problem: Path, python_problem: Path
) -> None:
    require_isolation(load_problem(symbolic_problem), unsafe=False)
    require_isolation(load_problem(python_problem), unsafe=True)


def test_a_machine_that_confines_is_accepted(python_problem: Path) -> None:
    require_isolation(load_problem(python_problem), unsafe=False)

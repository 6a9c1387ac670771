"""The gate: equal programs get equal fingerprints, others do not, and what is illegal is refused with its reason."""

from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.loop.gate import Gate, PythonGate, SymbolicGate, gate_for
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.vocabulary import load_vocabulary

SEED = "import math\n\n# EVOLVE-BLOCK-START\nwidth = 1.0\n# EVOLVE-BLOCK-END\n\n\ndef answer():\n    return width\n"


def symbolic(max_operations: int = 4) -> SymbolicGate:
    return SymbolicGate(
        vocabulary=load_vocabulary("arithmetic"), inputs=("x",), max_operations=max_operations, entry="seed.py"
    )


def python_gate() -> PythonGate:
    return PythonGate(seed={"seed.py": SEED, "helper.py": "# EVOLVE-BLOCK-START\ny = 2\n# EVOLVE-BLOCK-END\n"})


def symbolic_print(expression: str, *, gate: SymbolicGate | None = None) -> str:
    return (gate or symbolic()).fingerprint_of({"seed.py": f"def f(x):\n    return {expression}\n"})


def python_print(old: str = "", new: str = "", *, helper: str | None = None) -> str:
    gate = python_gate()
    files = dict(gate.seed) | ({} if helper is None else {"helper.py": helper})
    return gate.fingerprint_of({**files, "seed.py": SEED.replace(old, new) if old else SEED})


@pytest.mark.parametrize(
    ("left", "right"),
    [("x * 2.0 + 1.0", "1.0 + 2.0 * x"), ("x * x", "(x * x)"), ("x + 2.50", "x + 2.5"), ("x + 1e1", "10.0 + x")],
)
def test_symbolic_programs_that_differ_in_order_or_spelling_only_are_one(left: str, right: str) -> None:
    assert symbolic_print(left) == symbolic_print(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x - 1.0", "1.0 - x"),
        ("x / 2.0", "2.0 / x"),
        ("x * 2.0", "x * 2.0000000000000004"),
        ("x + 1.0", "x * 1.0"),
        ("x", "1.0"),
    ],
)
def test_symbolic_programs_that_compute_something_else_are_two(left: str, right: str) -> None:
    assert symbolic_print(left) != symbolic_print(right)


def test_dead_code_and_names_do_not_make_another_symbolic_program() -> None:
    plain = {"seed.py": "def f(x):\n    return x * x + 1.0\n"}
    padded = {"seed.py": 'def f(x):\n    """Square."""\n    a = x * x  # here\n    b = a + 1.0\n    return b\n'}

    assert symbolic().fingerprint_of(padded) == symbolic().fingerprint_of(plain)


def test_a_symbolic_program_may_use_all_operations_it_is_allowed_and_not_one_more() -> None:
    assert symbolic_print("x * x * x", gate=symbolic(max_operations=2))

    with pytest.raises(CandidateSyntaxError, match="2"):
        symbolic_print("x * x * x * x", gate=symbolic(max_operations=2))


@pytest.mark.parametrize(
    "text", ["", "def f(x):\n", "import os\n", "def f(x):\n    return y\n", "\x00", "def f(x, y): pass"]
)
def test_what_is_no_symbolic_program_is_refused(text: str) -> None:
    with pytest.raises(CandidateSyntaxError):
        symbolic().fingerprint_of({"seed.py": text})


def test_layout_and_comments_do_not_make_another_python_program() -> None:
    assert python_print("width = 1.0", "width  =  1.0  # wide") == python_print()


@pytest.mark.parametrize("new", ["width = 2.0", "width = 1", "height = width = 1.0", ""])
def test_other_code_in_a_block_is_another_python_program(new: str) -> None:
    assert python_print("width = 1.0", new) != python_print()


def test_a_change_in_any_file_is_another_program() -> None:
    assert python_print(helper="# EVOLVE-BLOCK-START\ny = 3\n# EVOLVE-BLOCK-END\n") != python_print()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import math", "import os"),
        ("return width", "return 2 * width"),
        ("# EVOLVE-BLOCK-END\n", ""),
        ("def answer", "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\ndef answer"),
        ("import math", "import math  # harmless"),
    ],
)
def test_whatever_differs_outside_of_the_blocks_is_refused(old: str, new: str) -> None:
    with pytest.raises(CandidateSyntaxError, match=r"EVOLVE-BLOCK|evolve block|seed\.py was changed outside"):
        python_print(old, new)


@pytest.mark.parametrize("files", [{}, {"seed.py": SEED}, {"seed.py": SEED, "helper.py": "", "more.py": ""}])
def test_files_are_neither_added_nor_lost(files: dict[str, str]) -> None:
    with pytest.raises(CandidateSyntaxError, match=r"expected \['helper.py', 'seed.py'\]"):
        python_gate().fingerprint_of(files)


def test_python_that_does_not_compile_is_refused() -> None:
    with pytest.raises(CandidateSyntaxError):
        python_print("width = 1.0", "width = = 1.0")


def test_every_language_has_its_gate_and_the_seed_passes_it(python_problem: Path, symbolic_problem: Path) -> None:
    kinds: list[type[Gate]] = []
    for folder in (python_problem, symbolic_problem):
        problem = load_problem(folder)
        gate = gate_for(problem)
        assert gate.fingerprint_of(problem.seed_files)
        kinds.append(type(gate))

    assert kinds == [PythonGate, SymbolicGate]

import ast
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.operators.contract import Operator
from evolve.operators.python_crossover import PythonCrossover, skeleton
from evolve.operators.python_expressions import EXPRESSION_EDITS, Site, Splice, site_of
from evolve.operators.python_file import PythonFile, changed_files
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_names import Holds, Names
from evolve.operators.python_statements import STATEMENT_EDITS
from evolve.operators.python_tree import PythonTreeEdit

PROGRAM = """import math

# EVOLVE-BLOCK-START
RATE = 0.5


def smooth(values, n):
    total = 0.0
    weight = 1.0
    for k in range(n):
        weight = weight * RATE
        total = total + weight * math.sin(values[k % len(values)])
        if total > 4.0 and k > 1:
            total -= 0.125
    for _ in range(2 * n):
        total = total / (1.0 + abs(weight))
    return total


def answer():
    best = -1.0
    for k in range(3):
        found = smooth([0.5, 1.5, 2.5], k + 2)
        best = max(best, found)
    return best
# EVOLVE-BLOCK-END


def result():
    return answer()
"""


def candidate(text: str, number: int = 1) -> Candidate:
    return Candidate(id=number, files={"a.py": text}, fingerprint=python_fingerprint({"a.py": text}))


def children_of(operator: Operator, parents: list[Candidate], n: int) -> list[str]:
    texts = []
    for number in range(n):
        try:
            next(operator.propose(parents, [], np.random.default_rng([9, number])))
        except StopIteration as stop:
            texts += [child.files["a.py"] for child in stop.value]
    return texts


def error_of(text: str) -> type[Exception] | None:
    names: dict[str, object] = {}
    try:
        exec(compile(text, "candidate", "exec"), names)
        result = names["result"]
        assert callable(result)
        float(result())
    except (ArithmeticError, TypeError, ValueError, NameError, LookupError) as error:
        return type(error)
    return None


def test_most_tree_edits_give_programs_that_still_run() -> None:
    texts = children_of(PythonTreeEdit(), [candidate(PROGRAM)], 150)

    assert len(texts) == 150
    assert sum(error_of(text) is None for text in texts) > 120


def test_no_tree_edit_leaves_a_name_unbound() -> None:
    for text in children_of(PythonTreeEdit(), [candidate(PROGRAM)], 150):
        assert error_of(text) is not NameError, text


EDITS = [edit for edit, _ in (*EXPRESSION_EDITS, *STATEMENT_EDITS)]


@pytest.mark.parametrize("edit", EDITS)
def test_every_kind_of_edit_finds_something_to_do(edit: Callable[[Site, np.random.Generator], Splice]) -> None:
    file = PythonFile(PROGRAM)

    children = [
        changed_files({"a.py": PROGRAM}, "a.py", file, file.spliced(edit(site_of(file), np.random.default_rng(k))))
        for k in range(20)
    ]

    assert any(child is not None for child in children)


def test_names_are_visible_only_where_they_are_surely_bound() -> None:
    file = PythonFile(PROGRAM)
    names = Names(file)
    smooth = next(each for each in file.tree.body if isinstance(each, ast.FunctionDef))

    first, loop, end = smooth.body[0], smooth.body[2], smooth.body[-1]

    assert names.visible_at(first) == ["RATE", "answer", "math", "n", "result", "smooth", "values"]
    assert isinstance(loop, ast.For)
    assert {"k", "total", "weight"} <= set(names.visible_at(loop.body[0]))
    assert "k" not in names.visible_at(end)


def test_what_names_hold_is_guessed_from_their_use() -> None:
    names = Names(PythonFile(PROGRAM))

    assert [names.holds(each) for each in ("weight", "k", "values", "math")] == [
        Holds.NUMBER,
        Holds.INDEX,
        Holds.ARRAY,
        Holds.OTHER,
    ]


def test_children_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "import hashlib, sys, numpy as np\n"
        "from archive.candidate import Candidate\n"
        "from evolve.operators.python_tree import PythonTreeEdit\n"
        "from evolve.operators.python_crossover import PythonCrossover\n"
        "text = sys.stdin.read()\n"
        "a = Candidate(id=1, files={'a.py': text}, fingerprint='a')\n"
        "b = Candidate(id=2, files={'a.py': text.replace('sin', 'cos').replace('4.0', '6.5')}, fingerprint='b')\n"
        "for operator, parents in ((PythonTreeEdit(), [a]), (PythonCrossover(), [a, b])):\n"
        "    for k in range(25):\n"
        "        try: next(operator.propose(parents, [], np.random.default_rng(k)))\n"
        "        except StopIteration as stop: print([child.files for child in stop.value])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=PROGRAM,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "77")
    }

    assert len(outputs) == 1


def test_crossover_of_alike_programs_blends_their_numbers() -> None:
    left = "# EVOLVE-BLOCK-START\nx = [1.0, 2.0, 3.0]\nn = 4\n# EVOLVE-BLOCK-END\n"
    right = "# EVOLVE-BLOCK-START\nx = [2.0, 2.0, -1.0]\nn = 8\n# EVOLVE-BLOCK-END\n"

    texts = children_of(PythonCrossover(), [candidate(left), candidate(right, 2)], 60)

    assert left.replace("1.0", "2.0") in texts
    assert len(set(texts)) > 20
    assert sum("2.0, " in text for text in texts) > 40


def test_crossover_takes_a_function_of_the_other_parent() -> None:
    other = PROGRAM.replace("total > 4.0 and k > 1", "weight < 0.25")

    texts = children_of(PythonCrossover(), [candidate(PROGRAM), candidate(other, 2)], 60)

    assert other not in texts
    assert any("weight < 0.25" in text for text in texts)


def test_crossover_of_a_program_with_itself_gives_nothing() -> None:
    assert children_of(PythonCrossover(), [candidate(PROGRAM), candidate(PROGRAM, 2)], 3) == []


def test_programs_are_alike_if_they_differ_in_numbers_only() -> None:
    text = "# EVOLVE-BLOCK-START\nif a:\n    0 + b\n    x = 1if-2.5else 3\n# EVOLVE-BLOCK-END\n"
    alike = text.replace("0", "17").replace("-2.5", " 4e3")

    assert skeleton(PythonFile(text)) == skeleton(PythonFile(alike))
    assert skeleton(PythonFile(text)) != skeleton(PythonFile(text.replace("0", "0.0")))

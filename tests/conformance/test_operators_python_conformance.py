from collections.abc import Mapping

from archive.candidate import Candidate
from evolve.operators.blocks import outside_unchanged
from evolve.operators.contract import Operator
from evolve.operators.python_crossover import PythonCrossover
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_literals import PythonLiteralEdit
from evolve.operators.python_tree import PythonTreeEdit
from evolve.testing.operator_conformance import OperatorConformance

MAIN = '''"""Two files, one block in each."""
from steps import step

# EVOLVE-BLOCK-START
RATE = 0.25
MODE = "slow"  # choices: ["slow", "fast", "off"]


def solve(x, n):
    """Walk."""
    total = 0.5 * x
    for k in range(n):
        total = total + RATE * step(total, k) / (k + 1.0)
        if total > 10.0 and MODE != "off":
            total = min(total, 9.5)
    return total
# EVOLVE-BLOCK-END


def answer():
    return solve(1.5, 4)
'''

STEPS = """import math

SCALE = 7.0
# EVOLVE-BLOCK-START
def step(x, k):
    y = math.sin(x) - 0.125 * k
    return y * SCALE
# EVOLVE-BLOCK-END
"""


def candidate(number: int, *replacements: tuple[str, str]) -> Candidate:
    main, steps = MAIN, STEPS
    for old, new in replacements:
        main, steps = main.replace(old, new), steps.replace(old, new)
    files = {"main.py": main, "steps.py": steps}
    return Candidate(id=number, files=files, fingerprint=python_fingerprint(files))


class PythonConformance(OperatorConformance):
    def parents(self) -> list[Candidate]:
        return [candidate(3), candidate(8, ("0.25", "0.75"), ("math.sin(x)", "math.cos(x) / 2.0"), ("9.5", "8.0"))]

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        assert outside_unchanged(MAIN, files["main.py"])
        assert outside_unchanged(STEPS, files["steps.py"])
        return python_fingerprint(files)


class TestPythonLiteralEdit(PythonConformance):
    def make(self) -> Operator:
        return PythonLiteralEdit()


class TestPythonTreeEdit(PythonConformance):
    def make(self) -> Operator:
        return PythonTreeEdit(n_children=2)


class TestPythonCrossover(PythonConformance):
    def make(self) -> Operator:
        return PythonCrossover()

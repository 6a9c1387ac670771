from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.candidate import Candidate
from evolve.config.python_text import require_compiles
from evolve.operators.blocks import outside_of
from evolve.operators.contract import Operator, Proposal
from evolve.operators.python_crossover import PythonCrossover
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_literals import PythonLiteralEdit
from evolve.operators.python_tree import PythonTreeEdit
from sandbox.errors import CandidateSyntaxError
from tests.extent import examples

NAMES = st.sampled_from(["a", "b", "ü", "n_1"])
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1e-300", "0x1F", "1_000", "2j", "True"]),
)
ATOMS = st.one_of(
    NAMES, NUMBERS, st.sampled_from(["'ß # EVOLVE'", "f'{a:>4} {b!r}'", "[1, -2.5, *a]", "(lambda q: q)(1)"])
)


def expressions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", " ** ", "//", " < ", " and ", " if a else "]), inner).map(
            "".join
        ),
        st.tuples(st.sampled_from(["-", "not ", "abs", "np.sin", "max"]), inner).map(
            lambda pair: f"({pair[0]}({pair[1]}))"
        ),
        st.tuples(inner, inner).map(lambda pair: f"a[{pair[0]}].sum({pair[1]})"),
        inner.map(lambda text: f"[{text} for z in range(3) if z]"),
    )


EXPRESSIONS = st.recursive(ATOMS, expressions, max_leaves=6)
SIMPLE = st.one_of(
    st.tuples(NAMES, st.sampled_from([" = ", " += ", "=", " *= "]), EXPRESSIONS).map("".join),
    EXPRESSIONS,
    EXPRESSIONS.map(lambda text: f"a = {text}; b = 1.5"),
    st.sampled_from(
        ["pass", "import math", "a: int = 3", 'a = """x\ny"""', "# only a comment", "x = 4  # choices: [4, 8]"]
    ),
)


def indented(lines: Sequence[str]) -> str:
    return "".join("    " + line + "\n" for block in lines for line in block.split("\n"))


COMPOUND = st.tuples(
    st.sampled_from(
        ["for k in range(3):", "if a < b:", "def g(a, b=2.5):", "while False:", "with a as b:", "class C:"]
    ),
    st.lists(SIMPLE.filter(lambda text: not text.startswith("#")), min_size=1, max_size=3),
).map(lambda pair: pair[0] + "\n" + indented(pair[1]).rstrip("\n"))
BODIES = st.lists(st.one_of(SIMPLE, SIMPLE, COMPOUND), min_size=1, max_size=5).map("\n".join)
OUTSIDE = st.sampled_from(
    ["", "# ä ∑\n", "x = 1\n\n\n", '"""Text\twith # marks."""\n', "def outer(q):\n    return q\n"]
)
LINE_ENDS = st.sampled_from(["\n", "\n", "\r\n"])


def is_python(text: str) -> bool:
    try:
        require_compiles(text)
    except CandidateSyntaxError:
        return False
    return True


@st.composite
def programs(draw: st.DrawFn) -> str:
    pieces = [draw(OUTSIDE)]
    for body in draw(st.lists(BODIES, min_size=1, max_size=2)):
        pieces += ["# EVOLVE-BLOCK-START\n", body, "\n# EVOLVE-BLOCK-END\n", draw(OUTSIDE)]
    return "".join(pieces).replace("\n", draw(LINE_ENDS))


PROGRAMS = programs().filter(is_python)


def children(operator: Operator, texts: Sequence[str], seed: int) -> list[Proposal]:
    parents = [
        Candidate(id=number, files={"a.py": text}, fingerprint=python_fingerprint({"a.py": text}))
        for number, text in enumerate(texts, start=1)
    ]
    try:
        next(operator.propose(parents, [], np.random.default_rng(seed)))
    except StopIteration as stop:
        found: list[Proposal] = stop.value
        return found
    raise AssertionError("a Python operator needs no compute")


OPERATORS = [PythonLiteralEdit(n_children=2), PythonTreeEdit(n_children=2), PythonCrossover(n_children=2)]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
@given(texts=st.tuples(PROGRAMS, PROGRAMS), seed=st.integers(0, 2**32))
@settings(max_examples=examples(60), deadline=None)
def test_children_compile_differ_keep_the_outside_and_come_again(
    operator: Operator, texts: tuple[str, str], seed: int
) -> None:
    found = children(operator, texts, seed)

    assert found == children(operator, texts, seed)
    for child in found:
        text = child.files["a.py"]
        assert is_python(text)
        assert outside_of(text) == outside_of(texts[0])
        assert python_fingerprint(child.files) != python_fingerprint({"a.py": texts[0]})


@pytest.mark.parametrize("operator", OPERATORS[:2], ids=lambda operator: operator.name)
@given(text=PROGRAMS, seed=st.integers(0, 2**32))
@settings(max_examples=examples(15), deadline=None)
def test_the_laws_hold_for_children_of_children(operator: Operator, text: str, seed: int) -> None:
    line = text
    for generation in range(8):
        found = children(operator, [line], seed + generation)
        line = found[0].files["a.py"] if found else line

    assert is_python(line)
    assert outside_of(line) == outside_of(text)

"""Every kind of tree edit on the smallest program that shows it: all it can make of it, and what it leaves alone."""

import ast
from collections.abc import Callable

import numpy as np
import pytest

from evolve.operators.python_expressions import EXPRESSION_EDITS, Site, Splice, site_of
from evolve.operators.python_file import PythonFile
from evolve.operators.python_statements import STATEMENT_EDITS

Edit = Callable[[Site, np.random.Generator], Splice]
START, END = "# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-END\n"
EDIT: dict[str, Edit] = {edit.__name__: edit for edit, _ in (*EXPRESSION_EDITS, *STATEMENT_EDITS)}
N_STREAMS = 60


def in_block(body: str) -> str:
    return f"{START}{body}{END}"


def outcomes(name: str, body: str, n_streams: int = N_STREAMS) -> set[str]:
    """Every body that the edit makes of this one over many random streams, the body itself left out."""
    file = PythonFile(in_block(body))
    found = set()
    for number in range(n_streams):
        text = file.spliced(EDIT[name](site_of(file), np.random.default_rng(number)))
        assert text.startswith(START)
        assert text.endswith(END)
        found.add(text[len(START) : -len(END)])
    return found - {body}


MAKES: list[tuple[str, str, set[str]]] = [
    ("other_operator", "c = a + b\n", {"c = a - b\n", "c = a * b\n", "c = a / b\n"}),
    ("other_operator", "c = a // b\n", {"c = a + b\n", "c = a - b\n", "c = a * b\n", "c = a / b\n"}),
    ("other_operator", "a -= 2.0\n", {"a += 2.0\n", "a *= 2.0\n", "a /= 2.0\n"}),
    ("turned_round", "c = a - b\n", {"c = b - a\n"}),
    ("turned_round", "c = a / (b + 1)\n", {"c = (b + 1) / a\n"}),
    ("turned_round", "c = a < b\n", {"c = b < a\n"}),
    ("other_comparison", "c = a < b\n", {"c = a <= b\n", "c = a > b\n", "c = a >= b\n"}),
    ("other_comparison", "c = a == b\n", {"c = a != b\n"}),
    ("other_comparison", "c = a and b and d\n", {"c = a or b or d\n"}),
    ("other_comparison", "if a:\n    b = 1\n", {"if not a:\n    b = 1\n"}),
    ("other_comparison", "c = 1 if a else 2\n", {"c = 1 if (not a) else 2\n"}),
    ("other_function", "c = math.exp(1.0)\n", {"c = math.expm1(1.0)\n", "c = math.exp2(1.0)\n"}),
    ("other_function", "c = any(x)\n", {"c = all(x)\n"}),
    ("other_function", "c = np.zeros(3)\n", {"c = np.ones(3)\n"}),
    ("other_function", "c = np.linspace(1, 2, n)\n", {"c = np.geomspace(1, 2, n)\n"}),
    ("other_name", "a = 1.0\nb = 2.0\nc = a * 2\n", {"a = 1.0\nb = 2.0\nc = b * 2\n"}),
    ("shortened", "c = a + b\n", {"c = a\n", "c = b\n"}),
    ("shortened", "c = math.sin(a)\n", {"c = a\n"}),
    ("other_count", "for i in range(n):\n    f(1)\n", {f"for i in range(n {op} 2):\n    f(1)\n" for op in ("*", "//")}),
    ("deleted", "a = 1.0\nb = 2.0\nc = a\n", {"a = 1.0\nb = 2.0\n", "a = 1.0\nc = a\n"}),
    ("deleted", "def f():\n    print(1)\n", {"def f():\n    pass\n"}),
    ("deleted", "a = 1.0\na = 2.0\nb = a\n", {"a = 1.0\na = 2.0\n", "a = 1.0\nb = a\n"}),
    ("doubled", "a = 1.0\na = a * 2.0\n", {"a = 1.0\na = a * 2.0\na = a * 2.0\n"}),
    ("doubled", "x.sort()  # once\n", {"x.sort()  # once\nx.sort()  # once\n"}),
    ("repeated", "step()\n", {f"for _ in range({count}):\n    step()\n" for count in (2, 3, 4)}),
    ("exchanged", "a = 1.0\na = a * 2\na = a + 1\n", {"a = 1.0\na = a + 1\na = a * 2\n"}),
    (
        "guarded",
        "for k in range(9):\n    print(k)\n",
        {f"for k in range(9):\n    if k % {turns} == 0:\n        print(k)\n" for turns in (2, 3)},
    ),
    ("unguarded", "a = 1\nif a:\n    a = 2\n    a = 3\n", {"a = 1\na = 2\na = 3\n"}),
    ("unguarded", "if a:\n    b = 2\nelse:\n    b = 3\n", {"b = 2\n"}),
]


@pytest.mark.parametrize(
    ("name", "body", "expected"), MAKES, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(MAKES)]
)
def test_an_edit_makes_exactly_these_programs(name: str, body: str, expected: set[str]) -> None:
    assert outcomes(name, body) == expected


LEAVES: list[tuple[str, str]] = [
    ("other_operator", "b = x[a + 1]\n"),
    ("other_operator", "for i in range(a + 1):\n    pass\n"),
    ("other_operator", "b = [1] + a\n"),
    ("other_operator", "b = 'a' + a\n"),
    ("other_operator", "b = np.sum(a, axis=n - 1)\n"),
    ("other_operator", "b = a @ c\n"),
    ("turned_round", "c = a + b * d\n"),
    ("turned_round", "c = a < b < d\n"),
    ("turned_round", "c = a == b\n"),
    ("other_comparison", "c = a is None\n"),
    ("other_comparison", "c = a in b\n"),
    ("other_function", "c = mine(3)\n"),
    ("other_function", "c = np.nothing(3)\n"),
    ("other_function", "c = sin(3)\n"),
    ("other_function", "c = math.sin\n"),
    ("other_name", "a = 1.0\nc = a * 2\n"),
    ("other_name", "a = 1.0\nb = [1]\nb[0] = a * 2\n"),
    ("wrapped", "c = 'text'\n"),
    ("wrapped", "c = x[k + 1]\n"),
    ("shortened", "c = min(a)\n"),
    ("shortened", "c = mine(a)\n"),
    ("shortened", "c = math.sin(*a)\n"),
    ("other_count", "for i in range(n):\n    a = i\n"),
    ("other_count", "for i in range(3):\n    a = 1\n"),
    ("other_count", "for i in range(1, n):\n    a = 1\n"),
    ("other_count", "for i in values(n):\n    a = 1\n"),
    ("deleted", "def f():\n    return 1\n"),
    ("deleted", "import math\n"),
    ("deleted", "def f(x):\n    y = x\n    return y\n"),
    ("deleted", "a = 1; b = 2\n"),
    ("doubled", "a = 1.0\n"),
    ("doubled", "for k in x:\n    break\n"),
    ("doubled", "'only words'\n"),
    ("repeated", "def f():\n    for k in x:\n        return k\n"),
    ("exchanged", "a = 1.0\nb = a\n"),
    ("exchanged", "a = 1.0\nb = 2.0\n"),
    ("inserted", "import math\n"),
    ("inserted", "x = 'text'\n"),
    ("guarded", "a = 1.0\nb = a\n"),
    ("guarded", "for _ in range(3):\n    print(1)\n"),
    ("unguarded", "for k in x:\n    if k:\n        break\n"),
    ("unguarded", "def f(x):\n    if x:\n        return 1\n"),
]


@pytest.mark.parametrize(("name", "body"), LEAVES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(LEAVES)])
def test_an_edit_leaves_alone_what_it_would_break(name: str, body: str) -> None:
    assert outcomes(name, body) == set()


NOTHING_TO_DO = ["", "\n\n", "# only words\n", "pass\n", "import math\n", "def f():\n    pass\n", "x = 'text'\n"]


@pytest.mark.parametrize("name", sorted(set(EDIT) - {"deleted"}))
@pytest.mark.parametrize("body", NOTHING_TO_DO)
def test_no_edit_finds_something_where_there_is_nothing(name: str, body: str) -> None:
    assert outcomes(name, body, 5) == set()


@pytest.mark.parametrize("name", sorted(EDIT))
def test_no_edit_reaches_outside_of_the_blocks(name: str) -> None:
    busy = (
        "import math\na = b = 1.0\nfor i in range(a):\n    if a < b:\n        a = a + math.sin(b)\n        a = a - b\n"
    )
    file = PythonFile(f"{busy}{START}{END}{busy}")

    assert all(EDIT[name](site_of(file), np.random.default_rng(number)) == [] for number in range(10))


@pytest.mark.parametrize("name", sorted(EDIT))
def test_annotations_decorators_and_patterns_are_never_edited(name: str) -> None:
    body = "@mark(a + b)\ndef f(x: (a < b) = None) -> (a - b):\n    pass\ny: (a * b)\nz = f'{a + b:{a}}'\n"

    for text in outcomes(name, body, 20):
        assert "@mark(a + b)\ndef f(x: (a < b) = None) -> (a - b):\n    pass\n" in text
        assert "z = f'{a + b:{a}}'" in text or name == "deleted"


def test_a_wrapped_number_is_scaled_shifted_bounded_or_blended() -> None:
    made = outcomes("wrapped", "a = 2.0\nc = a * 2\n", 200)
    values = [ast.parse(text).body[1] for text in made]
    assert all(isinstance(each, ast.Assign) for each in values)
    kinds = {type(each.value).__name__ for each in values if isinstance(each, ast.Assign)}

    assert kinds == {"BinOp", "Call"}
    assert "a = 2.0\nc = abs(a * 2)\n" in made
    assert any(" * (a * 2)\n" in text for text in made)
    assert any(text.startswith("a = 2.0\nc = a * 2 + ") for text in made)


def test_a_blend_has_shares_that_add_up_to_one() -> None:
    made = outcomes("wrapped", "a = 2.0\nb = 3.0\nc = a * 2 + b * 0\n", 300)

    shares = []
    for text in made:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp) and isinstance(node.right, ast.BinOp):
                left, right = node.left.left, node.right.left
                if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
                    assert isinstance(left.value, float)
                    assert isinstance(right.value, float)
                    shares.append(left.value + right.value)

    assert len(shares) > 10
    assert all(abs(share - 1.0) < 1e-9 for share in shares)


def test_what_is_inserted_assigns_a_number_that_is_there() -> None:
    for text in outcomes("inserted", "a = 2.0\nb = a * 3\n", 100):
        first, second, third = ast.parse(text).body
        new = next(each for each in (second, third) if ast.unparse(each) != "b = a * 3")
        names: dict[str, object] = {}
        exec(text, names)

        assert ast.unparse(first) == "a = 2.0"
        assert isinstance(new, ast.Assign)
        assert ast.unparse(new.targets[0]) in ("a", "b")


@pytest.mark.parametrize("name", ["repeated", "guarded", "unguarded", "inserted", "doubled", "exchanged", "deleted"])
@pytest.mark.parametrize("indent", ["\t", "  ", "        "])
def test_a_statement_edit_keeps_the_indentation_of_its_place(name: str, indent: str) -> None:
    lines = ["a = 1.0", "for k in range(3):", "~a = a * 2", "~a = a + 1", "~if a > 4:", "~~a = a - 3"]
    body = "".join(line.replace("~", indent) + "\n" for line in lines)

    made = outcomes(name, body)

    assert made
    for text in made:
        names: dict[str, float] = {}
        exec(text, {}, names)
        assert "a" in names


@pytest.mark.parametrize("name", sorted(EDIT))
@pytest.mark.parametrize("body", ["x = 'ü' ; a = 1.0; c = a - b  # ∑\n", "a = 1.0\n# ü\nc = a - b\n"])
def test_letters_of_several_bytes_do_not_shift_an_edit(name: str, body: str) -> None:
    for text in outcomes(name, body, 20):
        ast.parse(text)
        assert ("'ü'" in text) == ("'ü'" in body)
        assert "∑" in text or "# ü" in text


MEETS = [
    ("c = -(a - b)\n", "a - b", "x + y", "c = -(x + y)\n"),
    ("c = -(a - b)\n", "a - b", "x", "c = -x\n"),
    ("c = a * b\n", "b", "x + y", "c = a * (x + y)\n"),
    ("c = f(a)\n", "a", "x + y", "c = f(x + y)\n"),
    ("c = a.real\n", "a", "x + y", "c = (x + y).real\n"),
    ("c = a[0]\n", "a", "x + y", "c = (x + y)[0]\n"),
    ("c = 1 if a else 2\n", "a", "x", "c = 1 if x else 2\n"),
    ("c = 1 if(a)else 2\n", "a", "x", "c = 1 if x else 2\n"),
    ("c = not(a)\n", "a", "x or y", "c = not(x or y)\n"),
    ("c = a ** b\n", "a", "-x", "c = (-x) ** b\n"),
]


@pytest.mark.parametrize(("body", "old", "new", "expected"), MEETS)
def test_an_expression_is_put_in_place_with_the_parentheses_it_needs(
    body: str, old: str, new: str, expected: str
) -> None:
    file = PythonFile(in_block(body))
    place = next(each for each in ast.walk(file.tree) if isinstance(each, ast.expr) and ast.unparse(each) == old)

    text = file.spliced([file.with_expression(place, ast.parse(new, mode="eval").body)])

    assert text == in_block(expected)

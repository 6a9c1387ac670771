"""Which names may be read where, and that no crossover hides a name of the module or reads one that is not there."""

import ast

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.operators.contract import Operator
from evolve.operators.python_crossover import (
    PythonCrossover,
    blended,
    expression_grafted,
    function_grafted,
    skeleton,
    statement_grafted,
)
from evolve.operators.python_expressions import site_of
from evolve.operators.python_file import PythonFile
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_names import Holds, Names, bound_names, loaded_names, stored_names
from evolve.operators.python_tree import PythonTreeEdit

START, END = "# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-END\n"


def in_block(body: str, after: str = "") -> str:
    return f"{START}{body}{END}{after}"


def candidate(text: str, number: int = 1) -> Candidate:
    return Candidate(id=number, files={"a.py": text}, fingerprint=python_fingerprint({"a.py": text}))


def children_of(operator: Operator, texts: list[str], n_streams: int) -> list[str]:
    parents = [candidate(text, number) for number, text in enumerate(texts, start=1)]
    children: list[str] = []
    for number in range(n_streams):
        try:
            next(operator.propose(parents, [], np.random.default_rng([3, number])))
        except StopIteration as stop:
            children += [child.files["a.py"] for child in stop.value]
    return children


def visible_at_mark(text: str) -> set[str]:
    """The names that may be read where the text says `MARK`."""
    file = PythonFile(text)
    mark = next(node for node in ast.walk(file.tree) if isinstance(node, ast.Name) and node.id == "MARK")
    return set(Names(file).visible_at(mark))


VISIBLE: list[tuple[str, set[str]]] = [
    ("a = 1\nMARK\nb = 2\n", {"a"}),
    ("a = MARK\n", set()),
    ("import numpy as np, os.path\nMARK\n", {"np", "os"}),
    ("from math import sin as s, cos\nMARK\n", {"s", "cos"}),
    ("def f():\n    MARK\nb = 2\n", {"f", "b"}),
    ("def f(a, /, b, *c, d=1, **e):\n    MARK\n", {"f", "a", "b", "c", "d", "e"}),
    ("def f(a):\n    pass\nMARK\n", {"f"}),
    ("f = lambda a: MARK\n", {"a", "f"}),
    ("x = [MARK for k in y]\n", {"k"}),
    ("if c:\n    a = 1\nMARK\n", set()),
    ("if c:\n    a = 1\n    MARK\n", {"a"}),
    ("if c:\n    a = 1\nelse:\n    MARK\n", set()),
    ("for k in x:\n    MARK\n", {"k"}),
    ("for k in x:\n    a = 1\nMARK\n", set()),
    ("for k, (a, *b) in x:\n    MARK\n", {"k", "a", "b"}),
    ("with x as a:\n    MARK\n", {"a"}),
    ("with x as a:\n    pass\nMARK\n", {"a"}),
    ("a, (b, c) = x\nMARK\n", {"a", "b", "c"}),
    ("a[0] = 1\na.b = 2\nMARK\n", set()),
    ("class C:\n    a = 1\n    def f(self):\n        MARK\n", {"C", "self"}),
    ("t = 1\ndef f():\n    MARK\n    t = 2\n", {"f"}),
    ("t = 1\ndef f():\n    t = 2\n    MARK\n", {"f", "t"}),
    ("t = 1\ndef f():\n    global t\n    MARK\n    t = 2\n", {"f", "t"}),
    ("t = 1\ndef f(t):\n    MARK\n    t = 2\n", {"f", "t"}),
    ("t = 1\ndef f():\n    for k in x:\n        t = k\n    MARK\n", {"f"}),
    ("t = 1\ndef f():\n    x = lambda: MARK\n    t = 2\n", {"f"}),
    ("def f():\n    f = 1\n    MARK\n", {"f"}),
]


@pytest.mark.parametrize(("text", "names"), VISIBLE)
def test_a_name_may_be_read_only_where_it_is_surely_bound(text: str, names: set[str]) -> None:
    assert visible_at_mark(text) == names


@pytest.mark.parametrize(
    ("statement", "bound", "stored", "loaded"),
    [
        ("a = b", ["a"], {"a"}, {"b"}),
        ("a += b", ["a"], {"a"}, {"a", "b"}),
        ("a.b = c[d]", [], set(), {"a", "c", "d"}),
        ("a: int = b", ["a"], {"a"}, {"int", "b"}),
        ("import a.b, c as d", ["a", "d"], {"a", "d"}, set()),
        ("def f(x=y): z = x", ["f"], {"f", "z"}, {"x", "y"}),
        ("for k in x: y = k", [], {"k", "y"}, {"x", "k"}),
        ("del a", [], {"a"}, set()),
        ("x = (y := z)", ["x"], {"x", "y"}, {"z"}),
    ],
)
def test_what_a_statement_binds_stores_and_reads(
    statement: str, bound: list[str], stored: set[str], loaded: set[str]
) -> None:
    (node,) = ast.parse(statement).body

    assert bound_names(node) == bound
    assert stored_names(node) == stored
    assert loaded_names(node) == loaded


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a = 1\n", Holds.NUMBER),
        ("a = -1.5\nb = a * 2\n", Holds.NUMBER),
        ("a = True\n", Holds.OTHER),
        ("a = 'text'\n", Holds.OTHER),
        ("b = a < 3\n", Holds.NUMBER),
        ("b = x[a]\n", Holds.INDEX),
        ("b = x[0, a]\n", Holds.INDEX),
        ("b = range(a)\n", Holds.INDEX),
        ("b = a[0]\n", Holds.ARRAY),
        ("b = a.shape\n", Holds.ARRAY),
        ("b = a.words\n", Holds.OTHER),
        ("b = a(1) + a\n", Holds.OTHER),
        ("a = np.sin(x)\n", Holds.ARRAY),
        ("x = np.ones(3)\na = x * 2\n", Holds.ARRAY),
        ("x = np.ones(3)\na = x.sum()\n", Holds.OTHER),
        ("b = 'a%d' % a\n", Holds.OTHER),
        ("import a\nb = a + 1\n", Holds.OTHER),
        ("", Holds.OTHER),
    ],
)
def test_what_a_name_holds_is_told_by_how_it_is_used(text: str, kind: Holds) -> None:
    assert Names(PythonFile(text)).holds("a") is kind


MODULE_RATE = in_block(
    "RATE = 0.5\ndef f(x):\n    y = x * RATE\n    z = y + 1.0\n    return z\n", "def result(): return f(2.0)\n"
)
OWN_RATE = in_block(
    "def f(x):\n    RATE = 2.0 * x\n    RATE = RATE - 1.0\n    return RATE\n", "def result(): return f(2.0)\n"
)
LATE_RATE = in_block(
    "RATE = 0.5\ndef f(x):\n    y = x * 3.0\n    z = y + 1.0\n    RATE = z * 2.0\n    return RATE + y\n",
    "def result(): return f(2.0)\n",
)
LOOPS = in_block(
    "def f(x):\n    s = 0.0\n    for k in range(3):\n        s += x * k\n"
    "        if s > 4.0:\n            break\n    return s\n",
    "def result(): return f(2.0)\n",
)
FAMILY = {"module": MODULE_RATE, "own": OWN_RATE, "late": LATE_RATE, "loops": LOOPS}


def error_of(text: str) -> str:
    names: dict[str, object] = {}
    try:
        exec(compile(text, "candidate", "exec"), names)
        result = names["result"]
        assert callable(result)
        result()
    except NameError as error:
        return f"{error}\n{text}"
    except (ArithmeticError, TypeError, ValueError):
        return ""
    return ""


@pytest.mark.parametrize("first", sorted(FAMILY))
@pytest.mark.parametrize("second", sorted(FAMILY))
def test_no_crossover_leaves_a_name_unbound_or_hides_it(first: str, second: str) -> None:
    children = children_of(PythonCrossover(), [FAMILY[first], FAMILY[second]], 40)

    assert bool(children) == (first != second)
    assert [error for text in children if (error := error_of(text))] == []


@pytest.mark.parametrize("name", sorted(FAMILY))
def test_no_tree_edit_reads_a_name_that_the_function_binds_later(name: str) -> None:
    children = children_of(PythonTreeEdit(), [FAMILY[name]], 80)

    assert len(children) == 80
    assert [error for text in children if (error := error_of(text))] == []


def all_of(crossing: object, mine: str, theirs: str, n_streams: int = 60) -> set[str]:
    assert callable(crossing)
    left, right = PythonFile(mine), PythonFile(theirs)
    texts = {left.spliced(crossing(site_of(left), site_of(right), np.random.default_rng(k))) for k in range(n_streams)}
    return texts - {mine}


def test_a_grafted_function_is_the_other_parents_and_nothing_else_changes() -> None:
    mine = in_block("def f(x):\n    return x  # mine\n\n\ndef g(x):\n    return f(x)\n")
    theirs = in_block("def f(x):\n    y = x * 2  # theirs\n    return y\n")

    assert all_of(function_grafted, mine, theirs) == {
        in_block("def f(x):\n    y = x * 2  # theirs\n    return y\n\n\ndef g(x):\n    return f(x)\n")
    }


@pytest.mark.parametrize(
    "donor",
    [
        "def f(x):\n    return helper(x)\n",
        "def h(x):\n    return x * 2\n",
        "def f(x):\n    return x\n",
        "async def f(x):\n    return x * 2\n",
    ],
)
def test_a_function_is_not_grafted_where_it_is_unknown_equal_or_lacks_a_name(donor: str) -> None:
    assert all_of(function_grafted, in_block("def f(x):\n    return x\n"), in_block(donor)) == set()


def test_a_function_may_call_what_the_other_module_knows_too() -> None:
    mine = in_block("def helper(x):\n    return x\n\n\ndef f(x):\n    return x\n")
    theirs = in_block("def f(x):\n    return max(helper(x), 0)\n")

    (child,) = all_of(function_grafted, mine, theirs)

    assert "return max(helper(x), 0)" in child


def test_a_decorated_function_is_grafted_with_its_decorator() -> None:
    mine = in_block("import functools\ndef f(x):\n    return x\n")
    theirs = in_block("import functools\n@functools.cache\ndef f(x):\n    return x + 1\n")

    (child,) = all_of(function_grafted, mine, theirs)

    assert child == theirs


def test_a_statement_is_grafted_only_where_its_names_are() -> None:
    start, donor = "a = 1.0\nb = a + 1\n", "c = a * b\n"
    mine = in_block(f"{start}d = 1\n")

    assert all_of(statement_grafted, mine, in_block("a = 1.0\nc = a * z\n")) == set()
    assert all_of(statement_grafted, mine, in_block(f"{start}{donor}")) == {
        in_block(f"{start}d = 1\n{donor}"),
        in_block(f"{start}{donor}"),
    }


def test_an_expression_is_grafted_in_parentheses_where_it_needs_them() -> None:
    mine = in_block("a = 1.0\nb = 2.0\nc = -(a * b)\n")
    theirs = in_block("a = 1.0\nb = 2.0\nc = a + b\n")

    texts = all_of(expression_grafted, mine, theirs, 200)

    assert in_block("a = 1.0\nb = 2.0\nc = -(a + b)\n") in texts
    assert in_block("a = 1.0\nb = 2.0\nc = -((a + b) * b)\n") in texts


def test_an_array_is_not_grafted_for_a_number() -> None:
    mine = in_block("a = 1.0\nv = w[0]\nw = [1]\nc = a * 2\n")
    theirs = in_block("c = w * 3\nd = w[0]\n")

    assert all_of(expression_grafted, mine, theirs) == set()


def test_blended_numbers_lie_on_the_line_through_both_or_are_one_of_them() -> None:
    mine, theirs = in_block("x = [1.0, 10.0, 5.0]\n"), in_block("x = [2.0, 30.0, 5.0]\n")

    for text in all_of(blended, mine, theirs, 200):
        module = ast.parse(text).body[0]
        assert isinstance(module, ast.Assign)
        first, second, third = ast.literal_eval(module.value)
        assert third == 5.0
        taken = first in (1.0, 2.0) and second in (10.0, 30.0)
        share = first - 1.0
        assert taken or (second == pytest.approx(10.0 + 20.0 * share, abs=1e-6) and -0.5 <= share <= 1.5)


def test_whole_numbers_stay_whole_when_blended() -> None:
    texts = all_of(blended, in_block("n = 4\n"), in_block("n = 40\n"), 200)

    values = {int(text[len(START) + 4 : -len(END)]) for text in texts}
    assert min(values) < 4
    assert max(values) > 40
    assert -14 <= min(values) <= max(values) <= 58


@pytest.mark.parametrize("other", ["x = 1.0 + 2.0\n", "y = 2.0\n", "x = 2\n", "x = True\n", "x = a\n"])
def test_only_alike_programs_are_blended(other: str) -> None:
    assert all_of(blended, in_block("x = 1.0\n"), in_block(other)) == set()
    assert skeleton(PythonFile(in_block("x = 1.0\n"))) != skeleton(PythonFile(in_block(other)))


def test_an_inspiration_stands_in_for_a_missing_second_parent() -> None:
    first, other = candidate(in_block("x = 1.0\n")), candidate(in_block("x = 3.0\n"), 7)

    with pytest.raises(StopIteration) as stop:
        next(PythonCrossover().propose([first], [first, other], np.random.default_rng(0)))

    (child,) = stop.value.value
    assert child.parent_ids == (1, 7)


def test_parents_without_a_file_in_common_have_no_children() -> None:
    first = Candidate(id=1, files={"a.py": in_block("x = 1.0\n")}, fingerprint="a")
    second = Candidate(id=2, files={"b.py": in_block("x = 2.0\n")}, fingerprint="b")

    with pytest.raises(StopIteration) as stop:
        next(PythonCrossover().propose([first, second], [], np.random.default_rng(0)))

    assert stop.value.value == []


def test_no_graft_makes_a_name_of_the_module_the_functions_own() -> None:
    mine = in_block("RATE = 0.5\ndef f(x):\n    y = x * RATE\n    return y\n")
    theirs = in_block("def f(x):\n    RATE = 2.0 * x\n    other = 3.0 * x\n    return RATE + other\n")

    texts = all_of(statement_grafted, mine, theirs)

    assert any("other = 3.0 * x" in text for text in texts)
    assert not any("RATE = 2.0 * x" in text for text in texts)

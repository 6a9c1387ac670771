"""How literals move: whole numbers, floats of every size, choices, exchanges, and what is too odd to be touched."""

import ast
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.candidate import Candidate
from evolve.config.python_text import parse_python
from evolve.operators.contract import Proposal
from evolve.operators.python_file import PythonFile
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_literals import (
    LARGEST,
    PythonLiteralEdit,
    edited,
    literals_of,
    number_text,
    numbers_of,
)
from tests.extent import examples

START, END = "# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-END\n"


def in_block(body: str) -> str:
    return f"{START}{body}\n{END}"


def proposals(files: dict[str, str], *, n_children: int = 1, stream: int = 0) -> list[Proposal]:
    parent = Candidate(id=4, files=files, fingerprint=python_fingerprint(files))
    with pytest.raises(StopIteration) as stop:
        next(PythonLiteralEdit(n_children=n_children).propose([parent], [], np.random.default_rng([8, stream])))
    children: list[Proposal] = stop.value.value
    return children


def outcomes(body: str, n_streams: int) -> list[str]:
    """The bodies that single edits make of this one."""
    file = PythonFile(in_block(body))
    texts = [edited(file, literals_of(file), np.random.default_rng([2, number])) for number in range(n_streams)]
    return [text[len(START) : -len(END) - 1] for text in texts]


def values_of(bodies: list[str]) -> list[float]:
    return [ast.literal_eval(body.partition(" = ")[2]) for body in bodies]


@given(value=st.floats(allow_nan=False, allow_infinity=False), digits=st.integers(0, 20))
@settings(max_examples=examples(60), deadline=None)
def test_a_written_number_reads_back_as_a_float_that_is_near(value: float, digits: int) -> None:
    text = number_text(value, digits=digits)

    again = ast.literal_eval(text)
    assert isinstance(again, float)
    if digits >= 17:
        assert again == value
    elif math.isfinite(again):
        bound = abs(Fraction(value)) * Fraction(10) ** (1 - max(digits, 1)) / 2 + Fraction(5e-324)
        assert abs(Fraction(again) - Fraction(value)) <= bound * Fraction(1001, 1000)


FOUND: list[tuple[str, list[object]]] = [
    ("x = -3", [-3]),
    ("x = - 3", [-3]),
    ("x = +3", [3]),
    ("x = --3", [-3]),
    ("x = 1_000 + 0x10", [1000, 16]),
    ("x = 1e5", [1e5]),
    ("x = 2j", []),
    ("x = None", []),
    ("x = ...", []),
    ("x = b'a'", []),
    ("x = True", [True]),
    ("x = -True", [True]),
    ("x = 1e301", []),
    ("x = 1e999", []),
    ("x = 'a'", []),
    ("x = 'a'  # choices: ['a', 'b']", ["a"]),
    ("x: Literal[3] = 4", [4]),
    ("def f(x: 3 = 5) -> 7: pass", [5]),
    ("x = f'{y:3}'", []),
    ("match x:\n    case 3:\n        y = 4", [4]),
]


@pytest.mark.parametrize(("body", "values"), FOUND)
def test_these_literals_may_be_edited(body: str, values: list[object]) -> None:
    found = [literal.value for literal in literals_of(PythonFile(in_block(body)))]

    assert found == values
    assert [type(each) for each in found] == [type(each) for each in values]


def test_the_text_between_start_and_end_is_the_literal_with_its_sign() -> None:
    file = PythonFile(in_block("x = [-1.5, y - 2, 'ü', -z * 3e0]"))

    literals = literals_of(file)

    assert [file.text[each.start : each.end] for each in literals] == ["-1.5", "2", "3e0"]
    assert all(ast.literal_eval(file.text[each.start : each.end]) == each.value for each in literals)
    assert len({each.group for each in literals}) == 1


CHOICES: list[tuple[str, set[str]]] = [
    ("x = 8  # choices: [8, 16, 'fast']", {"x = 16", "x = 'fast'"}),
    ("x = 8 #choices:[8, 2.5]", {"x = 2.5"}),
    ("x = -8  # choices: [-8, -16]", {"x = -16"}),
    ("x = True  # choices: [True, 3]", {"x = 3"}),
    ("x = 'a'  # choices: ['a', 'b', [1], None]", {"x = 'b'"}),
    ("x: str = 'a'  # choices: ['a', 'b']", {"x: str = 'b'"}),
    ("f(mode='a')  # choices: ['a', 'b']", {"f(mode='b')"}),
]


@pytest.mark.parametrize(("body", "expected"), CHOICES)
def test_a_choice_becomes_each_of_the_others_and_nothing_else(body: str, expected: set[str]) -> None:
    made = {re.split(r"\s*#", text)[0] for text in outcomes(body, 60)}

    assert made - {re.split(r"\s*#", body)[0]} == expected


@pytest.mark.parametrize(
    "comment",
    [
        "# choices:",
        "# choices: []",
        "# choices: 3",
        "# choices: [a]",
        "# choices: ['a'",
        f"# choices: {'[' * 500}{']' * 500}",
    ],
)
def test_a_remark_that_is_no_list_of_literals_leaves_a_text_alone(comment: str) -> None:
    assert literals_of(PythonFile(in_block(f"x = 'a'  {comment}"))) == []


def test_a_choice_does_not_count_as_a_number() -> None:
    file = PythonFile(in_block("x = 8  # choices: [8, 16]\ny = 2.5\nz = False"))

    assert [each.value for each in literals_of(file)] == [8, 2.5, False]
    assert [each.value for each in numbers_of(file)] == [2.5]


def test_a_whole_number_moves_mostly_by_one_and_sometimes_far() -> None:
    values = values_of(outcomes("n = 40", 400))
    steps = [abs(value - 40) for value in values]

    assert 100 < steps.count(1) < 300
    assert sum(step > 10 for step in steps) > 20
    assert all(isinstance(value, int) for value in values)
    assert {39, 41, 20, 80} <= set(values)


def test_a_count_seldom_becomes_negative_and_one_often_becomes_zero() -> None:
    values = values_of(outcomes("n = 1", 400))

    assert sum(value < 0 for value in values) < 20
    assert values.count(0) > 40


@pytest.mark.parametrize("value", ["0", "1", "-1", str(10**15), str(-(10**15) - 1), str(10**25), str(10**299)])
def test_the_smallest_and_the_largest_whole_numbers_stay_whole(value: str) -> None:
    for text in outcomes(f"n = {value}", 40):
        assert re.fullmatch(r"n = -?\d+", text)


FLOATS = ["0.0", "-0.0", "5e-324", "-5e-324", "1e-300", "1.0", "-2.5", "1e300", "-1e300", "123456.789"]


@pytest.mark.parametrize("value", FLOATS)
def test_a_float_of_any_size_stays_a_finite_float(value: str) -> None:
    for text in outcomes(f"x = {value}", 60):
        found = ast.literal_eval(text.partition(" = ")[2])
        assert isinstance(found, float)
        assert abs(found) <= LARGEST


def test_steps_are_symmetric_about_the_value() -> None:
    values = values_of(outcomes("x = 3.0", 600))
    near = [value - 3.0 for value in values if 0.0 < abs(value - 3.0) < 0.5]
    above = sum(step > 0 for step in near)

    assert len(near) > 200
    assert abs(above - len(near) / 2) < 4.0 * math.sqrt(len(near)) / 2


def test_steps_are_relative_to_the_size_of_the_value() -> None:
    small = values_of(outcomes("x = 0.0003", 300))
    large = values_of(outcomes("x = 30000.0", 300))

    def typical(values: list[float], value: float) -> float:
        return float(np.median([abs(each / value - 1.0) for each in values]))

    assert typical(small, 3e-4) == pytest.approx(typical(large, 3e4), rel=3.0, abs=0.05)
    assert sum(abs(each) < 1.0 for each in small) > 200


def test_exchanged_numbers_are_of_one_type_and_keep_their_text() -> None:
    body = "x = [1.50, 0x8, 2e0, 7, True]"
    made = set(outcomes(body, 500)) - {body}

    words = sorted(re.findall(r"[\w.]+", body))
    swaps = {text for text in made if sorted(re.findall(r"[\w.]+", text)) == words}
    assert swaps == {"x = [2e0, 0x8, 1.50, 7, True]", "x = [1.50, 7, 2e0, 0x8, True]"}


def test_at_the_edges_of_words_literals_keep_apart() -> None:
    body = "x = 1if y else-2.5or 3"

    for text in outcomes(body, 60):
        tree = parse_python(text)
        assert isinstance(tree.body[0], ast.Assign)
        assert isinstance(tree.body[0].value, ast.IfExp)


def test_as_many_children_as_asked_for_and_all_of_them_different() -> None:
    files = {"a.py": in_block("x = 1.5"), "b.py": "y = 2.5\n"}

    children = proposals(files, n_children=12)

    assert len(children) == 12
    assert len({child.files["a.py"] for child in children}) == 12
    assert all(child.files["b.py"] == files["b.py"] for child in children)
    assert all(child.parent_ids == (4,) for child in children)


def test_a_flag_alone_has_one_child_however_many_are_asked_for() -> None:
    assert [child.files for child in proposals({"a.py": in_block("x = True")}, n_children=5)] == [
        {"a.py": in_block("x = False")}
    ]


def test_every_file_with_literals_gets_its_turn() -> None:
    files = {name: in_block(f"{name[0]} = 1.5") for name in ("a.py", "b.py", "c.py")}

    changed = {
        name
        for k in range(40)
        for child in proposals(files, stream=k)
        for name in files
        if child.files[name] != files[name]
    }

    assert changed == set(files)


@pytest.mark.parametrize(
    "text", ["x = 1.5\n", in_block("x = y"), in_block(""), in_block("x = 1e999"), START + "x = 1\n"]
)
def test_a_program_with_nothing_to_change_has_no_children(text: str) -> None:
    assert proposals({"a.py": text}) == []

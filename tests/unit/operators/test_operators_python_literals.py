import math
import re

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Operator
from evolve.operators.python_file import PythonFile
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.python_literals import PythonLiteralEdit, literals_of, number_text


def in_block(body: str) -> str:
    return f"N = 5\n# EVOLVE-BLOCK-START\n{body}\n# EVOLVE-BLOCK-END\nM = 7\n"


def candidate(text: str, number: int = 1) -> Candidate:
    return Candidate(id=number, files={"a.py": text}, fingerprint=python_fingerprint({"a.py": text}))


def children_of(operator: Operator, text: str, n: int) -> list[str]:
    texts = []
    for number in range(n):
        try:
            next(operator.propose([candidate(text)], [], np.random.default_rng([5, number])))
        except StopIteration as stop:
            texts += [child.files["a.py"] for child in stop.value]
    return texts


def values_of(name: str, texts: list[str]) -> list[str]:
    return [match[1] for text in texts if (match := re.search(rf"^{name} = (.*?)(?:  #.*)?$", text, re.MULTILINE))]


def test_only_literals_inside_of_blocks_are_found() -> None:
    file = PythonFile(in_block('x = -3 + 2.5\n"""text"""\ny = f"{1:2}" + "s"\ndef f(a: 4 = 6): pass'))

    assert [literal.value for literal in literals_of(file)] == [-3, 2.5, 6]


def test_steps_of_a_float_have_many_sizes_and_both_signs() -> None:
    values = [float(each) for each in values_of("x", children_of(PythonLiteralEdit(), in_block("x = 0.37"), 300))]
    steps = [abs(value - 0.37) for value in values]

    assert sum(step < 1e-3 for step in steps) > 15
    assert sum(1e-3 < step < 1e-1 for step in steps) > 30
    assert sum(step > 0.1 for step in steps) > 30
    assert min(values) < 0.0 < max(values)
    assert all(math.isfinite(value) for value in values)


def test_a_float_stays_a_float_and_a_whole_number_stays_whole() -> None:
    texts = children_of(PythonLiteralEdit(), in_block("x = 2.0\nn = 12"), 200)

    assert all(re.search(r"[.en]", value) for value in values_of("x", texts))
    assert all(re.fullmatch(r"-?\d+", value) for value in values_of("n", texts))
    assert {"11", "13"} <= set(values_of("n", texts))


def test_a_zero_can_become_something_else() -> None:
    values = values_of("x", children_of(PythonLiteralEdit(), in_block("x = 0.0"), 20))

    assert len(values) == 20
    assert all(float(value) != 0.0 for value in values)


def test_annotated_choices_are_obeyed() -> None:
    text = in_block('kind = "fast"  # choices: ["fast", "slow", 3]')

    values = values_of("kind", children_of(PythonLiteralEdit(), text, 30))

    assert set(values) == {"'slow'", "3"}


def test_texts_without_annotated_choices_are_left_alone() -> None:
    assert children_of(PythonLiteralEdit(), in_block('kind = "fast"'), 5) == []


def test_truth_values_flip() -> None:
    assert set(values_of("flag", children_of(PythonLiteralEdit(), in_block("flag = True"), 5))) == {"False"}


def test_numbers_are_exchanged_now_and_then() -> None:
    texts = children_of(PythonLiteralEdit(), in_block("x = [1.25, 8.5]"), 200)

    assert in_block("x = [8.5, 1.25]") in texts


def test_a_table_of_coordinates_is_shaken_as_a_whole_now_and_then() -> None:
    row = ", ".join(f"{number / 16}" for number in range(1, 13))
    texts = children_of(PythonLiteralEdit(), in_block(f"x = [{row}]"), 100)
    changed = [
        sum(a != b for a, b in zip(text.split(","), in_block(f"x = [{row}]").split(","), strict=True)) for text in texts
    ]

    assert max(changed) == 12
    assert changed.count(1) > 30


def test_shapes_axes_and_subscripts_change_less_often_than_parameters() -> None:
    texts = children_of(PythonLiteralEdit(), in_block("import numpy as np\nx = np.zeros(3)[0].sum(0) * 0.5"), 200)

    assert sum("np.zeros(3)[0].sum(0)" in text for text in texts) > 100


def test_a_literal_that_touches_a_keyword_is_kept_apart_from_it() -> None:
    texts = children_of(PythonLiteralEdit(), in_block("def f():\n    return-1.5"), 40)

    assert len(texts) == 40
    assert all("return" in text and "return1" not in text for text in texts)


def test_a_program_without_blocks_or_numbers_has_no_children() -> None:
    assert children_of(PythonLiteralEdit(), "x = 1.5\n", 3) == []
    assert children_of(PythonLiteralEdit(), in_block("x = y"), 3) == []


def test_a_number_is_written_so_that_it_reads_back_as_a_float() -> None:
    assert [number_text(3.0, digits=3), number_text(1e20, digits=3), number_text(0.1 + 0.2)] == [
        "3.0",
        "1e+20",
        "0.30000000000000004",
    ]

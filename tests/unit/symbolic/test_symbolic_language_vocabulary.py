from pathlib import Path

import numpy as np
import pytest

from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import (
    ARITHMETIC,
    ELEMENTARY,
    Function,
    Vocabulary,
    VocabularyError,
    load_vocabulary,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "words.py"
    path.write_text(text, encoding="utf-8")
    return path


def function_of(vocabulary: Vocabulary, name: str) -> Function:
    return vocabulary.functions[vocabulary.position_of(name)]


def test_built_in_vocabularies_load_by_name() -> None:
    assert load_vocabulary("arithmetic") is ARITHMETIC
    assert load_vocabulary("elementary") is ELEMENTARY
    assert [f.symbol for f in ARITHMETIC.functions] == ["+", "-", "*", "/"]


def test_compiled_functions_have_distinct_opcodes() -> None:
    opcodes = [function.opcode for function in ELEMENTARY.functions]

    assert opcodes == list(range(15))


def test_a_file_of_annotated_functions_is_a_vocabulary(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'INCLUDE = ("arithmetic",)\n'
        'SYMBOLS = {"scale": "*"}\n'
        'COMMUTATIVE = ("blend",)\n'
        "def scale(v: 'vector', s: float) -> 'vector':\n    return v * s\n"
        "def blend(a: 'vector', b: 'vector') -> 'vector':\n    return (a + b) / 2\n"
        "def norm(a: 'vector') -> float:\n    return float(sum(a * a)) ** 0.5\n"
        "def _hidden(a):\n    return a\n",
    )

    vocabulary = load_vocabulary(path)

    assert [f.name for f in vocabulary.functions] == ["add", "sub", "mul", "div", "scale", "blend", "norm"]
    assert function_of(vocabulary, "scale").argument_types == ("vector", "real")
    assert function_of(vocabulary, "blend").commutative
    assert function_of(vocabulary, "norm").result_type == "real"
    assert function_of(vocabulary, "norm").opcode == -1


def test_a_program_over_a_problems_own_vocabulary_runs(tmp_path: Path) -> None:
    vocabulary = load_vocabulary(
        written(tmp_path, "def shift(a):\n    return a + 1\ndef mul(a, b):\n    return a * b\n")
    )
    program = parse("def f(x):\n    return shift(x) * shift(2)\n", vocabulary)

    result = evaluate(program, vocabulary, [np.array([1.0, 2.0])])

    np.testing.assert_array_equal(result, [6.0, 9.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "cannot be read"),
        ("X = 1\n", "no public function"),
        ("def f(*a):\n    return a\n", "f must take one or more plain arguments"),
        ('INCLUDE = ("arithmetics",)\ndef f(a):\n    return a\n', "INCLUDE has arithmetics"),
        ('SYMBOLS = {"f": "?"}\ndef f(a):\n    return a\n', "the symbol ?"),
        ('INCLUDE = ("arithmetic",)\ndef add(a, b):\n    return a\n', "add is defined twice"),
    ],
)
def test_a_wrong_vocabulary_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(VocabularyError) as caught:
        load_vocabulary(written(tmp_path, text))

    assert message in str(caught.value)


def test_an_unknown_vocabulary_suggests_one(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="did you mean arithmetic"):
        load_vocabulary("arithmetc")
    with pytest.raises(VocabularyError, match="cannot be read"):
        load_vocabulary(tmp_path / "missing.py")

"""Vocabularies from files: what they may say, what they mean and how their mistakes are told."""

from pathlib import Path

import numpy as np
import pytest

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, fingerprint
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import (
    ARITHMETIC,
    BUILT_IN,
    ELEMENTARY,
    Function,
    Vocabulary,
    VocabularyError,
    load_vocabulary,
)

VECTORS = """
INCLUDE = ("arithmetic",)
SYMBOLS = {"vadd": "+", "stretch": "*"}


def vadd(a: "vector", b: "vector") -> "vector":
    return a + b


def stretch(a: "vector", by: float) -> "vector":
    return a * abs(by)


def neg(a: "vector") -> "vector":
    return -a


def norm(a: "vector") -> float:
    return float((a * a).sum()) ** 0.5
"""


@pytest.fixture
def vectors(tmp_path: Path) -> Vocabulary:
    return load_vocabulary(written(tmp_path, VECTORS))


def written(folder: Path, text: str) -> Path:
    path = folder / "words.py"
    path.write_text(text, encoding="utf-8")
    return path


def one_function(folder: Path, text: str, before: str = "") -> Vocabulary:
    return load_vocabulary(written(folder, f"{before}\n{text}\n"))


def refused(folder: Path, text: str) -> str:
    with pytest.raises(VocabularyError) as caught:
        load_vocabulary(written(folder, text))
    return str(caught.value)


def read(vocabulary: Vocabulary, expression: str) -> str:
    """The normal text of an expression over two vectors and a number."""
    text = f"def f(v, w, x):\n    return {expression}\n"
    return render(parse(text, vocabulary, input_types=("vector", "vector", "real")), vocabulary)


def run(vocabulary: Vocabulary, expression: str) -> object:
    text = f"def f(v, w, x):\n    return {expression}\n"
    program = parse(text, vocabulary, input_types=("vector", "vector", "real"))
    return evaluate(program, vocabulary, [np.array([3.0, 4.0]), np.array([1.0, -1.0]), 2.0])


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_vocabulary_knows_the_position_of_each_of_its_words(name: str) -> None:
    vocabulary = BUILT_IN[name]

    for position, function in enumerate(vocabulary.functions):
        assert vocabulary.position_of(function.name, function.argument_types) == position
        assert vocabulary.functions[vocabulary.position_of(function.name)].name == function.name
    with pytest.raises(KeyError, match="nothing_of_the_kind"):
        vocabulary.position_of("nothing_of_the_kind")


@pytest.mark.parametrize("word", ELEMENTARY.functions, ids=lambda word: word.name)
def test_the_built_in_functions_called_commutative_are_those_that_are(word: Function) -> None:
    a, b = np.array([1.0, -2.0, 0.25]), np.array([3.0, 5.0, -0.5])

    same_turned = len(word.argument_types) == 2 and np.array_equal(word.apply(a, b), word.apply(b, a))

    assert word.commutative == same_turned


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        ("", "real"),
        (": float", "real"),
        (": 'float'", "real"),
        (": 'matrix'", "matrix"),
        (": int", "int"),
        (": list[float]", "list[float]"),
        (": 'list[float]'", "list[float]"),
        (": 3", "3"),
    ],
)
def test_an_annotation_names_a_type(tmp_path: Path, annotation: str, type_: str) -> None:
    vocabulary = one_function(tmp_path, f"def g(a{annotation}):\n    return a")

    assert vocabulary.functions[0].argument_types == (type_,)
    assert vocabulary.functions[0].result_type == "real"


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("add", "+"),
        ("sub", "-"),
        ("mul", "*"),
        ("div", "/"),
        ("pow", "**"),
        ("matmul", "@"),
        ("neg", "-"),
        ("plus", None),
    ],
)
def test_functions_with_the_names_of_operators_are_written_with_them(
    tmp_path: Path, name: str, symbol: str | None
) -> None:
    vocabulary = one_function(tmp_path, f"def {name}(a, b):\n    return (a, b)")

    program = parse(f"def f(x):\n    return {name}(x, 2)\n", vocabulary)

    call = f"x {symbol} 2.0" if symbol else f"{name}(x, 2.0)"
    assert render(program, vocabulary) == f"def f(x):\n    return {call}\n"
    assert parse(render(program, vocabulary), vocabulary) == program
    assert evaluate(program, vocabulary, [1.0]) == (1.0, 2.0)


def test_a_power_keeps_the_parentheses_of_a_negative_base(tmp_path: Path) -> None:
    vocabulary = one_function(tmp_path, "def pow(a, b):\n    return a ** b")

    program = parse("def f(x):\n    return (-2) ** x ** -1\n", vocabulary)

    assert render(program, vocabulary) == "def f(x):\n    t1 = x ** -1.0\n    return (-2.0) ** t1\n"
    assert parse(render(program, vocabulary), vocabulary) == program
    assert evaluate(program, vocabulary, [0.5]) == 4.0


def test_words_keep_the_order_of_the_file_after_the_included_ones(tmp_path: Path) -> None:
    text = 'INCLUDE = ("elementary", "arithmetic")\ndef z(a):\n    return a\ndef b(a):\n    return a\n'

    vocabulary = load_vocabulary(written(tmp_path, text))

    assert [f.name for f in vocabulary.functions] == [*(f.name for f in ELEMENTARY.functions), "z", "b"]
    assert vocabulary.name == "words"


def test_an_included_vocabulary_alone_is_enough(tmp_path: Path) -> None:
    vocabulary = load_vocabulary(written(tmp_path, 'INCLUDE = ["arithmetic"]\n'))

    assert vocabulary.functions == ARITHMETIC.functions


def test_only_functions_written_at_the_top_of_the_file_are_words(tmp_path: Path) -> None:
    text = (
        "from math import sin\n"
        "def word(a):\n    def inner(b):\n        return b\n    return inner(a)\n"
        "also = lambda a: a\n"
        "class Thing:\n    def method(self):\n        return 1\n"
        "if True:\n    def conditional(a):\n        return a\n"
        "def _helper(a):\n    return a\n"
    )

    vocabulary = load_vocabulary(written(tmp_path, text))

    assert [f.name for f in vocabulary.functions] == ["word"]


def test_a_decorated_function_is_called_with_its_decoration(tmp_path: Path) -> None:
    text = "def twice(g):\n    return lambda a: 2 * g(a)\n@twice\ndef word(a):\n    return a + 1\n"
    vocabulary = load_vocabulary(written(tmp_path, text))

    program = parse("def f(x):\n    return word(x)\n", vocabulary)

    assert evaluate(program, vocabulary, [3.0]) == 8.0


def test_a_commutative_word_may_be_turned_and_another_may_not(tmp_path: Path) -> None:
    text = 'COMMUTATIVE = ("mix",)\ndef mix(a, b):\n    return a + b\ndef cut(a, b):\n    return a - b\n'
    vocabulary = load_vocabulary(written(tmp_path, text))

    def print_of(expression: str) -> str:
        return fingerprint(parse(f"def f(x, y):\n    return {expression}\n", vocabulary), vocabulary)

    assert print_of("mix(x, y)") == print_of("mix(y, x)")
    assert print_of("cut(x, y)") != print_of("cut(y, x)")


@pytest.mark.parametrize("signature", ["a", "a, b, c", "a, b: 'vector'"])
def test_a_word_is_commutative_only_with_two_arguments_of_one_type(tmp_path: Path, signature: str) -> None:
    vocabulary = one_function(tmp_path, f"def mix({signature}):\n    return a", 'COMMUTATIVE = ("mix",)')

    assert not vocabulary.functions[0].commutative


def test_constants_are_not_folded_through_a_function_of_the_file(tmp_path: Path) -> None:
    vocabulary = one_function(tmp_path, "def g(a):\n    raise RuntimeError", 'INCLUDE = ("arithmetic",)')
    program = parse("def f(x):\n    return x + g(1 + 1)\n", vocabulary)

    form = canonical(program, vocabulary)

    assert render(form, vocabulary) == "def f(x):\n    t1 = g(2.0)\n    return x + t1\n"


def test_what_a_function_of_the_file_raises_reaches_the_caller(tmp_path: Path) -> None:
    vocabulary = one_function(tmp_path, "def g(a):\n    raise LookupError('no row')")

    with pytest.raises(LookupError, match="no row"):
        evaluate(parse("def f(x):\n    return g(x)\n", vocabulary), vocabulary, [1.0])


@pytest.mark.parametrize(
    ("written_as", "meant"),
    [
        ("v + w", "v + w"),
        ("x + x", "x + x"),
        ("v * x", "v * x"),
        ("x * x", "x * x"),
        ("-v", "-v"),
        ("-x", "x * -1.0"),
        ("x + -x", "x - x"),
        ("2 * -x", "-2.0 * x"),
    ],
)
def test_an_operator_means_the_function_whose_types_fit(vectors: Vocabulary, written_as: str, meant: str) -> None:
    assert read(vectors, written_as) == f"def f(v, w, x):\n    return {meant}\n"


def test_a_minus_sign_is_not_moved_through_a_function_of_the_file(vectors: Vocabulary) -> None:
    np.testing.assert_array_equal(run(vectors, "-v * 2"), [-6.0, -8.0])
    np.testing.assert_array_equal(run(vectors, "v * -2"), [6.0, 8.0])
    np.testing.assert_array_equal(run(vectors, "v + -w"), [2.0, 5.0])


def test_types_are_followed_through_the_whole_program(vectors: Vocabulary) -> None:
    assert run(vectors, "norm(v + w * x) / x") == pytest.approx(29.0**0.5 / 2)
    with pytest.raises(CandidateSyntaxError, match=r"`norm` takes \(vector\), got \(real\)"):
        read(vectors, "norm(norm(v))")
    with pytest.raises(CandidateSyntaxError, match=r"`\+` takes \(real, real\) or \(vector, vector\)"):
        read(vectors, "v + 1")


def test_a_minus_sign_before_a_type_that_cannot_take_it_is_refused(tmp_path: Path) -> None:
    text = "INCLUDE = ('arithmetic',)\ndef flip(a: 'vector') -> 'vector':\n    return a\n"
    vocabulary = load_vocabulary(written(tmp_path, text))

    with pytest.raises(CandidateSyntaxError, match=r"`\*` takes \(real, real\), got \(vector, real\)"):
        parse("def f(v):\n    return flip(-v)\n", vocabulary, input_types=("vector",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INCLUDE = 'arithmetic'\n", "INCLUDE is 'arithmetic': write a tuple of names"),
        ("INCLUDE = 5\n", "INCLUDE is 5: write a tuple of names"),
        ("INCLUDE = [['arithmetic']]\n", "INCLUDE is [['arithmetic']]: write a tuple"),
        ("INCLUDE = ('x', 'y')\n", "INCLUDE has x, y, known: arithmetic, elementary"),
        ("COMMUTATIVE = 'g'\n", "COMMUTATIVE is 'g': write a tuple of names"),
        ("COMMUTATIVE = (1, 2)\n", "COMMUTATIVE is (1, 2): write a tuple of names"),
        ("SYMBOLS = ('+', 'g')\n", "SYMBOLS is ('+', 'g'): write a dictionary"),
        ("SYMBOLS = {'g': ['+']}\n", "SYMBOLS is {'g': ['+']}: write a dictionary"),
        ("SYMBOLS = {'g': '%'}\n", "g has the symbol %"),
        ("SYMBOLS = {'g': '+'}\n", "g has the symbol +"),
        ("def add(a):\n    return a\n", "add has the symbol +"),
        ("def neg(a, b, c):\n    return a\n", "neg has the symbol -"),
        ("def h():\n    return 1\n", "h must take one or more plain arguments"),
        ("def h(a, /):\n    return a\n", "h must take one or more plain arguments"),
        ("def h(a, *, b):\n    return a\n", "h must take one or more plain arguments"),
        ("def h(a, **b):\n    return a\n", "h must take one or more plain arguments"),
        ("def h(a):\n    return a\nh = 3\n", "h is no function any more"),
        ("def h(a):\n    return a\ndel h\n", "h is no function any more"),
        ("def g(a, b):\n    return a\n", "g is defined twice"),
        ("import no_module_of_this_name\n", "cannot be run: ModuleNotFoundError"),
        ("1 / 0\n", "cannot be run: ZeroDivisionError: division by zero"),
        ("x = '\x00'\n", "cannot be read"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    told = refused(tmp_path, f"def g(a):\n    return a\n{text}")

    assert message in told
    assert str(tmp_path / "words.py") in told


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    told = refused(
        tmp_path,
        "def g(*a):\n    return a\ndef mul(a):\n    return a\ndef g(a):\n    return a\ndef h():\n    return 1\n",
    )

    for mistake in ("g must take", "mul has the symbol *", "g is defined twice", "h must take"):
        assert mistake in told


@pytest.mark.parametrize(
    "text",
    [
        "INCLUDE = ('arithmetic',)\nSYMBOLS = {'plus': '+'}\ndef plus(a, b):\n    return a\n",
        "SYMBOLS = {'plus': '+', 'join': '+'}\ndef plus(a, b):\n    return a\ndef join(a: float, b):\n    return b\n",
        "INCLUDE = ('elementary',)\nSYMBOLS = {'flip': '-'}\ndef flip(a):\n    return a\n",
    ],
)
def test_two_functions_that_a_text_could_not_tell_apart_are_refused(tmp_path: Path, text: str) -> None:
    told = refused(tmp_path, text)

    assert "give them different types or symbols" in told


def test_a_file_that_is_not_text_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "words.py"
    path.write_bytes(b"def g(a):\n    return '\xff\xfe'\n")

    with pytest.raises(VocabularyError, match="cannot be read"):
        load_vocabulary(path)


@pytest.mark.parametrize("name", ["", "Arithmetic", "words.toml", "completely different"])
def test_a_name_that_is_no_vocabulary_lists_those_there_are(name: str) -> None:
    with pytest.raises(VocabularyError, match=r"use one of arithmetic, .*float32, optimizer, \w+ or a \.py file"):
        load_vocabulary(name)


def test_loading_a_file_twice_gives_vocabularies_that_mean_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, VECTORS)
    first, second = load_vocabulary(path), load_vocabulary(str(path))
    text = "def f(v, x):\n    return norm(v * x + -v)\n"

    programs = [parse(text, vocabulary, input_types=("vector", "real")) for vocabulary in (first, second)]

    assert programs[0] == programs[1]
    assert fingerprint(programs[0], first) == fingerprint(programs[1], second)

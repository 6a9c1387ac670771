"""What the parser says when it says no: the line, what was found and what is allowed; and where its limits lie."""

from collections.abc import Callable

import pytest

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.expression import MAX_NESTING
from sandbox.symbolic.parse import MAX_LINE_LENGTH, MAX_TEXT_LENGTH, parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Function, Vocabulary

HEAD = "def f(x):\n"


def refusal(text: str, vocabulary: Vocabulary = ELEMENTARY) -> str:
    with pytest.raises(CandidateSyntaxError) as caught:
        parse(text, vocabulary)
    return caught.value.detail


def only(name: str) -> Vocabulary:
    """The elementary vocabulary with one word only."""
    return Vocabulary(name=name, functions=(ELEMENTARY.functions[ELEMENTARY.position_of(name)],))


def with_function(name: str) -> Vocabulary:
    word = Function(
        name=name,
        symbol=None,
        argument_types=("real",),
        result_type="real",
        commutative=False,
        opcode=-1,
        apply=lambda a: a,
    )
    return Vocabulary(name="own", functions=(*ARITHMETIC.functions, word))


@pytest.mark.parametrize("n_lines_before", [0, 1, 7])
@pytest.mark.parametrize(
    "statement",
    [
        "t = missing",
        "t = missing(x)",
        "t = x.real",
        "t = True",
        "t = 1e999",
        "t = x % 2",
        "t += x",
        "t, u = x, x",
        "abs = x",
        "del x",
        "return",
        "t = abs(x, x)",
        "t = abs(x=x)",
        "t = x(x)(x)",
        "import os",
    ],
)
def test_a_refusal_names_the_line_of_the_mistake(statement: str, n_lines_before: int) -> None:
    before = "    a = x\n" * n_lines_before

    told = refusal(f"{HEAD}{before}    {statement}\n    return x\n")

    assert told.startswith(f"line {n_lines_before + 2}: ")


def test_the_line_is_that_of_the_part_of_an_expression() -> None:
    told = refusal(f"{HEAD}    return (\n        x\n        + 1\n        + missing\n    )\n")

    assert told.startswith("line 5: `missing` is not defined")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\n" + HEAD + "    return x\n", 1),
        (HEAD + "    return x\n\n\nf(1)\n", 5),
        (HEAD + "    return x\n\n" + HEAD + "    return x\n", 4),
        ("y = 1\n", 1),
        ("'text'\n", 1),
        ("\n\n@print\n" + HEAD + "    return x\n", 4),
        ("\n" + "def f(*x):\n    return x\n", 2),
        (HEAD + "    return (x\n", 2),
        (HEAD + "    y = x\n", 1),
    ],
)
def test_a_refusal_of_the_whole_text_names_the_line_too(text: str, line: int) -> None:
    assert refusal(text).startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("min(x, 1)", "minimum"),
        ("max(x, 1)", "maximum"),
        ("sqr(x)", "square"),
        ("ln(x)", "log"),
        ("sqr_t(x)", "sqrt"),
        ("maximun(x, 1)", "maximum"),
        ("Abs(x)", "abs"),
        ("coss(x)", "cos"),
        ("tan(x)", "tanh"),
    ],
)
def test_an_unknown_function_is_answered_with_the_word_that_was_probably_meant(written: str, meant: str) -> None:
    assert f"(did you mean `{meant}`?)" in refusal(f"{HEAD}    return {written}\n")


def test_a_usual_name_is_not_suggested_where_the_vocabulary_lacks_it() -> None:
    told = refusal(f"{HEAD}    return ln(x)\n", ARITHMETIC)

    assert "did you mean" not in told
    assert told.endswith("allowed: names, numbers, parentheses, + - * /")


def test_an_unknown_name_is_answered_with_a_name_that_is_defined_by_then() -> None:
    told = refusal(f"{HEAD}    numerator = x\n    return numeratr\n")

    assert "(did you mean `numerator`?)" in told
    assert "did you mean" not in refusal(f"{HEAD}    t = numeratr\n    numerator = x\n    return t\n")


def test_a_message_lists_at_most_forty_words() -> None:
    words = tuple(with_function(f"word{k}").functions[-1] for k in range(60))

    told = refusal(f"{HEAD}    return x < 1\n", Vocabulary(name="many", functions=words))

    assert told.count("()") == 40
    assert "word39()" in told
    assert told.endswith(" ...")


def test_a_long_name_is_cut_in_the_message() -> None:
    for body in ("{name}", "{name}(x)", "{name}(a=x)"):
        told = refusal(HEAD + f"    return {body.format(name='n' * 4_000)}\n")

        assert "n" * 60 in told
        assert "n" * 61 not in told


@pytest.mark.parametrize(
    ("expression", "symbol"),
    [("x ** 2", "**"), ("x @ x", "@"), ("x % 2", "%"), ("x // 2", "//"), ("x << 1", "LShift"), ("x | 1", "BitOr")],
)
def test_an_operator_that_the_vocabulary_lacks_is_named(expression: str, symbol: str) -> None:
    assert f"the operator `{symbol}` is not in the vocabulary" in refusal(f"{HEAD}    return {expression}\n")


@pytest.mark.parametrize(
    ("literal", "type_"),
    [("True", "bool"), ("None", "NoneType"), ("2j", "complex"), ("'x'", "str"), ("b'x'", "bytes"), ("...", "ellipsis")],
)
def test_a_literal_that_is_no_real_number_is_refused_with_its_type(literal: str, type_: str) -> None:
    assert f"a literal of type {type_}: only int and float" in refusal(f"{HEAD}    return x + {literal}\n")


@pytest.mark.parametrize("number", ["1e309", "-1e309", "1" + "0" * 309, "2e308"])
def test_a_number_beyond_float64_is_refused(number: str) -> None:
    assert refusal(f"{HEAD}    return x + {number}\n") == "line 2: a number beyond the range of float64"


def test_the_largest_float64_is_still_a_number() -> None:
    program = parse(f"{HEAD}    return 1.7976931348623157e308\n", ARITHMETIC)

    assert program.constants[0].hex() == "0x1.fffffffffffffp+1023"


def test_a_minus_sign_is_refused_where_nothing_can_carry_it() -> None:
    sums = only("add")

    told = refusal(f"{HEAD}    return -x\n", sums)

    assert told == "line 2: unary minus is not in the vocabulary; allowed: names, numbers, parentheses, +"
    assert parse(f"{HEAD}    return x + -1\n", sums).constants == (-1.0,)
    assert parse(f"{HEAD}    return -(-x)\n", sums).output == 0


def test_a_product_alone_can_carry_a_minus_sign() -> None:
    products = only("mul")

    assert render(parse(f"{HEAD}    return -x * -x\n", products), products) == f"{HEAD}    return x * x\n"
    assert render(parse(f"{HEAD}    return -x\n", products), products) == f"{HEAD}    return x * -1.0\n"


@pytest.mark.parametrize(
    "nested",
    [
        lambda n: "-" * n + "x",
        lambda n: "+" * n + "x",
        lambda n: "x" + " + x" * n,
        lambda n: "abs(" * n + "x" + ")" * n,
        lambda n: "x * (" * n + "x" + ")" * n,
    ],
    ids=["minus", "plus", "sum", "call", "product"],
)
def test_expressions_nest_as_deep_as_the_limit_and_no_deeper(nested: Callable[[int], str]) -> None:
    at_limit, beyond = (f"{HEAD}    return {nested(MAX_NESTING + more)}\n" for more in (0, 1))

    assert isinstance(parse(at_limit, ELEMENTARY), Program)
    assert refusal(beyond) == "line 2: expressions nest deeper than 100: name the intermediate results"


def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    line = "    return x  #"
    padding = "." * (MAX_LINE_LENGTH - len(line))

    assert parse(f"{HEAD}{line}{padding}\n", ARITHMETIC).output == 0
    assert refusal(f"{HEAD}{line}{padding}.\n") == "line 2: a line of 5001 characters, at most 5000 are allowed"


def test_a_text_may_be_as_long_as_the_limit_and_no_longer() -> None:
    body = f"{HEAD}    return x\n"
    padding = "\n" * (MAX_TEXT_LENGTH - len(body))

    assert parse(body + padding, ARITHMETIC).output == 0
    assert refusal(body + padding + "\n") == "the text has 100001 characters, at most 100000 are allowed"


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_program_may_have_as_many_operations_as_allowed_and_no_more(n: int) -> None:
    text = HEAD + "    t = x\n" + "    t = t * x\n" * n + "    return t\n"

    assert operation_count(parse(text, ARITHMETIC, max_operations=n)) == n
    with pytest.raises(CandidateSyntaxError, match=f"the program has {n + 1} operations, at most {n} are allowed"):
        parse(text.replace("return t", "return t + x"), ARITHMETIC, max_operations=n)


def test_dead_code_and_arithmetic_on_constants_are_free() -> None:
    text = HEAD + "    dead = x * x + x\n    c = 2 * 3 / 7\n    return x\n"

    assert parse(text, ARITHMETIC, max_operations=0).output == 0


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [("y", ["x"]), ("x, y", ["x"]), ("x", ["x", "y"]), ("y, x", ["x", "y"]), ("X", ["x"])],
)
def test_inputs_that_are_not_the_wanted_ones_are_answered_with_those(signature: str, inputs: list[str]) -> None:
    with pytest.raises(CandidateSyntaxError) as caught:
        parse(f"def f({signature}):\n    return {signature[0]}\n", ARITHMETIC, inputs=inputs)

    assert f"`def f({', '.join(inputs)})`" in caught.value.detail


def test_any_inputs_do_where_none_are_wanted() -> None:
    program = parse("def g(first, second, third):\n    return second\n", ARITHMETIC)

    assert (program.name, program.inputs, program.output) == ("g", ("first", "second", "third"), 1)


def test_words_of_another_vocabulary_are_free_names() -> None:
    text = "def exp(log):\n    sqrt = log * log\n    return sqrt\n"

    assert parse(text, ARITHMETIC).instructions == (Instruction(2, (0, 0)),)
    assert "`exp` is a function of the vocabulary" in refusal(text, ELEMENTARY)


def test_a_name_keeps_the_value_it_had_when_it_was_read() -> None:
    text = "def f(x, y):\n    a = x\n    x = y\n    y = a\n    return x - y\n"

    assert parse(text, ARITHMETIC).instructions == (Instruction(1, (1, 0)),)


def test_a_chain_of_assignments_names_one_value() -> None:
    program = parse(f"{HEAD}    a = b = x * x\n    return a + b\n", ARITHMETIC)

    assert program.instructions == (Instruction(2, (0, 0)), Instruction(0, (1, 1)))


@pytest.mark.parametrize("names", [("t1",), ("t", "t_"), ("t9", "t_3"), ("t1", "t_1", "t__1"), ("lambda_", "T1")])
def test_names_written_by_the_renderer_are_never_those_of_inputs(names: tuple[str, ...]) -> None:
    square = Instruction(2, (0, 0))
    program = Program(
        name="f",
        inputs=names,
        constants=(),
        instructions=(square, Instruction(0, (len(names),) * 2)),
        output=len(names),
    )

    text = render(program, ARITHMETIC)

    assigned = text.splitlines()[1].split()[0]
    assert assigned not in names
    assert parse(text, ARITHMETIC, inputs=names) == program


def test_names_written_by_the_renderer_are_never_those_of_functions() -> None:
    vocabulary = with_function("t1")
    program = parse(f"{HEAD}    a = x * x\n    return t1(a)\n", vocabulary)

    assert render(program, vocabulary) == f"{HEAD}    t_1 = x * x\n    return t1(t_1)\n"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_program_with_a_constant_that_no_text_can_write_is_not_rendered(value: float) -> None:
    program = Program(
        name="f", inputs=("x",), constants=(1.0, value), instructions=(Instruction(0, (0, -2)),), output=1
    )

    with pytest.raises(ValueError, match=f"the constant {value} is not finite"):
        render(program, ARITHMETIC)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (5e-324, "5e-324"),
        (1e16, "1e+16"),
        (123456789.0, "123456789.0"),
        (1 / 3, repr(1 / 3)),
    ],
)
def test_a_constant_is_written_with_the_fewest_digits_that_are_exact(value: float, literal: str) -> None:
    program = Program(name="f", inputs=("x",), constants=(value,), instructions=(), output=-1)

    assert render(program, ARITHMETIC) == f"{HEAD}    return {literal}\n"


def test_an_output_in_the_middle_of_a_program_is_rendered_with_the_dead_code_after_it() -> None:
    program = Program(
        name="f", inputs=("x",), constants=(), instructions=(Instruction(2, (0, 0)), Instruction(0, (1, 0))), output=1
    )

    assert render(program, ARITHMETIC) == f"{HEAD}    t1 = x * x\n    t2 = t1 + x\n    return t1\n"


def test_a_minus_sign_on_a_constant_is_kept_as_a_call() -> None:
    program = parse(f"{HEAD}    return x + neg(2)\n", ELEMENTARY)

    text = render(program, ELEMENTARY)

    assert text == f"{HEAD}    t1 = neg(2.0)\n    return x + t1\n"
    assert parse(text, ELEMENTARY) == program

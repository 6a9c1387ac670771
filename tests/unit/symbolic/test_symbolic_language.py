import pytest

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, counts, depth, fingerprint, live, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Function, Vocabulary


def lines(*body: str, inputs: str = "x") -> str:
    return "".join([f"def f({inputs}):\n", *(f"    {line}\n" for line in body)])


def normal(*body: str, vocabulary: Vocabulary = ARITHMETIC) -> str:
    return render(parse(lines(*body), vocabulary), vocabulary)


def refusal(*body: str, vocabulary: Vocabulary = ARITHMETIC) -> str:
    with pytest.raises(CandidateSyntaxError) as caught:
        parse(lines(*body), vocabulary)
    return caught.value.detail


def test_nested_expressions_become_one_instruction_a_line() -> None:
    assert normal("return (x * 2.5 + x) / (x * 2.5)") == lines(
        "t1 = x * 2.5", "t2 = t1 + x", "t3 = x * 2.5", "return t2 / t3"
    )


def test_the_empty_program_returns_its_input() -> None:
    program = parse(lines("return x"), ARITHMETIC)

    assert program == Program(name="f", inputs=("x",), constants=(), instructions=(), output=0)
    assert render(program, ARITHMETIC) == lines("return x")


def test_a_program_may_return_a_constant() -> None:
    assert normal("return -1e-3") == lines("return -0.001")


def test_names_may_be_assigned_again_and_each_use_of_a_number_is_its_own_constant() -> None:
    program = parse(lines("c = 2", "t = x * c", "t = t + c", "t += 1", "return t"), ARITHMETIC)

    assert program.constants == (2.0, 2.0, 1.0)
    assert [i.arguments for i in program.instructions] == [(0, -1), (1, -2), (2, -3)]


def test_docstrings_comments_and_annotations_are_dropped() -> None:
    body = lines('"""Doc."""', "# EVOLVE-BLOCK-START", "y: float = x + 1", "return y", inputs="x: float")
    text = '"""Module."""\n\n' + body

    assert render(parse(text, ARITHMETIC), ARITHMETIC) == lines("return x + 1.0")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("x + -x", "x - x"),
        ("x - -x", "x + x"),
        ("-x + 1", "1.0 - x"),
        ("-x * 2", "x * -2.0"),
        ("3 / -x", "-3.0 / x"),
        ("-x / -(x)", "x / x"),
        ("-x", "x * -1.0"),
        ("-(-x) + +x", "x + x"),
        ("-2.0 - x", "-2.0 - x"),
    ],
)
def test_a_minus_sign_is_taken_into_the_operation(written: str, meant: str) -> None:
    assert normal(f"return {written}") == lines(f"return {meant}")


def test_a_minus_sign_is_an_operation_where_the_vocabulary_has_it() -> None:
    assert normal("return exp(-x)", vocabulary=ELEMENTARY) == lines("t1 = -x", "return exp(t1)")


def test_an_operator_may_be_written_as_a_call() -> None:
    assert normal("return add(x, mul(x, 2))") == lines("t1 = x * 2.0", "return x + t1")


def test_instruction_names_avoid_the_names_of_inputs() -> None:
    program = parse("def f(t1, t):\n    return t1 + t * t\n", ARITHMETIC)

    assert render(program, ARITHMETIC) == "def f(t1, t):\n    t_1 = t * t\n    return t1 + t_1\n"


def test_a_constant_that_is_not_finite_cannot_be_rendered() -> None:
    program = Program(name="f", inputs=("x",), constants=(float("inf"),), instructions=(), output=-1)

    with pytest.raises(ValueError, match="not finite"):
        render(program, ARITHMETIC)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return ex(x)", "line 2: the function `ex` is not in the vocabulary (did you mean `exp`?)"),
        ("return max(x, 1)", "did you mean `maximum`"),
        ("return scale * x", "`scale` is not defined"),
        ("return x ** 2", "multiply x * x instead"),
        ("return x.real", "`Attribute` in an expression; allowed: names, numbers, parentheses, + - * / abs()"),
        ("return sqrt(x, x)", "`sqrt` takes (real), got (real, real)"),
        ("for i in x: pass", "`For`: only assignments"),
    ],
)
def test_a_refusal_names_the_line_and_what_is_allowed(body: str, message: str) -> None:
    assert message in refusal(body, vocabulary=ELEMENTARY)


def test_the_inputs_must_be_the_wanted_ones() -> None:
    with pytest.raises(CandidateSyntaxError, match=r"def f\(x, y\)"):
        parse(lines("return x"), ARITHMETIC, inputs=("x", "y"))
    with pytest.raises(CandidateSyntaxError, match="must take 2 inputs, found 1"):
        parse(lines("return x"), ARITHMETIC, input_types=("real", "real"))


def test_only_operations_that_depend_on_an_input_and_reach_the_output_count() -> None:
    text = lines("c = 2.0 * 3.0", "dead = x * x", "t = x + c", "return t * t")
    program = parse(text, ARITHMETIC, max_operations=2)

    assert (operation_count(program), depth(program), live(program)) == (2, 2, (0, 2, 3))
    assert counts(program, ARITHMETIC) == {"add": 1, "mul": 1}
    with pytest.raises(CandidateSyntaxError, match="2 operations, at most 1"):
        parse(text, ARITHMETIC, max_operations=1)


def test_the_canonical_form_folds_merges_and_orders() -> None:
    program = parse(lines("a = 2.0 * x", "b = x * (1.0 + 1.0)", "c = 7 / x", "return (c + b) * (a + c)"), ARITHMETIC)

    form = canonical(program, ARITHMETIC)

    assert operation_count(form) == 4
    assert form.constants == (2.0, 7.0) or form.constants == (7.0, 2.0)
    assert render(form, ARITHMETIC).count("x * 2.0") == 1


def test_constant_arithmetic_that_overflows_is_kept_as_written() -> None:
    program = parse(lines("return x + 1 / (2 - 2)"), ARITHMETIC)

    assert render(canonical(program, ARITHMETIC), ARITHMETIC) == lines("t1 = 1.0 / 0.0", "return x + t1")


def test_fingerprints_tell_apart_what_differs() -> None:
    bodies = ("x + 1", "x + 2", "x - 1", "1 - x", "x", "1", "0.0", "-0.0", "x * x", "(x + 1) * (x + 1)")
    programs = [parse(lines(f"return {body}"), ARITHMETIC) for body in bodies]

    assert len({fingerprint(program, ARITHMETIC) for program in programs}) == len(bodies)
    same_structure = [fingerprint(program, ARITHMETIC, structure_only=True) for program in programs[:2]]
    assert same_structure[0] == same_structure[1]


def test_functions_that_share_a_symbol_are_told_apart_by_types() -> None:
    def word(name: str, types: tuple[str, ...]) -> Function:
        return Function(
            name=name,
            symbol="*",
            argument_types=types,
            result_type="tensor",
            commutative=False,
            opcode=-1,
            apply=lambda a, b: a * b,
        )

    typed = Vocabulary(name="typed", functions=(word("mul", ("tensor", "tensor")), word("scale", ("tensor", "real"))))

    program = parse(lines("return g * lr * 0.5", inputs="g, lr"), typed, input_types=("tensor", "real"))

    assert program.instructions == (Instruction(1, (0, 1)), Instruction(1, (2, -1)))
    with pytest.raises(
        CandidateSyntaxError, match=r"`\*` takes \(tensor, tensor\) or \(tensor, real\), got \(real, tensor\)"
    ):
        parse(lines("return lr * g", inputs="g, lr"), typed, input_types=("tensor", "real"))

"""Laws of the approximation judge over random programs."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.approximation.functions import TARGETS
from evaluators.approximation.proof import prove
from evaluators.approximation.rational import NoExactFormError, Quotient, quotient_of
from evaluators.approximation.sup_error import ErrorCurve, UnboundedErrorError
from sandbox.symbolic.canonical import canonical
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import ARITHMETIC
from tests.extent import examples

CURVES = {
    "exp2": ErrorCurve(TARGETS["exp2"], 0.0, 1.0, relative=True),
    "erf": ErrorCurve(TARGETS["erf"], 0.0, 2.0, relative=True),
    "sin": ErrorCurve(TARGETS["sin"], -1.0, 1.0, relative=False),
}
NUMBERS = st.floats(min_value=-1e4, max_value=1e4).filter(lambda number: abs(number) > 1e-4)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    length = draw(st.integers(1, 10))
    constants: list[float] = []
    instructions = []
    for position in range(length):
        arguments = []
        for _ in range(2):
            if draw(st.integers(0, 3)) == 0:
                constants.append(draw(NUMBERS))
                arguments.append(-len(constants))
            else:
                arguments.append(draw(st.integers(max(0, position - 3), position)))
        instructions.append(Instruction(draw(st.integers(0, 3)), (arguments[0], arguments[1])))
    program = Program(
        name="f", inputs=("x",), constants=tuple(constants), instructions=tuple(instructions), output=length
    )
    return canonical(program, ARITHMETIC)


def value_of(program: Program, x: Fraction) -> Fraction | None:
    """The program's value in exact arithmetic, or None where an intermediate value has a pole."""
    registers = [x]
    constants = [Fraction(constant) for constant in program.constants]

    def operand(index: int) -> Fraction:
        return registers[index] if index >= 0 else constants[-1 - index]

    for instruction in program.instructions:
        a, b = (operand(index) for index in instruction.arguments)
        name = ARITHMETIC.functions[instruction.function].name
        if name == "div" and b == 0:
            return None
        registers.append({"add": a + b, "sub": a - b, "mul": a * b}[name] if name != "div" else a / b)
    return operand(program.output)


@given(programs(), st.fractions(min_value=-3, max_value=3, max_denominator=50))
def test_the_exact_form_is_the_program(program: Program, x: Fraction) -> None:
    try:
        form = quotient_of(program, ARITHMETIC)
    except NoExactFormError:
        return
    value = value_of(program, x)
    if value is not None:
        assert at(form, x) == value


def at(form: Quotient, x: Fraction) -> Fraction:
    numerator, denominator = (
        sum((Fraction(int(c.p), int(c.q)) * x**k for k, c in enumerate(polynomial.coeffs())), Fraction(0))
        for polynomial in (form.numerator, form.denominator)
    )
    return (numerator / denominator) ** form.power


@settings(deadline=None, max_examples=examples(60))
@given(programs(), st.sampled_from(sorted(CURVES)))
def test_sampling_and_proof_agree_to_one_percent(program: Program, name: str) -> None:
    curve = CURVES[name]
    try:
        form = quotient_of(program, ARITHMETIC)
        peak = curve.largest(form)
    except (NoExactFormError, UnboundedErrorError):
        return
    proof = prove(curve, form, peak)
    assert float(proof.lower) <= peak.error * 1.001
    assert peak.error * 0.999 <= float(proof.upper) <= peak.error * 1.01 + 1e-50


@settings(deadline=None, max_examples=examples(60))
@given(programs(), st.sampled_from(sorted(CURVES)), st.floats(0.001, 0.999))
def test_no_point_has_a_larger_error_than_the_one_reported(program: Program, name: str, part: float) -> None:
    curve = CURVES[name]
    try:
        form = quotient_of(program, ARITHMETIC)
        peak = curve.largest(form)
    except (NoExactFormError, UnboundedErrorError):
        return
    x = curve.low + part * (curve.high - curve.low)
    value = value_of(program, Fraction(x))
    if value is not None and abs(value) < 1e300:
        wanted = float(np.exp2(x)) if name == "exp2" else float(TARGETS[name].value(type(curve.values_at([x])[0])(x)))
        error = abs(float(value) - wanted) / (abs(wanted) if curve.relative else 1.0)
        assert error <= peak.error * 1.001 + 1e-14 * max(1.0, abs(float(value)))

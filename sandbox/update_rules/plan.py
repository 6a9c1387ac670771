"""How a rule runs: its words as methods of arrays, with what is known about their values and whose memory may go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.symbolic.function import REAL
from sandbox.symbolic.program import Program
from sandbox.symbolic.state import slot_registers, step_operands
from sandbox.symbolic.update_words import OPTIMIZER, TENSOR, method_of
from sandbox.update_rules.bounds import MAY_DIVIDE, NOT_NEGATIVE, bounds_of

_IN_PLACE: Final = frozenset(
    (
        *("add", "sub", "mul", "div", "neg", "sign", "abs", "sqrt", "square", "exp", "log1p", "tanh", "sigmoid"),
        *("minimum", "maximum", "clip", "ema", "debias"),
    )
)
"""Words that can write their result over an argument."""

BORROWED: Final = frozenset(("total_rms", "total_dot"))
"""Words whose result is one number shown many times: nothing may be written over it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One instruction: the word as a method, the registers (or constants) it reads, and where the result goes.

    `over` is the place of an argument that nothing reads later and whose memory may hold the result (-1: none);
    `is_over_slot` says that it is an old slot. `freed` are registers that nothing reads later.
    """

    word: str
    is_plain: bool
    arguments: tuple[int, ...]
    register: int
    gives_matrices: bool
    over: int
    is_over_slot: bool
    freed: tuple[int, ...]


def plan(program: Program) -> tuple[Call, ...]:
    """The calls of a program in canonical form, in order; the last word needs none."""
    body = program.instructions[:-1]
    bounds = bounds_of(program)
    last_read = {operand: n for n, i in enumerate(body) for operand in i.arguments}
    kept = set(step_operands(program))
    writable = _writable(program)
    calls = []
    for n, instruction in enumerate(body):
        function = OPTIMIZER.functions[instruction.function]
        arguments = instruction.arguments
        dying = {k for k in arguments if k >= 0 and last_read[k] == n and k not in kept}
        may_write = function.name in _IN_PLACE and function.result_type == TENSOR
        over = next((place for place, k in enumerate(arguments) if may_write and k in dying & writable), -1)
        calls.append(
            Call(
                word=_word(method_of(function), [bounds[k] if k >= 0 else None for k in arguments]),
                is_plain=set(function.argument_types) == {REAL},
                arguments=arguments,
                register=len(program.inputs) + n,
                gives_matrices=function.result_type not in (TENSOR, REAL),
                over=over,
                is_over_slot=over >= 0 and arguments[over] in slot_registers(program),
                freed=tuple(sorted(k for k in dying if k >= len(program.inputs))),
            )
        )
    return tuple(calls)


def _writable(program: Program) -> set[int]:
    """Registers whose memory nobody else sees once they are not read any more: slots and results, if tensors."""
    types = _input_types()
    slots = {k for k in slot_registers(program) if types[k] == TENSOR}
    functions = [OPTIMIZER.functions[i.function] for i in program.instructions[:-1]]
    results = enumerate(functions, start=len(program.inputs))
    return slots | {k for k, f in results if f.result_type == TENSOR and f.name not in BORROWED}


def shared(program: Program, calls: Sequence[Call], new_values: Sequence[int]) -> tuple[bool, ...]:
    """Which new slot values lie in memory that is not theirs alone: an input, another slot's value, a borrowed one."""
    borrowed = {call.register for call in calls if call.word in BORROWED}
    types = _input_types()
    answer = []
    for place, register in enumerate(new_values):
        is_input = register < len(program.inputs)
        is_matrix = types[register] != TENSOR if is_input else calls[register - len(program.inputs)].gives_matrices
        answer.append(not is_matrix and (is_input or register in borrowed or register in new_values[:place]))
    return tuple(answer)


def _input_types() -> tuple[str, ...]:
    return OPTIMIZER.signature.input_types if OPTIMIZER.signature is not None else ()


def _word(method: str, bounds: list[int | None]) -> str:
    """The word, or its quicker form where the bounds of the arguments allow it."""
    if method == "div" and bounds[1] == MAY_DIVIDE:
        return "plain_div"
    if method == "div" and bounds[1] == NOT_NEGATIVE:
        return "positive_div"
    if method == "sqrt" and bounds[0] is not None and bounds[0] >= NOT_NEGATIVE:
        return "plain_sqrt"
    return method

"""Simpler variants of an update rule: calls left out, slots given up, literals rounded."""

from collections.abc import Iterator
from decimal import Decimal
from math import floor, log10

from evolve.rules.graph import Call, Operand, calls_of, copied, drop_dead_slots, graph_of, program_of
from evolve.rules.language import Language
from evolve.rules.literals import is_memory
from sandbox.symbolic.program import Program

DIGITS = (1, 2, 3)
NEUTRAL = 1.0


def smaller(program: Program, language: Language) -> list[Program]:
    """All simpler variants that one cut or rounding leads to: the fewest calls first, then the fewest digits.

    A cut lets everybody who reads a call read one of its arguments instead (or 1, where the type allows a literal),
    and drops what nobody needs then, slots included.
    """
    variants = dict.fromkeys([*cuts(program, language), *_roundings(program, language)])
    size = _size(program)
    return sorted((each for each in variants if _size(each) < size), key=_size)


def rewritings(program: Program, language: Language) -> list[Program]:
    """Shorter programs in which one call became a word of the gradient alone: how `sign(g)` is seen in its disguises.

    They are many and nearly all do something else, so they are for those who look whether one does the same.
    """
    gradient = language.register("g")
    kind = language.type_of_input(gradient)
    words = [k for k in language.by_result[kind] if language.functions[k].argument_types == (kind,)]
    found: dict[Program, None] = {}
    for place, call in enumerate(calls_of(graph_of(program))[:-1]):
        for word in words if language.functions[call.function].result_type == kind else ():
            root = copied(graph_of(program))
            calls = calls_of(root)
            _replace(calls, calls[place], Call(word, [gradient]))
            drop_dead_slots(root, language.state)
            found[program_of(root, program)] = None
    return sorted((each for each in found if _size(each) < _size(program)), key=_size)


def _size(program: Program) -> tuple[int, int]:
    """Calls, and significant digits of all literals."""
    digits = sum(len(Decimal(repr(value)).normalize().as_tuple().digits) for value in program.constants)
    return len(program.instructions), digits


def cuts(program: Program, language: Language) -> Iterator[Program]:
    """Every program that is left when the readers of one call read one of its arguments instead."""
    n_calls = len(calls_of(graph_of(program))) - 1
    for place in range(n_calls):
        for choice in range(len(_substitutes(calls_of(graph_of(program))[place], language))):
            root = copied(graph_of(program))
            calls = calls_of(root)
            call = calls[place]
            _replace(calls, call, _substitutes(call, language)[choice])
            drop_dead_slots(root, language.state)
            yield program_of(root, program)


def _substitutes(call: Call, language: Language) -> list[Operand]:
    """What readers of a call may read instead: its arguments of the same type, and the gradient."""
    wanted = language.functions[call.function].result_type
    found: list[Operand] = [each for each in call.arguments if _type_of(each, language) == wanted]
    if wanted == "real":
        found.append(NEUTRAL)
    return found


def _type_of(operand: Operand, language: Language) -> str:
    if isinstance(operand, Call):
        return language.functions[operand.function].result_type
    return language.type_of_input(operand) if isinstance(operand, int) else "real"


def _replace(calls: list[Call], old: Call, new: Operand) -> None:
    for call in calls:
        call.arguments = [new if each is old else each for each in call.arguments]


def _roundings(program: Program, language: Language) -> Iterator[Program]:
    """Every literal rounded, the coarsest first; a share that is remembered is rounded in what is forgotten."""
    for digits in DIGITS:
        root = copied(graph_of(program))
        for call in calls_of(root):
            name = language.names[call.function]
            call.arguments = [
                _rounded(each, digits, is_share=is_memory(name, k)) if isinstance(each, float) else each
                for k, each in enumerate(call.arguments)
            ]
        yield program_of(root, program)


def _rounded(value: float, digits: int, *, is_share: bool) -> float:
    """The value with so many significant digits."""
    if is_share and 0.5 < value < 1.0:
        return round(1.0 - _rounded(1.0 - value, digits, is_share=False), 12)
    if value == 0.0:
        return value
    return round(value, digits - 1 - floor(log10(abs(value))))

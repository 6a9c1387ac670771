"""A rule without what makes no difference: statements that can be dropped while its steps stay the same."""

from collections.abc import Callable

from evolve.rules.edits import literals
from evolve.rules.graph import Call, Operand, calls_of, drop_dead_slots, graph_of, program_of
from evolve.rules.language import is_real
from evolve.rules.literals import is_memory, rounded
from evolve.rules.probe import Look, Probe
from sandbox.symbolic.program import Program


def tidied(program: Program, probe: Probe) -> Program:
    """The shortest program that leaving out calls one by one leads to, all with the signature of the first.

    A call is left out by reading one of its arguments of the same type instead, or the gradient, or 1.
    """
    wanted = probe.look(program).signature
    if wanted is None:
        return program
    return _shortest(program, probe, lambda look: look.signature == wanted)


def simplified(program: Program, probe: Probe, is_good: Callable[[Look], bool]) -> Program:
    """The program with fewer calls and rounder literals, each change being one after which it `is_good` still."""
    best = _shortest(program, probe, is_good)
    for digits in (3, 2, 1):
        for number in range(len(literals(graph_of(best)))):
            root = graph_of(best)
            call, k = literals(root)[number]
            value = call.arguments[k]
            assert isinstance(value, float)
            share = is_memory(probe.language.names[call.function], k)
            call.arguments[k] = round(1.0 - rounded(1.0 - value, digits), 12) if share else rounded(value, digits)
            child = program_of(root, best)
            if is_good(probe.look(child)):
                best = child
    return best


def _shortest(program: Program, probe: Probe, is_good: Callable[[Look], bool]) -> Program:
    best = program
    while (shorter := _shorter(best, probe, is_good)) is not None:
        best = shorter
    return best


def _shorter(program: Program, probe: Probe, is_good: Callable[[Look], bool]) -> Program | None:
    """The first program with fewer calls that is good."""
    language = probe.language
    n_calls = len(calls_of(graph_of(program)))
    for number in range(n_calls - 1):
        for choice in range(6):
            root = graph_of(program)
            calls = calls_of(root)
            call = calls[number]
            replacements = _replacements(call, language.register("g"), probe)
            if choice >= len(replacements):
                break
            _replace(calls, call, replacements[choice])
            drop_dead_slots(root, language.state)
            child = program_of(root, program)
            if len(child.instructions) < n_calls and is_good(probe.look(child)):
                return child
    return None


def _replacements(call: Call, gradient: int, probe: Probe) -> list[Operand]:
    functions = probe.language.functions
    wanted = functions[call.function].result_type
    types = functions[call.function].argument_types
    found = [a for a, type_ in zip(call.arguments, types, strict=True) if type_ == wanted]
    if wanted == probe.language.input_types[gradient]:
        found.append(gradient)
    return [*found, 1.0] if is_real(wanted) else found


def _replace(calls: list[Call], old: Call, new: Operand) -> None:
    for call in calls:
        call.arguments = [new if a is old else a for a in call.arguments]

"""An update rule of our language as Python text for exported files: the rule's own words, divisions told apart.

In the language a divisor is kept away from zero, and powers are of absolute values. Where a divisor is known to be far
enough from zero the text keeps `/`, else it says `quotient(a, b)`; where a base may be negative it says `power(a, b)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sandbox.symbolic.function import Function, Vocabulary
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.reals import SMALLEST_DIVISOR
from sandbox.symbolic.render import render
from sandbox.symbolic.update_words import LEFT, OPTIMIZER, RIGHT
from sandbox.update_rules.bounds import ANY, MAY_DIVIDE, bounds_of
from sandbox.update_rules.rule import UpdateRule, rule_of

_TOTALS: Final = frozenset(("total_rms", "total_dot"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRule:
    """A rule's function as text: what it is called, which inputs it takes, which slots it gives back, its words."""

    name: str
    text: str
    inputs: tuple[str, ...]
    slots: tuple[str, ...]
    words: frozenset[str]
    has_matrices: bool


def words_of(rule: UpdateRule) -> frozenset[str]:
    """The words that a rule uses."""
    return frozenset(OPTIMIZER.functions[i.function].name for i in rule.program.instructions[:-1])


def written_rules(rule: UpdateRule) -> dict[str, WrittenRule]:
    """The functions that an exported file holds, by the kind of parameter that they change.

    A rule that treats hidden matrices otherwise than the rest becomes two functions, so that neither computes or keeps
    what only the other one needs; unless it measures all parameters together. Kinds are "hidden", "others" and "all".
    """
    words = words_of(rule)
    if "by_shape" not in words or words & _TOTALS:
        return {"all": written_rule(rule, "update")}
    kinds = {"hidden": "update_hidden", "others": "update_others"}
    return {kind: written_rule(_specialised(rule, hidden=kind == "hidden"), name) for kind, name in kinds.items()}


def _specialised(rule: UpdateRule, *, hidden: bool) -> UpdateRule:
    """The rule where every `by_shape` is what it gives one kind of parameters."""
    program = rule.program
    chosen: dict[int, int] = {}
    instructions = []
    for number, instruction in enumerate(program.instructions):
        arguments = tuple(chosen.get(operand, operand) for operand in instruction.arguments)
        if OPTIMIZER.functions[instruction.function].name == "by_shape":
            chosen[len(program.inputs) + number] = arguments[0 if hidden else 1]
        instructions.append(replace(instruction, arguments=arguments))
    return rule_of(replace(program, instructions=tuple(instructions)))


def written_rule(rule: UpdateRule, name: str) -> WrittenRule:
    """A rule as one function called `name`."""
    told, vocabulary = _divisions_told(replace(rule.program, name=name))
    text = render(told, vocabulary)
    head = text.partition("(")[2].partition(")")[0]
    functions = [vocabulary.functions[i.function] for i in told.instructions[:-1]]
    kinds = {kind for each in functions for kind in (*each.argument_types, each.result_type)}
    return WrittenRule(
        name=name,
        text=text,
        inputs=tuple(part.strip() for part in head.split(",")),
        slots=rule.slots,
        words=frozenset(each.name for each in functions),
        has_matrices=not kinds.isdisjoint((LEFT, RIGHT)),
    )


def _divisions_told(program: Program) -> tuple[Program, Vocabulary]:
    """The program with `quotient` and `power` where the operators of Python would do otherwise."""
    functions, instructions = list(OPTIMIZER.functions), []
    bounds = bounds_of(program)
    for instruction in program.instructions:
        function = OPTIMIZER.functions[instruction.function]
        name = _other_name(function, instruction, program, bounds)
        if name:
            functions.append(replace(function, name=name, symbol=None))
            instruction = replace(instruction, function=len(functions) - 1)
        instructions.append(instruction)
    vocabulary = replace(OPTIMIZER, functions=tuple(functions))
    return replace(program, instructions=tuple(instructions)), vocabulary


def _other_name(function: Function, instruction: Instruction, program: Program, bounds: Sequence[int]) -> str:
    """What to call a division or a power that Python's own operator does otherwise, or ""."""
    if function.name not in ("div", "pow"):
        return ""
    first, second = instruction.arguments
    value = program.constants[-1 - second] if second < 0 else 0.0
    if function.name == "div":
        may_divide = value >= SMALLEST_DIVISOR if second < 0 else bounds[second] == MAY_DIVIDE
        return "" if may_divide else "quotient"
    # A constant of (0, 1] to what is not negative: it cannot overflow, which is an error in Python.
    base = program.constants[-1 - first] if first < 0 else 0.0
    is_sure = 0.0 < base <= 1.0 and (value >= 0.0 if second < 0 else bounds[second] != ANY)
    return "" if is_sure else "power"

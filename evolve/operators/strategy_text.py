"""Strategies over a toolbox: the straight-line Python that operators read, check, vary and write again.

A strategy is a function of one argument, the toolbox. Its body holds statements `name = toolbox.step(name, key=number)`
and loops over such statements, `for _ in range(number):` or `while True:`.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.toolbox.base import Step, Whole

FUNCTION = "strategy"
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Call:
    """One step: its result gets the name `target`; `things` are the names of the objects it takes."""

    target: str
    step: str
    things: tuple[str, ...]
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """Statements that are repeated `count` times, or until the work is done (None)."""

    count: int | None
    body: "tuple[Call | Loop, ...]"


Statement = Call | Loop
Steps = Mapping[str, Step]


class NoStrategyError(ValueError):
    """The function is no strategy in the sense of this module: another operator may still vary it."""


def read(function: ast.FunctionDef, steps: Steps) -> tuple[Statement, ...]:
    """The statements of a strategy.

    Raises:
        NoStrategyError: it holds something else, or uses a name before it has a value.
    """
    if len(function.args.args) != 1:
        raise NoStrategyError("a strategy takes the toolbox alone")
    toolbox = function.args.args[0].arg
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    statements = tuple(_statement(each, toolbox, steps) for each in body)
    if not is_sound(statements):
        raise NoStrategyError("a name is used before it has a value")
    return statements


def write(statements: Sequence[Statement], toolbox: str, indent: str = INDENT) -> str:
    """The lines of a strategy's body."""
    lines = []
    for each in statements:
        if isinstance(each, Loop):
            head = "while True:" if each.count is None else f"for _ in range({each.count}):"
            lines.append(f"{indent}{head}\n{write(each.body, toolbox, indent + INDENT)}")
        else:
            values = [f"{name}={value!r}" for name, value in each.values]
            lines.append(f"{indent}{each.target} = {toolbox}.{each.step}({', '.join([*each.things, *values])})\n")
    return "".join(lines)


def is_sound(statements: Sequence[Statement]) -> bool:
    """Whether every name has a value when it is used; bodies of loops count as run once."""
    known: set[str] = set()
    for call in calls_of(statements):
        if not known.issuperset(call.things):
            return False
        known.add(call.target)
    return True


def calls_of(statements: Sequence[Statement]) -> Iterator[Call]:
    """All steps in the order of the text."""
    for each in statements:
        if isinstance(each, Loop):
            yield from calls_of(each.body)
        else:
            yield each


def _statement(node: ast.stmt, toolbox: str, steps: Steps) -> Statement:
    if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value is True:
        return Loop(None, _body(node, toolbox, steps))
    if isinstance(node, ast.For):
        return Loop(_count(node.iter), _body(node, toolbox, steps))
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return _call(node.targets[0].id, node.value, toolbox, steps)
    raise NoStrategyError(f"line {node.lineno} is neither a step nor a loop")


def _body(node: ast.For | ast.While, toolbox: str, steps: Steps) -> tuple[Statement, ...]:
    if node.orelse:
        raise NoStrategyError(f"line {node.lineno} has an else")
    return tuple(_statement(each, toolbox, steps) for each in node.body)


def _count(node: ast.expr) -> int:
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))], keywords=[]) if count > 0:
            return count
    raise NoStrategyError(f"line {node.lineno} loops over something else than range(number)")


def _call(target: str, node: ast.expr, toolbox: str, steps: Steps) -> Call:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if owner == toolbox and name in steps:
            step = steps[name]
        case _:
            raise NoStrategyError(f"line {node.lineno} calls no step of the toolbox")
    things = [each.id for each in node.args if isinstance(each, ast.Name)]
    if len(things) != len(node.args) or len(things) != step.n_things:
        raise NoStrategyError(f"line {node.lineno}: {name} takes {step.n_things} objects by name")
    values = dict(_value(each) for each in node.keywords)
    known = dict(step.parameters)
    if not known.keys() >= values.keys():
        raise NoStrategyError(f"line {node.lineno}: {name} has no parameter {sorted(values.keys() - known.keys())[0]}")
    ordered = ((key, values.get(key, span.default)) for key, span in known.items())
    return Call(target, name, tuple(things), tuple((key, _typed(value, known[key])) for key, value in ordered))


def _value(node: ast.keyword) -> tuple[str, float]:
    if node.arg is None or not isinstance(node.value, ast.Constant) or type(node.value.value) not in (int, float):
        raise NoStrategyError(f"line {node.value.lineno}: parameters are numbers")
    number = node.value.value
    assert isinstance(number, int | float)
    return node.arg, number


def _typed(value: float, span: object) -> float:
    return round(value) if isinstance(span, Whole) else float(value)

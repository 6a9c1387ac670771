"""An update rule: a program of the vocabulary `optimizer` that is ready to take steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from sandbox.symbolic.canonical import canonical, form_fingerprint, operation_count
from sandbox.symbolic.function import Vocabulary
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.reals import REAL_WORDS
from sandbox.symbolic.render import render
from sandbox.symbolic.state import needed_slots, step_operands
from sandbox.symbolic.update_words import LEFT, OPTIMIZER, RIGHT, TENSOR
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.plan import Call, plan, shared

OPTIONAL_INPUTS: Final = ("w", "h", "f", "t", "lr")
"""What a rule may read apart from the gradient and its state."""


class Arrays(Protocol):
    """What a rule works on: every word of the vocabulary is a method too (see `update_words.method_of`)."""

    @property
    def layout(self) -> Layout:
        """The model's parameters."""

    @property
    def writes_over(self) -> bool:
        """Whether the elementwise words take `out`, an argument to write over."""

    def real(self, value: Any) -> Any:
        """A number, or one per member as a column."""

    def copy(self, tensor: Any) -> Any:
        """The same numbers in memory of their own."""

    def zeros(self, n_members: int) -> Any:
        """A tensor slot at the start."""

    def zero_matrices(self, n_members: int, *, left: bool) -> Any:
        """A matrix slot at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRule:
    """One rule in canonical form: dead code and idle slots are gone, repeated work is done once.

    `slots` are the state slots that it keeps, `needs` the inputs that it reads apart from `g`. What comes after
    `has_matrices` is for `step`: the registers of the update and of the slots' new values, and which need a copy.
    """

    program: Program
    text: str
    slots: tuple[str, ...]
    needs: frozenset[str]
    n_operations: int
    fingerprint: str
    has_matrices: bool
    calls: tuple[Call, ...]
    update: int
    new_values: tuple[int, ...]
    are_shared: tuple[bool, ...]


def read_rule(text: str) -> UpdateRule:
    """Read a rule from its text.

    Raises:
        CandidateSyntaxError: the text is no update rule; the message says what to change.
    """
    return rule_of(parse(text, OPTIMIZER))


def rule_of(program: Program, vocabulary: Vocabulary = OPTIMIZER) -> UpdateRule:
    """The rule that a program over a vocabulary of update rules describes."""
    if vocabulary is not OPTIMIZER:
        return read_rule(render(program, vocabulary))
    form = canonical(program, OPTIMIZER)
    registers = needed_slots(form)
    first = len(form.inputs)
    operands = step_operands(form)
    new_values = tuple(operands[1 + register - (first - form.n_slots)] for register in registers)
    calls = plan(form)
    read = {operand for i in form.instructions[:-1] for operand in i.arguments} | {operands[0], *new_values}
    functions = [OPTIMIZER.functions[i.function] for i in form.instructions[:-1]]
    return UpdateRule(
        program=form,
        text=render(form, OPTIMIZER),
        slots=tuple(form.inputs[register] for register in registers),
        needs=frozenset(name for name in OPTIONAL_INPUTS if form.inputs.index(name) in read),
        n_operations=operation_count(form),
        fingerprint=form_fingerprint(form, OPTIMIZER),
        has_matrices=any(
            f.name == "orthogonal" or not {LEFT, RIGHT}.isdisjoint((*f.argument_types, f.result_type))
            for f in functions
        ),
        calls=calls,
        update=operands[0],
        new_values=new_values,
        are_shared=shared(form, calls, new_values),
    )


def start(rule: UpdateRule, arrays: Arrays, n_members: int) -> dict[str, Any]:
    """The state before the first step: zeros for every slot of the rule."""
    state: dict[str, Any] = {}
    for name in rule.slots:
        type_ = OPTIMIZER.signature.type_of(name) if OPTIMIZER.signature else TENSOR
        is_tensor = type_ == TENSOR
        state[name] = arrays.zeros(n_members) if is_tensor else arrays.zero_matrices(n_members, left=type_ == LEFT)
    return state


def step(  # noqa: PLR0913 (what an optimizer may see)
    rule: UpdateRule,
    arrays: Arrays,
    w: Any,
    g: Any,
    state: Mapping[str, Any],
    *,
    t: float,
    lr: float | Sequence[float] | Any = 1.0,
    h: Any = None,
    f: Any = None,
    may_overwrite_state: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step: the update `u` (for w <- w - lr * u) and the new state.

    `w`, `g` and `h` are [E, P]; `t` counts from 1; `lr` and `f` are numbers, or one per ensemble member. `u` may be
    `g` or a part of the state itself: read it, do not change it. `w`, `g` and `h` are never changed nor kept, `state`
    is not changed unless `may_overwrite_state` (quicker: no new memory), which is for callers that keep no old state.

    Raises:
        ValueError: the rule reads `h` or `f` and got none.
    """
    if (h is None and "h" in rule.needs) or (f is None and "f" in rule.needs):
        missing = [name for name, value in (("h", h), ("f", f)) if value is None and name in rule.needs]
        raise ValueError(f"the rule reads {' and '.join(missing)}, which was not given: pass {missing[0]}=...")
    inputs = {"w": w, "g": g, "h": h, "t": float(t), **state}
    for name, value in (("lr", lr), ("f", f)):
        inputs[name] = arrays.real(value) if name in rule.needs else None
    program = rule.program
    values = [inputs.get(name) for name in program.inputs]
    values += [None] * len(rule.calls)
    values += program.constants[::-1]
    if arrays.writes_over:
        _run(rule.calls, arrays, values, may_overwrite_state=may_overwrite_state)
    else:
        with np.errstate(all="ignore"):
            _run(rule.calls, arrays, values, may_overwrite_state=may_overwrite_state)
    return values[rule.update], _new_state(rule, arrays, values)


def _run(calls: Sequence[Call], arrays: Arrays, values: list[Any], *, may_overwrite_state: bool) -> None:
    """Fill the registers in order; a negative operand finds its constant at the end of the list."""
    writes_over = arrays.writes_over
    for call in calls:
        operands = [values[k] for k in call.arguments]
        if call.is_plain and all(type(operand) is float for operand in operands):
            values[call.register] = REAL_WORDS[call.word](*operands)
        elif call.over >= 0 and writes_over and (may_overwrite_state or not call.is_over_slot):
            values[call.register] = getattr(arrays, call.word)(*operands, out=operands[call.over])
        else:
            values[call.register] = getattr(arrays, call.word)(*operands)
        for register in call.freed:
            values[register] = None


def _new_state(rule: UpdateRule, arrays: Arrays, values: list[Any]) -> dict[str, Any]:
    """The slots' new values; one that is an input, or another slot's value too, gets memory of its own."""
    state: dict[str, Any] = {}
    for name, register, is_shared in zip(rule.slots, rule.new_values, rule.are_shared, strict=True):
        state[name] = arrays.copy(values[register]) if is_shared else values[register]
    return state

"""The values of expressions over all steps of a stream at once."""

from collections import OrderedDict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evolve.rules.expressions import INPUT, LITERAL, OLD, OWN, Expressions
from evolve.rules.language import Language
from evolve.rules.recurrence import Factor, LinearRecurrence
from evolve.rules.stream import SHAPES, Stream
from sandbox.symbolic.reals import SMALLEST_DIVISOR
from sandbox.symbolic.update_words import LEFT, TENSOR, method_of
from sandbox.symbolic.vocabulary import REAL
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays

Array = NDArray[np.float64]
Value = Any
"""A number, an array [steps, coordinates] or [steps, 1], or for matrices a list of arrays [steps, r, r]."""

_STEPWISE: Final = frozenset({"basis", "inverse_root"})
"""Words that look at the step number: they are called step by step."""


class Traces:
    """Computes and keeps the values of expressions; the least recently used go first."""

    def __init__(self, expressions: Expressions, language: Language, stream: Stream, *, max_kept: int) -> None:
        self._expressions = expressions
        self._language = language
        self._stream = stream
        self._n_coordinates = stream.values["g"].shape[1]
        self._arrays = NumpyArrays(Layout(SHAPES))
        self._kept: OrderedDict[int, Value] = OrderedDict()
        self._max_kept = max_kept
        self._linear = LinearRecurrence(stream.n_steps)
        self._run = [self._runner(k) for k in range(len(language.functions))]

    def _runner(self, position: int) -> Any:
        """What runs a word; words over plain numbers stay plain where nothing changes in time."""
        function = self._language.functions[position]
        if position == self._language.step:
            return None
        run = getattr(self._arrays, method_of(function))
        if set(function.argument_types) != {REAL}:
            return run
        return lambda *values: (function.apply if all(isinstance(v, float) for v in values) else run)(*values)

    def value(self, number: int) -> Value:
        """The value of a closed expression."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        kind, arguments = self._expressions.nodes[number]
        if kind == LITERAL:
            return arguments[0]
        if kind == INPUT:
            return self._stream.values[self._language.inputs[int(arguments[0])]]
        if kind == OLD:
            return self._old(number)
        value = self._called(kind, [self.value(int(a)) for a in arguments])
        self._keep(number, value)
        return value

    def _keep(self, number: int, value: Value) -> None:
        self._kept[number] = value
        if len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)

    def _called(self, position: int, arguments: list[Value]) -> Value:
        if self._language.names[position] not in _STEPWISE:
            return self._run[position](*arguments)
        steps = [self._run[position](*(_at(a, k) for a in arguments)) for k in range(self._stream.n_steps)]
        return [np.concatenate([step[i] for step in steps]) for i in range(len(steps[0]))]

    def _old(self, number: int) -> Value:
        """The old values of a recurrence's slot, kept for all its slots."""
        _, (index, *new) = self._expressions.nodes[number]
        numbers = [int(n) for n in new]
        types = [self._type_of(n) for n in numbers]
        if types == [TENSOR]:
            linear = self._linear_in_own(numbers[0], {})
            if linear is not None:
                value = self._linear.before(*linear, self._n_coordinates)
                self._keep(number, value)
                return value
        values = self._walked(numbers, types)
        for k, value in enumerate(values):
            self._keep(self._expressions.number((OLD, (k, *numbers))), value)
        return values[int(index)]

    def _type_of(self, number: int) -> str:
        kind, arguments = self._expressions.nodes[number]
        if kind == OLD:
            return self._type_of(int(arguments[1 + int(arguments[0])]))
        if kind in (INPUT, OWN):
            return self._language.input_types[int(arguments[-1])]
        return self._language.functions[kind].result_type

    def _linear_in_own(self, number: int, known: dict[int, Any]) -> tuple[Factor, Factor] | None:
        """(a, b) where the expression is a * own + b; None when it is not known to be linear."""
        if number not in known:
            known[number] = self._linear_node(number, known)
        return known[number]  # type: ignore[no-any-return]

    def _linear_node(self, number: int, known: dict[int, Any]) -> tuple[Factor, Factor] | None:
        if not self._expressions.is_open[number]:
            return 0.0, self.value(number)
        kind, arguments = self._expressions.nodes[number]
        if kind == OWN:
            return 1.0, 0.0
        name = self._language.names[kind]
        if name not in ("add", "sub", "neg", "mul", "div", "ema", "debias"):
            return None
        parts = [self._linear_in_own(int(a), known) for a in arguments]
        if any(part is None for part in parts):
            return None
        is_open = [self._expressions.is_open[int(a)] for a in arguments]
        return self._combined(name, parts, is_open)

    def _combined(self, name: str, parts: list[Any], is_open: list[bool]) -> tuple[Factor, Factor] | None:
        """A word over linear expressions, where the answer is linear too."""
        (a, b), (c, d) = parts[0], parts[-1] if len(parts) < 3 else parts[1]
        if name == "neg":
            return -a, -b
        if name in ("add", "sub"):
            return (a + c, b + d) if name == "add" else (a - c, b - d)
        if name == "ema" and not is_open[2]:
            k = parts[2][1]
            return k * a + (1.0 - k) * c, k * b + (1.0 - k) * d
        share = _factor(name, parts, is_open)
        if share is None:
            return None
        return (c * share, d * share) if name == "mul" and is_open[1] else (a * share, b * share)

    def _walked(self, numbers: list[int], types: list[str]) -> list[Value]:
        """The old values of slots that feed each other, step by step."""
        order = self._open_order(numbers)
        outside = {
            a: self.value(a)
            for n in order
            for a in map(int, self._expressions.nodes[n][1])
            if self._expressions.nodes[n][0] >= 0 and not self._expressions.is_open[a]
        }
        nodes = self._expressions.nodes
        calls = [(n, self._run[nodes[n][0]], [int(a) for a in nodes[n][1]]) for n in order if nodes[n][0] >= 0]
        own = {n: int(nodes[n][1][0]) for n in order if nodes[n][0] == OWN}
        state = [self._zeros(type_) for type_ in types]
        history: list[list[Value]] = [[] for _ in numbers]
        for step in range(self._stream.n_steps):
            for past, value in zip(history, state, strict=True):
                past.append(value)
            now: dict[int, Value] = {n: state[k] for n, k in own.items()}
            for n, value in outside.items():
                now[n] = _at(value, step)
            for n, run, arguments in calls:
                now[n] = run(*[now[a] for a in arguments])
            state = [now[n] if n in now else _at(self.value(n), step) for n in numbers]
        return [_joined(past) for past in history]

    def _zeros(self, type_: str) -> Value:
        return self._arrays.zeros(1) if type_ == TENSOR else self._arrays.zero_matrices(1, left=type_ == LEFT)

    def _open_order(self, numbers: list[int]) -> list[int]:
        """Open expressions below the given ones, arguments first (a later number may read only earlier ones)."""
        found: set[int] = set()
        pending = list(numbers)
        while pending:
            n = pending.pop()
            if self._expressions.is_open[n] and n not in found:
                found.add(n)
                if self._expressions.nodes[n][0] >= 0:
                    pending += [int(a) for a in self._expressions.nodes[n][1]]
        return sorted(found)


def _factor(name: str, parts: list[Any], is_open: list[bool]) -> Factor | None:
    """What a product, a quotient or a `debias` multiplies its one open argument with."""
    if name == "mul" and not all(is_open):
        return parts[0][1] if is_open[1] else parts[1][1]  # type: ignore[no-any-return]
    if name == "div" and not is_open[1]:
        return 1.0 / _divisor(parts[1][1])
    if name == "debias" and not any(is_open[1:]):
        return 1.0 / _divisor(1.0 - np.float_power(parts[1][1], parts[2][1]))
    return None


def _divisor(value: Factor) -> Factor:
    kept = np.copysign(np.maximum(np.abs(value), SMALLEST_DIVISOR), value)
    return float(kept) if isinstance(value, float) else kept


def _at(value: Value, step: int) -> Value:
    """A value at one step; a real that changes in time becomes a number."""
    if isinstance(value, list):
        return [part[step : step + 1] for part in value]
    if isinstance(value, np.ndarray):
        return float(value[step, 0]) if value.shape[1] == 1 else value[step : step + 1]
    return value


def _joined(past: list[Value]) -> Value:
    if isinstance(past[0], list):
        return [np.concatenate([value[i] for value in past]) for i in range(len(past[0]))]
    return np.concatenate(past)

"""One hundred steps of the zoo, of its references and of torch.optim over the same gradients."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import UpdateRule, start, step
from tests.unit.sandbox.zoo_references import Array, Moment, Reference
from tests.unit.sandbox.zoo_references_of_layers import Global

N_STEPS = 100
WIDE = Layout(shapes=((6, 4), (3, 5), (4,)), roles=("hidden", "head", "vector"))
SQUARE = Layout(shapes=((4, 4), (5, 5), (4,)), roles=("hidden", "head", "vector"))
"""For bases: those of a gradient without full rank are a matter of rounding, and so is what follows."""


def first_weights(layout: Layout, member: int) -> Array:
    """Where a member starts, all parameters in one row."""
    return np.random.default_rng([7, member]).normal(size=layout.n_parameters)


def look(weights: Array, t: int) -> tuple[Array, Array, float]:
    """Gradient, estimate of the Hessian's diagonal, and loss: a bowl with noise of heavy tails."""
    bowl, noise, hessian = _drawn(len(weights), t)
    return bowl * weights + noise, hessian, float(0.5 * np.sum(bowl * weights**2) + 0.05)


@cache
def _drawn(n: int, t: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng([11, t])
    bowl, noise = np.linspace(0.1, 2.0, n), 0.3 * rng.standard_t(3, size=n)
    return bowl, noise, bowl * (1.0 + 0.8 * rng.normal(size=n))


def rate_at(t: int) -> float:
    """A learning rate that changes from step to step."""
    return 0.02 * min(t / 10, 1.0) * (1 - 0.5 * t / N_STEPS)


def by_rule(
    rule: UpdateRule, layout: Layout = WIDE, *, rate: Callable[[int], float] = rate_at, n_members: int = 2
) -> Array:
    """The weights of every member after every step of the interpreter, [steps, members, weights]."""
    arrays = NumpyArrays(layout)
    weights = np.stack([first_weights(layout, member) for member in range(n_members)])
    state = start(rule, arrays, n_members)
    rows = []
    for t in range(1, N_STEPS + 1):
        looks = [look(row, t) for row in weights]
        gradient, hessian = (np.stack([each[part] for each in looks]) for part in (0, 1))
        loss = np.array([each[2] for each in looks])
        update, state = step(rule, arrays, weights, gradient, state, t=t, lr=rate(t), h=hessian, f=loss)
        weights = weights - rate(t) * update
        rows.append(weights)
    return np.stack(rows)


def by_reference(reference: Reference, member: int, layout: Layout = WIDE) -> Array:
    """The same for one member, parameter by parameter as the publication has it: [steps, weights]."""
    kept: list[dict[str, Any]] = [{} for _ in layout.shapes]

    def moved(parts: list[Array], gradients: list[Array], moments: list[Moment]) -> list[Array]:
        return [reference(*each) for each in zip(parts, gradients, kept, moments, strict=True)]

    return _run(moved, member, layout)


def by_global_reference(reference: Global, member: int) -> Array:
    """The same for a rule that sees all parameters at once."""
    kept: dict[str, Any] = {}
    return _run(lambda parts, gradients, moments: reference(parts, gradients, kept, moments[0]), member, WIDE)


def _run(moved: Callable[[list[Array], list[Array], list[Moment]], list[Array]], member: int, layout: Layout) -> Array:
    weights, rows = first_weights(layout, member), []
    for t in range(1, N_STEPS + 1):
        gradient, hessian, loss = look(weights, t)
        moments = [
            Moment(t=t, lr=rate_at(t), loss=loss, hessian=part, role=role)
            for part, role in zip(parts_of(hessian, layout), layout.roles, strict=True)
        ]
        parts = moved(list(parts_of(weights, layout)), list(parts_of(gradient, layout)), moments)
        weights = np.concatenate([part.ravel() for part in parts])
        rows.append(weights)
    return np.stack(rows)


def parts_of(row: Array, layout: Layout = WIDE) -> Iterator[Array]:
    """One row of all weights as the parameters' arrays."""
    for place, shape in _places(layout):
        yield row[place].reshape(shape)


@cache
def _places(layout: Layout) -> list[tuple[slice, tuple[int, ...]]]:
    return [(layout.slice_of(position), shape) for position, shape in enumerate(layout.shapes)]


def by_torch(make: Callable[[list[Any]], Any]) -> Array:
    """The same with an optimizer of torch: [steps, weights]."""
    import torch

    parameters = [torch.nn.Parameter(torch.from_numpy(part.copy())) for part in parts_of(first_weights(WIDE, 0))]
    optimizer = make(parameters)
    rows = []
    for t in range(1, N_STEPS + 1):
        weights = np.concatenate([each.detach().numpy().ravel() for each in parameters])
        gradient, _, _ = look(weights, t)
        for each, part in zip(parameters, parts_of(gradient), strict=True):
            each.grad = torch.from_numpy(part.copy())
        optimizer.step()
        rows.append(np.concatenate([each.detach().numpy().ravel() for each in parameters]))
    return np.stack(rows)

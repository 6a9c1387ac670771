"""DEAP: a toolkit, so the algorithm is one that its examples build: NSGA-II over error and length of trees.

Settings: population 200, at most `MAX_LENGTH` nodes, one-point crossover 0.8, subtree mutation 0.3, and, as good users
add, the constants of every offspring fitted by scipy's Levenberg-Marquardt on relative residuals (at most
`FIT_EVALUATIONS` residuals) and written back into the tree.

Fortin et al. (2012), "DEAP: evolutionary algorithms made easy", https://www.jmlr.org/papers/v13/fortin12a.html
"""

import operator
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from deap import base, gp, tools
from scipy.optimize import least_squares

from benchmarks.peers.expression import from_prefix
from benchmarks.peers.task import MAX_LENGTH, FloatArray, Found, Task

POPULATION = 200
CROSSOVER, MUTATION = 0.8, 0.3
FIT_EVALUATIONS = 60
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": np.true_divide,
}  # fmt: skip


class Errors(base.Fitness):  # type: ignore[misc]
    """Root mean square of relative residuals, and length: both small."""

    weights = (-1.0, -1.0)


class Tree(gp.PrimitiveTree):  # type: ignore[misc]
    """A tree with its errors."""

    def __init__(self, content: Any) -> None:
        super().__init__(content)
        self.fitness = Errors()


def search(task: Task, cpu_seconds: float, rng_seed: int) -> Found:
    """The Pareto front of all trees met."""
    random.seed(rng_seed)  # noqa: TID251 DEAP draws from the global generator
    primitives = _primitives()
    front, found = tools.ParetoFront(), Found()
    start = time.process_time()

    def judge(trees: list[Tree]) -> None:
        for tree in trees:
            tree.fitness.values = (fitted_error(tree, task), len(tree))
            found.evaluations += 1
        front.update(trees)

    population = [Tree(gp.genHalfAndHalf(primitives, 1, 3)) for _ in range(POPULATION)]
    judge(population)
    population = tools.selNSGA2(population, POPULATION)
    while time.process_time() - start < cpu_seconds:
        offspring = _offspring(population, primitives)
        judge(offspring)
        population = tools.selNSGA2(population + offspring, POPULATION)
    found.expressions = [from_prefix(_tokens(tree)) for tree in front]
    return found


def _primitives() -> Any:
    primitives = gp.PrimitiveSet("MAIN", 1, "x")
    for name, function in OPERATIONS.items():
        primitives.addPrimitive(function, 2, name=name)
    primitives.addEphemeralConstant("constant", partial(random.gauss, 0.0, 3.0))
    return primitives


def _offspring(population: list[Tree], primitives: Any) -> list[Tree]:
    """As many children as parents; a child that grew too long is its parent again, with other constants."""
    children = [Tree(tree) for tree in tools.selTournamentDCD(population, POPULATION)]
    grow = partial(gp.genFull, min_=0, max_=2)
    for k in range(0, POPULATION, 2):
        parents = Tree(children[k]), Tree(children[k + 1])
        if random.random() < CROSSOVER:  # noqa: TID251
            gp.cxOnePoint(children[k], children[k + 1])
        for child in children[k : k + 2]:
            if random.random() < MUTATION:  # noqa: TID251
                gp.mutUniform(child, grow, primitives)
        for j, parent in enumerate(parents):
            if len(children[k + j]) > MAX_LENGTH:
                children[k + j] = parent
    return children


def _tokens(tree: Tree) -> list[str | float]:
    return [
        node.name if isinstance(node, gp.Primitive) else "x" if isinstance(node.value, str) else float(node.value)
        for node in tree
    ]


def fitted_error(tree: Tree, task: Task) -> float:
    """Fit the tree's constants in place; the root mean square of its relative residuals."""
    tokens = _tokens(tree)
    places = [k for k, token in enumerate(tokens) if not isinstance(token, str)]

    def residuals_of(constants: FloatArray) -> FloatArray:
        moved = list(tokens)
        for place, constant in zip(places, constants, strict=True):
            moved[place] = float(constant)
        residuals = _values(moved, task.points) / task.target - 1.0
        return np.nan_to_num(residuals, nan=1e9, posinf=1e9, neginf=-1e9)

    constants = np.array([tokens[place] for place in places], float)
    with np.errstate(all="ignore"):
        if 0 < len(places) <= task.points.size:
            constants = least_squares(residuals_of, constants, method="lm", max_nfev=FIT_EVALUATIONS).x
        for place, constant in zip(places, constants, strict=True):
            node = type(tree[place])()
            node.value = float(constant)
            tree[place] = node
        return float(np.sqrt(np.mean(residuals_of(constants) ** 2)))


def _values(tokens: list[str | float], points: FloatArray) -> FloatArray:
    """Values of a tree given with its operations first."""
    stack: list[Any] = []
    for token in reversed(tokens):
        if not isinstance(token, str):
            stack.append(np.float64(token))
        elif token == "x":
            stack.append(points)
        else:
            stack.append(OPERATIONS[token](stack.pop(), stack.pop()))
    return np.broadcast_to(stack[0], points.shape)

"""What a worker does for the float32 operators: from one program's text to the texts of better ones."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from evaluators.float32.compiler import Compiler
from evaluators.float32.targets import interval_of, spread, target_named
from evolve.symbolic.machine import Bench, CoreSettings, mirrored, polish, recored
from sandbox.symbolic.canonical import canonical, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import FLOAT32

N_POINTS = 2000
CORE_SECONDS = 4.0
POLISH_SECONDS = 3.0
MIRROR_SECONDS = 0.2
N_CHILDREN = 3

_EXACT: Mapping[str, Callable[[Any], Any]] = {
    name: getattr(np, name)
    for name in ("exp2", "exp", "expm1", "log2", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh")
} | {"asin": np.arcsin, "atan": np.arctan, "rsqrt": lambda x: 1.0 / np.sqrt(x)}
"""The functions in float64, for tables; where numpy has none, programs are polished but get no other cores."""


def float32_children(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Children of one program: `judge`, `parent`, `inputs`, `kind`, `max_operations`, `rng_seed` -> `children`, `cost`.

    `kind` is `polish` (better constants), `cores` (a smooth part computed in another way, then polished) or `mirror` (a
    subtraction the other way round). A pure function of the payload. `cost` is a round figure of core-seconds.
    """
    options = payload["judge"]["options"]
    program = canonical(parse(payload["parent"], FLOAT32, inputs=payload["inputs"]), FLOAT32)
    rng = np.random.default_rng(payload["rng_seed"])
    interval = interval_of(options["interval"])
    points = spread(interval, N_POINTS)
    exact = _EXACT.get(options["function"])
    if payload["kind"] == "mirror":
        child = None if exact is None else mirrored(program, exact, points, rng)
        return {"children": [] if child is None else [render(child, FLOAT32)], "cost": MIRROR_SECONDS}
    bench = Bench(compiler=_compiler(target_named(options["function"])), interval=interval, points=points)
    starts, cost = [program], 0.0
    if payload["kind"] == "cores":
        cores = [] if exact is None else recored(program, exact, points, rng, CoreSettings())
        starts, cost = cores[:N_CHILDREN], CORE_SECONDS
    fitting = [each for each in starts if each.constants and operation_count(each) <= payload["max_operations"]]
    children: list[Program] = [polish(each, bench, rng_seed=int(rng.integers(2**31))).program for each in fitting]
    cost += POLISH_SECONDS * len(fitting)
    return {"children": [render(child, FLOAT32) for child in children if child != program], "cost": cost}


@lru_cache(maxsize=1)
def _compiler(reference: str) -> Compiler:
    return Compiler(reference)

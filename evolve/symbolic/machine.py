"""Search over float32 programs: another core for a smooth part, and constants polished against compiled errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators.float32.compiler import Compiler
from evaluators.float32.measure import Worst, largest, polished, worst_everywhere
from evaluators.float32.targets import Float32Array, Interval, from_keys, key_of
from evolve.symbolic.fma_cores import ONE, ZERO, Core, FloatArray, level, search_cores
from sandbox.symbolic.c_source import c_source
from sandbox.symbolic.canonical import canonical, live
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import FLOAT32

N_TABLE = 40
WINDOW = 64
N_ADDED = 200
STRIDE = 499
A_BINADE = 1 << 23
STEP_OF_SLOPE = 2.0**-9
MOST_SIGNS = 10
N_SIGNED = 64
SMALL = 1024.0  # a larger constant is a magic number of a range reduction
MIRRORED_ERROR = 1e-2
_FMA, _ADD, _MUL, _SUB = (FLOAT32.position_of(name) for name in ("fma", "add", "mul", "sub"))
_ADD_BITS, _SUB_BITS = (FLOAT32.position_of(name) for name in ("add_bits", "sub_bits"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Polished:
    """A program with polished constants, and its largest error on every 499th float32 and on the polished points."""

    program: Program
    ulp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """How many structures are drawn, the starts of each, and how many of the best are kept."""

    n_structures: int = 4000
    n_starts: int = 40
    n_cores: int = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """A smooth part: `outer` depends on the input through `inner` only; both are registers."""

    inner: int
    outer: int
    n_operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What programs are polished on: the compiled reference, the interval, some of its numbers, and how long."""

    compiler: Compiler
    interval: Interval
    points: Float32Array
    steps: int = 1500
    n_rounds: int = 4


def polish(program: Program, bench: Bench, *, rng_seed: int) -> Polished:
    """Climb on the bits of the constants, round by round; each round adds the places where the last one was worst.

    The same arguments give the same program. Exact only in so far as every 499th number tells: a judge that tries
    all of them has the last word.
    """
    compiler, interval, table = bench.compiler, bench.interval, bench.points
    best = Polished(program=program, ulp=np.inf)
    for number in range(bench.n_rounds):
        kernel = compiler.kernel(c_source(program))
        try:
            _, constants = polished(kernel, program, table, steps=bench.steps, rng_seed=rng_seed + number)
        finally:
            kernel.remove()
        program = program.with_constants(constants)
        found = _sampled(compiler, program, interval)
        most = largest(found).ulp
        if most < best.ulp:
            best = Polished(program=program, ulp=most)
        worst = sorted(found, key=lambda each: (-each.ulp, each.x))[:N_ADDED]
        table = np.union1d(table, np.array([each.x for each in worst], np.float32))
    return best


def recored(
    program: Program,
    exact: Callable[[FloatArray], FloatArray],
    points: Float32Array,
    rng: np.random.Generator,
    settings: CoreSettings,
) -> list[Program]:
    """Programs whose smooth part is another core, constants fitted but not polished; best first, perhaps none.

    A part is drawn; what it ought to compute follows from the program's own error and the slope of the rest. So the
    program must be about right: to a few ulp.
    """
    parts = smooth_parts(program)
    if not parts:
        return []
    part = parts[int(rng.integers(len(parts)))]
    table = _table(program, part, exact, points)
    if table is None:
        return []
    size = max(2, part.n_operations - int(rng.integers(0, 3)))
    cores = search_cores(
        *table, n_operations=size, n_structures=settings.n_structures, n_starts=settings.n_starts, rng=rng
    )
    levelled = sorted((level(core, *table) for core in cores[: settings.n_cores]), key=lambda core: core.error)
    return [canonical(_spliced(program, part, core), FLOAT32) for core in levelled]


def smooth_parts(program: Program) -> list[_Part]:
    """Every pair of registers with at least three operations between them, all paths from the input leading through."""
    needed = live(program)
    parts = []
    for inner in range(1 + max(needed, default=-1) + 1):
        within, count = {inner}, {inner: 0}
        for i in needed:
            instruction, register = program.instructions[i], 1 + i
            reads = {a for a in instruction.arguments if a >= 0}
            if register > inner and reads and reads <= within and _is_smooth(instruction):
                within.add(register)
                count[register] = len(_between(program, register, inner))
        parts += [_Part(inner, outer, n) for outer, n in count.items() if n >= 3]
    return parts


def _is_smooth(instruction: Instruction) -> bool:
    return FLOAT32.functions[instruction.function].name in {"add", "sub", "mul", "div", "neg", "fma"}


def _between(program: Program, outer: int, inner: int) -> set[int]:
    """The registers that `outer` needs beyond `inner`, itself included."""
    needed, pending = set(), [outer]
    while pending:
        register = pending.pop()
        if register != inner and register not in needed:
            needed.add(register)
            pending += [a for a in program.instructions[register - 1].arguments if a >= 0]
    return needed


def _run(program: Program, points: Float32Array, given: Mapping[int, Float32Array]) -> list[Any]:
    """The values of all registers; those in `given` are replaced."""
    values: list[Any] = [given.get(0, points)]
    with np.errstate(all="ignore"):
        for number, instruction in enumerate(program.instructions, start=1):
            arguments = [values[a] if a >= 0 else program.constants[-1 - a] for a in instruction.arguments]
            value = FLOAT32.functions[instruction.function].apply(*arguments)
            values.append(given.get(number, np.broadcast_to(value, points.shape)))
    return values


def _table(
    program: Program, part: _Part, exact: Callable[[FloatArray], FloatArray], points: Float32Array
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """What the part ought to compute at some values of its argument, and how much an error there matters, in ulp."""
    with np.errstate(all="ignore"):  # what is not finite is left out below
        values = _run(program, points, {})
        outer = values[part.outer]
        moved = (outer * np.float32(1.0 + STEP_OF_SLOPE)).astype(np.float32)
        result = values[program.output].astype(np.float64)
        other = _run(program, points, {part.outer: moved})[program.output].astype(np.float64)
        wanted = exact(points.astype(np.float64))
        slope = (other - result) / (moved.astype(np.float64) - outer)
        target = outer - (result - wanted) / slope
        weight = np.abs(slope) / np.exp2(np.maximum(np.floor(np.log2(np.abs(wanted))), -126.0) - 23.0)
    argument = values[part.inner].astype(np.float64)
    is_good = np.isfinite(target) & np.isfinite(weight) & np.isfinite(argument) & (weight > 0)
    order = np.flatnonzero(is_good)[np.argsort(argument[is_good], kind="stable")]
    if order.size < WINDOW:
        return None
    return _smoothed(argument[order], target[order], weight[order])


def _smoothed(
    argument: FloatArray, target: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The table at Chebyshev places: cubics through the neighbours take away what rounding added to each of them."""
    low, high = argument[0], argument[-1]
    places = low + (high - low) * (1.0 - np.cos(np.pi * (np.arange(N_TABLE) + 0.5) / N_TABLE)) / 2.0
    rows = []
    for place in places:
        start = np.clip(np.searchsorted(argument, place) - WINDOW // 2, 0, argument.size - WINDOW)
        near = slice(int(start), int(start) + WINDOW)
        width = max(float(np.ptp(argument[near])), 1e-300)
        powers = ((argument[near] - place) / width)[:, None] ** np.arange(4)
        fitted = np.linalg.lstsq(powers * weight[near][:, None], target[near] * weight[near], rcond=None)[0]
        rows.append((place, fitted[0], np.quantile(weight[near], 0.9)))
    table = np.array(rows)
    return table[:, 0], table[:, 1], table[:, 2]


def _spliced(program: Program, part: _Part, core: Core) -> Program:
    """The program with the core in place of a part; what nobody needs any more goes when it is made canonical."""
    constants, instructions = list(program.constants), list(program.instructions[: part.outer])
    register_of = [part.inner]
    given = iter(core.constants)

    def operand(code: int) -> int:
        if code >= 0:
            return register_of[code]
        constants.append(next(given))
        return -len(constants)

    for a, b, c in core.code:
        function = _ADD if b == ONE else _MUL if c == ZERO else _FMA
        arguments = tuple(operand(code) for code in (a, b, c) if code not in (ONE, ZERO))
        instructions.append(Instruction(function, arguments))
        register_of.append(len(instructions))

    def moved(k: int) -> int:
        if k == part.outer:
            return register_of[-1]
        return k + len(core.code) if k > part.outer else k

    rest = program.instructions[part.outer :]
    instructions += [Instruction(each.function, tuple(moved(a) for a in each.arguments)) for each in rest]
    return replace(program, constants=tuple(constants), instructions=tuple(instructions), output=moved(program.output))


def _sampled(compiler: Compiler, program: Program, interval: Interval) -> list[Worst]:
    """The errors at every 499th float32, and at every one of the millions around the worst of those."""
    kernel = compiler.kernel(c_source(program))
    try:
        found = worst_everywhere(kernel, interval, step=STRIDE)
        return found + worst_everywhere(kernel, _around(largest(found).x, interval))
    finally:
        kernel.remove()


def _around(x: float, interval: Interval) -> Interval:
    """The part of the interval that is within a binade's worth of numbers of x."""
    first, last = max(key_of(x) - A_BINADE, interval.first), min(key_of(x) + A_BINADE, interval.last)
    low, high = from_keys(np.array([first, last], np.int64))
    return Interval(float(low), float(high))


def mirrored(
    program: Program, exact: Callable[[FloatArray], FloatArray], points: Float32Array, rng: np.random.Generator
) -> Program | None:
    """The program with the operands of a subtraction exchanged, and the signs of constants that undo it best.

    Over the real numbers nothing is gained; a compiler may save an instruction, for machines read one operand of a
    subtraction from memory and not the other. None if there is no subtraction, or no signs undo the exchange.
    """
    places = [i for i in live(program) if program.instructions[i].function in {_SUB, _SUB_BITS}]
    slots = [slot for slot, value in enumerate(program.constants) if abs(value) < SMALL][:MOST_SIGNS]
    if not places or not slots:
        return None
    place = places[int(rng.integers(len(places)))]
    if program.instructions[place].function == _SUB_BITS:
        return _mirrored_bits(program, exact, points, place)
    instructions = list(program.instructions)
    instructions[place] = Instruction(_SUB, instructions[place].arguments[::-1])
    swapped = replace(program, instructions=tuple(instructions))
    few = points[np.linspace(0, points.size - 1, N_SIGNED).astype(np.int64)]
    wanted = exact(few.astype(np.float64))
    best, lowest = None, MIRRORED_ERROR
    for pattern in range(1 << len(slots)):
        constants = list(program.constants)
        for position, slot in enumerate(slots):
            if pattern >> position & 1:
                constants[slot] = -constants[slot]
        trial = swapped.with_constants(constants)
        if (error := _relative_error(trial, few, wanted)) < lowest:
            best, lowest = trial, error
    return None if best is None else canonical(best, FLOAT32)


def _relative_error(program: Program, points: Float32Array, wanted: FloatArray) -> float:
    with np.errstate(all="ignore"):
        values = _run(program, points, {})[program.output].astype(np.float64)
        return float((np.abs(values - wanted) / np.maximum(np.abs(wanted), 1e-30)).max())


def _mirrored_bits(
    program: Program, exact: Callable[[FloatArray], FloatArray], points: Float32Array, place: int
) -> Program | None:
    """The same for a difference of bits: undone by other integer sums, a constant a binade away, a sign."""
    few = points[np.linspace(0, points.size - 1, N_SIGNED).astype(np.int64)]
    wanted = exact(few.astype(np.float64))
    instructions = list(program.instructions)
    swapped = Instruction(_SUB_BITS, instructions[place].arguments[::-1])
    instructions[place] = swapped
    others = [i for i in live(program) if i != place and instructions[i].function in {_ADD_BITS, _SUB_BITS}]
    sums = [replace(program, instructions=tuple(instructions))]
    for i in others:
        for function in (_ADD_BITS, _SUB_BITS):
            changed = list(instructions)
            changed[i] = Instruction(function, instructions[i].arguments)
            sums.append(replace(program, instructions=tuple(changed)))
    patterns = {-1 - a for a in swapped.arguments if a < 0}
    best, lowest = None, MIRRORED_ERROR
    for form in sums:
        for constants in _nearby(program.constants, patterns):
            trial = form.with_constants(constants)
            if (error := _relative_error(trial, few, wanted)) < lowest:
                best, lowest = trial, error
    return None if best is None else canonical(best, FLOAT32)


def _nearby(constants: tuple[float, ...], patterns: set[int]) -> list[tuple[float, ...]]:
    """The constants with `patterns` a binade up, down or as they are, and the sign of none or one other changed."""
    found = []
    for factor in (1.0, 2.0, 0.5):
        moved = [value * factor if slot in patterns else value for slot, value in enumerate(constants)]
        found.append(tuple(moved))
        for slot in range(len(moved)):
            found.append((*moved[:slot], -moved[slot], *moved[slot + 1 :]))
    return found

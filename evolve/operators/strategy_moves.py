"""Typed changes of strategies: parameters, steps, rounds of move, solve and choose, loops; and crossing two."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evolve.operators.strategy_text import Call, Loop, Statement, Steps, calls_of, is_sound
from sandbox.toolbox.base import CHOOSE, MOVE, SOLVE, START, Real, Step, Whole

MAX_CALLS = 60
MAX_LOOP = 1000
NAMES = ("x", "y", "z")
FRESH_CHANCE = 0.15
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement may stand: the path of its list of statements, and the position in it."""

    path: Path
    position: int


def varied(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """The strategy after one change, or None where the chosen change does not apply."""
    changes, weights = zip(*CHANGES, strict=True)
    change = changes[int(rng.choice(len(changes), p=np.array(weights) / sum(weights)))]
    return _checked(change(statements, steps, rng))


def crossed(
    mine: tuple[Statement, ...], theirs: tuple[Statement, ...], rng: np.random.Generator
) -> tuple[Statement, ...] | None:
    """One strategy with a run of another's statements in place of one of its own, or beside it."""
    lists = [body for _, body in bodies_of(theirs) if body]
    donor = lists[int(rng.integers(len(lists)))]
    start = int(rng.integers(len(donor)))
    piece = donor[start : start + int(rng.integers(1, 4))]
    place = _any_place(mine, rng)
    return _checked(_spliced(mine, place, piece, removed=int(rng.integers(0, 2))))


def bodies_of(statements: tuple[Statement, ...], path: Path = ()) -> list[tuple[Path, tuple[Statement, ...]]]:
    """All lists of statements with their paths, from the outside in."""
    found = [(path, statements)]
    for index, each in enumerate(statements):
        if isinstance(each, Loop):
            found += bodies_of(each.body, (*path, index))
    return found


def default_call(step: Step, target: str, things: Sequence[str], rng: np.random.Generator) -> Call:
    """A step with parameters near their defaults."""
    values = tuple((name, nudged(span.default, span, rng)) for name, span in step.parameters)
    return Call(target, step.name, tuple(things), values)


def nudged(value: float, span: Whole | Real, rng: np.random.Generator) -> float:
    """Another value of a parameter: mostly a factor away, now and then anywhere in the range."""
    if span.low > 0:
        low, high = math.log(span.low), math.log(span.high)
        anywhere = rng.uniform(low, high)
        near = math.log(max(value, span.low)) + rng.normal(0.0, 0.5)
        moved = math.exp(min(max(anywhere if rng.random() < FRESH_CHANCE else near, low), high))
    else:
        near = value + rng.normal(0.0, 0.1 * (span.high - span.low))
        moved = min(max(near, span.low), span.high) if rng.random() > FRESH_CHANCE else float(span.low)
    if isinstance(span, Whole):
        return min(max(round(moved), span.low), span.high)
    return float(f"{moved:.4g}")


def _checked(statements: tuple[Statement, ...] | None) -> tuple[Statement, ...] | None:
    if not statements or not is_sound(statements) or len(list(calls_of(statements))) > MAX_CALLS:
        return None
    return None if any(not body for _, body in bodies_of(statements)) else statements


def _tune(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """Another value for one parameter of a step, or for the number of rounds of a loop."""
    places = [
        (place, each)
        for place, each in _all(statements)
        if (each.count is not None if isinstance(each, Loop) else each.values)
    ]
    if not places:
        return None
    place, old = places[int(rng.integers(len(places)))]
    if isinstance(old, Loop):
        assert old.count is not None
        return _spliced(statements, place, [replace(old, count=int(nudged(old.count, Whole(1, MAX_LOOP, 1), rng)))])
    spans = dict(steps[old.step].parameters)
    chosen = int(rng.integers(len(old.values)))
    values = tuple(
        (name, nudged(value, spans[name], rng) if index == chosen else value)
        for index, (name, value) in enumerate(old.values)
    )
    return _spliced(statements, place, [replace(old, values=values)])


def _insert(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """A step anywhere."""
    place = _any_place(statements, rng)
    step = _any_step(steps, rng)
    things = [_any_name(statements, rng) for _ in range(step.n_things)]
    call = default_call(step, _any_name(statements, rng), things, rng)
    return _spliced(statements, place, [call], removed=0)


def _insert_round(
    statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator
) -> tuple[Statement, ...] | None:
    """A move, a solver and a choice, in a loop or alone: one round of basin hopping."""
    by_kind = {kind: [each for each in steps.values() if each.kind == kind] for kind in (MOVE, SOLVE, CHOOSE)}
    pairs = [each for each in by_kind[CHOOSE] if each.n_things == 2]
    if not (by_kind[MOVE] and by_kind[SOLVE] and pairs):
        return None
    kept = _any_name(statements, rng)
    trial = "y" if kept != "y" else "z"
    move, solve, choose = (
        options[int(rng.integers(len(options)))] for options in (by_kind[MOVE], by_kind[SOLVE], pairs)
    )
    piece: list[Statement] = [
        default_call(move, trial, [kept], rng),
        default_call(solve, trial, [trial], rng),
        default_call(choose, kept, [kept, trial], rng),
    ]
    if rng.random() < 0.5:
        piece = [Loop(int(rng.integers(2, 40)), tuple(piece))]
    return _spliced(statements, _any_place(statements, rng), piece, removed=0)


def _remove(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """Without one statement; a loop is often replaced by its body."""
    del steps
    place, old = _pick(statements, rng)
    kept = old.body if isinstance(old, Loop) and rng.random() < 0.7 else ()
    return _spliced(statements, place, kept)


def _replace(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """Another step that takes as many objects, of the same kind more often than not."""
    place, old = _pick(statements, rng)
    if isinstance(old, Loop):
        return None
    mine = steps[old.step]
    same = rng.random() < 0.7
    options = [
        each
        for each in steps.values()
        if each.n_things == mine.n_things and each.name != old.step and (each.kind == mine.kind or not same)
    ]
    if not options:
        return None
    return _spliced(
        statements, place, [default_call(options[int(rng.integers(len(options)))], old.target, old.things, rng)]
    )


def _rename(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """One name of a step, another one of those in use."""
    del steps
    place, old = _pick(statements, rng)
    if isinstance(old, Loop):
        return None
    names = [old.target, *old.things]
    names[int(rng.integers(len(names)))] = _any_name(statements, rng)
    return _spliced(statements, place, [replace(old, target=names[0], things=tuple(names[1:]))])


def _repeat(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """Some neighbours in a loop."""
    del steps
    path, body = _any_body(statements, rng)
    start = int(rng.integers(len(body)))
    length = int(rng.integers(1, 5))
    loop = Loop(int(rng.integers(2, 40)), tuple(body[start : start + length]))
    return _spliced(statements, Place(path, start), [loop], removed=length)


def _swap(statements: tuple[Statement, ...], steps: Steps, rng: np.random.Generator) -> tuple[Statement, ...] | None:
    """Two neighbours in the other order."""
    del steps
    path, body = _any_body(statements, rng)
    if len(body) < 2:
        return None
    start = int(rng.integers(len(body) - 1))
    return _spliced(statements, Place(path, start), [body[start + 1], body[start]], removed=2)


Change = Callable[[tuple[Statement, ...], Steps, np.random.Generator], "tuple[Statement, ...] | None"]
CHANGES: tuple[tuple[Change, float], ...] = (
    (_tune, 5.0),
    (_replace, 1.5),
    (_insert, 1.0),
    (_insert_round, 1.5),
    (_remove, 1.0),
    (_repeat, 0.5),
    (_swap, 0.5),
    (_rename, 0.5),
)


def _all(statements: tuple[Statement, ...]) -> list[tuple[Place, Statement]]:
    return [(Place(path, index), each) for path, body in bodies_of(statements) for index, each in enumerate(body)]


def _pick(statements: tuple[Statement, ...], rng: np.random.Generator) -> tuple[Place, Statement]:
    found = _all(statements)
    return found[int(rng.integers(len(found)))]


def _any_body(statements: tuple[Statement, ...], rng: np.random.Generator) -> tuple[Path, tuple[Statement, ...]]:
    found = bodies_of(statements)
    return found[int(rng.integers(len(found)))]


def _any_place(statements: tuple[Statement, ...], rng: np.random.Generator) -> Place:
    path, body = _any_body(statements, rng)
    return Place(path, int(rng.integers(len(body) + 1)))


def _any_step(steps: Steps, rng: np.random.Generator) -> Step:
    kinds = (START, MOVE, SOLVE, SOLVE, CHOOSE)
    kind = kinds[int(rng.integers(len(kinds)))]
    options = [each for each in steps.values() if each.kind == kind] or list(steps.values())
    return options[int(rng.integers(len(options)))]


def _any_name(statements: tuple[Statement, ...], rng: np.random.Generator) -> str:
    used = sorted({call.target for call in calls_of(statements)})
    if not used or rng.random() < FRESH_CHANCE:
        return NAMES[int(rng.integers(len(NAMES)))]
    return used[int(rng.integers(len(used)))]


def _spliced(
    statements: tuple[Statement, ...], place: Place, piece: Sequence[Statement], *, removed: int = 1
) -> tuple[Statement, ...]:
    if place.path:
        first, rest = place.path[0], place.path[1:]
        loop = statements[first]
        assert isinstance(loop, Loop)
        inner = replace(loop, body=_spliced(loop.body, Place(rest, place.position), piece, removed=removed))
        return (*statements[:first], inner, *statements[first + 1 :])
    return (*statements[: place.position], *piece, *statements[place.position + removed :])

"""Single typed edits of an update rule's graph; each changes the graph in place and says whether it did."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from evolve.rules.draw import Draw
from evolve.rules.graph import Call, Operand, calls_of, reads
from evolve.rules.language import is_real
from evolve.rules.literals import STEP_NUMBER, drawn, is_memory, varied

Edit = Callable[[Call, Draw, np.random.Generator], bool]
Place = tuple[Call, int]
Item = TypeVar("Item")


def places(root: Call, draw: Draw) -> list[Place]:
    """Every argument that may be changed: not the slots that are handed through, nor what must be the step's number."""
    names, state = draw.language.names, draw.language.state
    found: list[Place] = []
    for call in calls_of(root):
        for k, operand in enumerate(call.arguments):
            handed_through = call is root and k > 0 and operand == state[k - 1]
            if not handed_through and (names[call.function], k) not in STEP_NUMBER:
                found.append((call, k))
    return found


def type_at(place: Place, draw: Draw) -> str:
    """The type of what a place reads."""
    call, k = place
    return draw.language.functions[call.function].argument_types[k]


def type_of(operand: Operand, draw: Draw) -> str:
    """The type of an operand's value."""
    if isinstance(operand, Call):
        return draw.language.functions[operand.function].result_type
    return draw.language.input_types[operand] if isinstance(operand, int) else "real"


def one(items: Sequence[Item], rng: np.random.Generator) -> Item:
    """One of them, each as likely."""
    return items[int(rng.integers(len(items)))]


def literals(root: Call) -> list[Place]:
    """Every argument that is a literal."""
    return [(c, k) for c in calls_of(root) for k, a in enumerate(c.arguments) if isinstance(a, float)]


def vary_literal(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Change one literal."""
    found = literals(root)
    if not found:
        return False
    _vary(one(found, rng), draw, rng, 1.0)
    return True


def vary_literals(root: Call, draw: Draw, rng: np.random.Generator, *, spread: float) -> bool:
    """Change one literal, two or all of them by like amounts."""
    found = literals(root)
    if not found:
        return False
    n_changed = (1, 2, len(found))[int(rng.integers(3))]
    for place in rng.permutation(len(found))[:n_changed]:
        _vary(found[int(place)], draw, rng, spread)
    return True


def _vary(place: Place, draw: Draw, rng: np.random.Generator, spread: float) -> None:
    """Another literal nearby, or now and then any."""
    call, k = place
    value = call.arguments[k]
    assert isinstance(value, float)
    word = draw.language.names[call.function]
    call.arguments[k] = drawn(word, k, rng) if rng.random() < 0.15 else varied(value, word, k, rng, spread=spread)


def replace_operand(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Let one argument read something else."""
    call, k = one(places(root, draw), rng)
    operand = draw.argument(root, call, (call.function, k), rng)
    if operand is None or operand is call.arguments[k]:
        return False
    call.arguments[k] = operand
    return True


def insert_call(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Put a new call between an argument and what it read."""
    place = one(places(root, draw), rng)
    call, k = place
    type_ = type_at(place, draw)
    old = call.arguments[k]
    position = draw.word(type_, rng)
    if position is None or (is_real(type_) and isinstance(old, float) and rng.random() < 0.9):
        return False
    function = draw.language.functions[position]
    fitting = [j for j, wanted in enumerate(function.argument_types) if wanted == type_of(old, draw)]
    if not fitting:
        return False
    kept = one(fitting, rng)
    new = Call(position, [])
    for j in range(len(function.argument_types)):
        operand = old if j == kept else draw.argument(root, call, (position, j), rng)
        if operand is None:
            return False
        new.arguments.append(operand)
    call.arguments[k] = new
    return True


def bypass_call(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Let an argument read what the call it read was reading."""
    through = []
    for call, k in places(root, draw):
        inner = call.arguments[k]
        if isinstance(inner, Call):
            wanted = type_of(inner, draw)
            through += [(call, k, a) for a in inner.arguments if type_of(a, draw) == wanted]
    if not through:
        return False
    call, k, operand = one(through, rng)
    call.arguments[k] = operand
    return True


def change_word(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Call another word of the same types."""
    able = [call for call in calls_of(root) if call is not root and draw.language.alike[call.function]]
    if not able:
        return False
    call = one(able, rng)
    call.function = one(list(draw.language.alike[call.function]), rng)
    names = draw.language.names
    for k, operand in enumerate(call.arguments):
        if isinstance(operand, float) and is_memory(names[call.function], k) and not 0.0 < operand < 1.0:
            call.arguments[k] = drawn(names[call.function], k, rng)
    return True


def swap_arguments(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Exchange two arguments of one type."""
    pairs = []
    for call in calls_of(root):
        types = draw.language.functions[call.function].argument_types
        for k in range(1, len(types)):
            if call is not root and types[k] == types[k - 1] and call.arguments[k] != call.arguments[k - 1]:
                pairs.append((call, k))
    if not pairs:
        return False
    call, k = one(pairs, rng)
    call.arguments[k - 1], call.arguments[k] = call.arguments[k], call.arguments[k - 1]
    return True


def add_memory(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Remember what an argument reads in a free slot, as a running mean or as it was one step before."""
    language = draw.language
    free = {k for k, register in enumerate(language.state) if root.arguments[1 + k] == register}
    able = [
        (call, k, slots)
        for call, k in places(root, draw)
        if (slots := [s for s in language.free_slots.get(type_at((call, k), draw), ()) if s in free])
    ]
    if not able:
        return False
    call, k, slots = one(able, rng)
    old = call.arguments[k]
    register = language.state[slots[0]]
    type_ = type_at((call, k), draw)
    means = [p for p in language.positions.get("ema", ()) if language.functions[p].result_type == type_]
    if means and rng.random() < 0.8:
        mean = Call(means[0], [register, old, drawn("ema", 2, rng)])
        root.arguments[1 + slots[0]] = mean
        call.arguments[k] = mean if rng.random() < 0.8 else register
    else:
        root.arguments[1 + slots[0]] = old
        call.arguments[k] = register
    return not (call is root and k == 1 + slots[0])


def shift_memory(root: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Read a slot's new value where its old one was read, or the other way round."""
    slot_of = {register: k for k, register in enumerate(draw.language.state)}
    new_values = {id(a): k for k, a in enumerate(root.arguments[1:]) if isinstance(a, Call)}
    able: list[tuple[Call, int, Operand]] = []
    for call, k in places(root, draw):
        operand = call.arguments[k]
        if isinstance(operand, int) and operand in slot_of:
            new = root.arguments[1 + slot_of[operand]]
            if new != operand and not reads(new, call):
                able.append((call, k, new))
        elif id(operand) in new_values and call is not root:
            able.append((call, k, draw.language.state[new_values[id(operand)]]))
    if not able:
        return False
    call, k, operand = one(able, rng)
    call.arguments[k] = operand
    return True

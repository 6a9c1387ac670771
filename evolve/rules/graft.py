"""A piece of another rule put into a rule, with the memory it needs."""

import numpy as np

from evolve.rules.draw import Draw
from evolve.rules.edits import places, type_of
from evolve.rules.graph import Call, Operand, calls_of


def graft(root: Call, donor: Call, draw: Draw, rng: np.random.Generator) -> bool:
    """Let one argument read a copy of one of the donor's calls.

    The donor's slots become free slots of the same type; a donor's slot finds the rule's own where both have the same
    name and the rule's is in use with half the chance, so that pieces may share memory.
    """
    pieces = [call for call in calls_of(donor) if call is not donor]
    targets = places(root, draw)
    rng.shuffle(targets)
    for call, k in targets:
        wanted = draw.language.functions[call.function].argument_types[k]
        fitting = [piece for piece in pieces if type_of(piece, draw) == wanted]
        if fitting:
            piece = fitting[int(rng.integers(len(fitting)))]
            return _planted(root, (call, k), (donor, piece), draw, rng)
    return False


def _planted(
    root: Call, place: tuple[Call, int], source: tuple[Call, Call], draw: Draw, rng: np.random.Generator
) -> bool:
    donor, piece = source
    state = draw.language.state
    slot_of = {register: k for k, register in enumerate(state)}
    wanted = _slots_of(donor, piece, slot_of)
    share = bool(rng.random() < 0.5)
    home = _homes(root, wanted, draw, share=share)
    if home is None:
        return False
    copy_of: dict[Call, Call] = {}

    def copy(operand: Operand) -> Operand:
        if isinstance(operand, int):
            return state[home[slot_of[operand]]] if operand in slot_of else operand
        if not isinstance(operand, Call):
            return operand
        if operand not in copy_of:
            copy_of[operand] = Call(operand.function, [])
            copy_of[operand].arguments = [copy(a) for a in operand.arguments]
        return copy_of[operand]

    for slot in sorted(wanted):
        if root.arguments[1 + home[slot]] == state[home[slot]]:
            root.arguments[1 + home[slot]] = copy(donor.arguments[1 + slot])
    call, k = place
    call.arguments[k] = copy(piece)
    return True


def _slots_of(donor: Call, piece: Call, slot_of: dict[int, int]) -> set[int]:
    """The donor's slots that a piece needs, now or in a later step."""
    needed: set[int] = set()
    pending: list[Operand] = [piece]
    seen: set[Call] = set()
    while pending:
        operand = pending.pop()
        if isinstance(operand, Call) and operand not in seen:
            seen.add(operand)
            pending.extend(operand.arguments)
        elif isinstance(operand, int) and operand in slot_of and slot_of[operand] not in needed:
            needed.add(slot_of[operand])
            pending.append(donor.arguments[1 + slot_of[operand]])
    return needed


def _homes(root: Call, wanted: set[int], draw: Draw, *, share: bool) -> dict[int, int] | None:
    """For every slot of the donor one of the rule's; None when there are too few free ones."""
    language = draw.language
    free = [k for k, register in enumerate(language.state) if root.arguments[1 + k] == register]
    home: dict[int, int] = {}
    for slot in sorted(wanted):
        type_ = language.input_types[language.state[slot]]
        if share and slot not in free:
            home[slot] = slot
            continue
        fitting = [k for k in free if language.input_types[language.state[k]] == type_]
        if not fitting:
            return None
        home[slot] = slot if slot in fitting else fitting[0]
        free.remove(home[slot])
    return home

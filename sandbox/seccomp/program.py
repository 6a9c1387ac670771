"""From verdicts to a program for the kernel's packet-filter machine.

The program looks for the call's number by halving, so that every call costs about eight comparisons. Jumps only go
forward and blocks are put together from the back, so each block knows how far its ends are.
"""

import os
import struct
from collections.abc import Mapping
from itertools import chain

from sandbox.seccomp.policy import ABSENT, ALLOW, INT, KILL, REFUSE, Check, Profile, Verdict, verdicts
from sandbox.seccomp.syscalls import AUDIT_ARCHITECTURES, NUMBERS

_LOAD, _CUT, _RETURN = 0x20, 0x54, 0x06
_JUMP, _IF_EQUAL, _IF_AT_LEAST = 0x05, 0x15, 0x35
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they lie in what the kernel shows
_FARTHEST = 255
_OTHER_TABLES = 0x4000_0000  # x86's third set of numbers, with 32-bit pointers, begins here

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant
_Block = list[_Instruction]
_Range = tuple[int, Verdict]  # first number, what to answer from there on


def build_filter(profile: Profile, *, machine: str = os.uname().machine, may_write: bool = False) -> bytes:
    """The program for a profile, to be handed to `install` any number of times.

    `may_write` says that there is a folder to write in: files may be made, renamed, removed and resized. `NOOPEN` has
    no use for it.

    Raises:
        ValueError: the numbers of this machine's calls are not known.
    """
    if machine not in NUMBERS:
        raise ValueError(f"no system-call numbers for {machine!r}: known are {', '.join(NUMBERS)}")
    search = _search(_ranges(NUMBERS[machine], verdicts(profile, may_write=may_write)))
    program: _Block = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, AUDIT_ARCHITECTURES[machine]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
        *search,
    ]
    return struct.pack("<" + "HBBI" * len(program), *chain.from_iterable(program))


def _ranges(numbers: Mapping[str, int], decided: Mapping[str, Verdict]) -> list[_Range]:
    """Neighbouring numbers with one answer become one range; numbers newer than the table are absent."""
    answers = {number: decided.get(name, REFUSE) for name, number in numbers.items()}
    ranges: list[_Range] = []
    end = max(answers) + 1
    for number in range(end):
        answer = answers.get(number, REFUSE)
        if not ranges or ranges[-1][1] != answer:
            ranges.append((number, answer))
    return [*ranges, (end, ABSENT), (_OTHER_TABLES, KILL)]


def _search(ranges: list[_Range]) -> _Block:
    if len(ranges) == 1:
        verdict = ranges[0][1]
        return [(_RETURN, 0, 0, verdict)] if isinstance(verdict, int) else _check_all(verdict)
    half = len(ranges) // 2
    first = ranges[half][0]
    lower, upper = _search(ranges[:half]), _search(ranges[half:])
    if len(lower) <= _FARTHEST:
        return [(_IF_AT_LEAST, len(lower), 0, first), *lower, *upper]
    return [(_IF_AT_LEAST, 0, 1, first), (_JUMP, 0, 0, len(lower)), *lower, *upper]


def _check_all(checks: tuple[Check, ...]) -> _Block:
    block: _Block = [(_RETURN, 0, 0, ALLOW), (_RETURN, 0, 0, REFUSE)]
    for check in reversed(checks):
        low = _compare(check.argument, [value & INT for value in check.values], check.mask & INT, half=0, rest=block)
        highs = {value >> 32 for value in check.values}
        assert len(highs) == 1, "values that differ in their upper half need a comparison of their own"
        block = _compare(check.argument, list(highs), check.mask >> 32, half=1, rest=low)
    return block


def _compare(argument: int, values: list[int], mask: int, *, half: int, rest: _Block) -> _Block:
    """Go on with `rest` if half an argument is one of the values, else to its last instruction, which refuses."""
    if mask == 0:
        return rest
    block = [(_IF_EQUAL, 0, len(rest) - 1, values[-1]), *rest]
    for n_after, value in enumerate(reversed(values[:-1]), 1):
        block = [(_IF_EQUAL, n_after, 0, value), *block]
    if mask != INT:
        block = [(_CUT, 0, 0, mask), *block]
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4 * half), *block]

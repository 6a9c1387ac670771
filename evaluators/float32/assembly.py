"""Reading a compiler's assembly: the instructions of a kernel's main loop."""

import re
from dataclasses import dataclass

from evaluators.errors import EvaluatorError

_LABEL = re.compile(r"^(\.L\w+):")
_JUMP = re.compile(r"^\s+j\w+\s+(\.L\w+)\s*$")
_STORE = re.compile(r"^\s+v?mov[a-z0-9]+\s+%(?P<kind>[xyz])mm\d+, .*\(")
_INSTRUCTION = re.compile(r"^\s+[a-z]")
_LANES = {"x": 4, "y": 8, "z": 16}


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that stores results: `instructions` for each store of `lanes` results, and its text."""

    instructions: float
    lanes: int
    text: str


def main_loop(assembly: str, function: str) -> Loop:
    """The widest loop of a function in GNU x86 assembly: where it spends its time.

    Raises:
        EvaluatorError: no loop that stores floats was recognised.
    """
    lines = _body(assembly, function)
    begins = {match[1]: number for number, line in enumerate(lines) if (match := _LABEL.match(line))}
    loops = []
    for number, line in enumerate(lines):
        jump = _JUMP.match(line)
        if jump is not None and begins.get(jump[1], number) < number:
            loops.append(_loop(lines[begins[jump[1]] : number + 1]))
    found = [loop for loop in loops if loop is not None]
    if not found:
        raise EvaluatorError(
            "the compiler's assembly has no loop that could be read: the float32 family counts the instructions of "
            "x86-64 processors only"
        )
    return max(found, key=lambda loop: loop.lanes)


def _body(assembly: str, function: str) -> list[str]:
    lines = assembly.splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith(f"{function}:")), len(lines))
    end = next((k for k in range(start, len(lines)) if lines[k].lstrip().startswith(".size")), len(lines))
    return lines[start:end]


def _loop(lines: list[str]) -> Loop | None:
    instructions = [line for line in lines if _INSTRUCTION.match(line)]
    stores = [match for line in instructions if (match := _STORE.match(line))]
    if not stores:
        return None
    scalar = any(line.split()[0].endswith("ss") for line in instructions if _STORE.match(line))
    lanes = 1 if scalar else _LANES[stores[0]["kind"]]
    return Loop(len(instructions) / len(stores), lanes, "\n".join(" ".join(line.split()) for line in instructions))

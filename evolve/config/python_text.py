"""How the engine reads a Python candidate's text: its syntax tree and its evolve blocks.

Only the lines between `# EVOLVE-BLOCK-START` and `# EVOLVE-BLOCK-END` may change; everything else, the marker lines
included, stays byte for byte what the seed program says.
"""

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sandbox.errors import CandidateSyntaxError

START_MARKER = "# EVOLVE-BLOCK-START"
END_MARKER = "# EVOLVE-BLOCK-END"

Read = TypeVar("Read")

_MARKER = re.compile(r"^[ \t]*#[ \t]*EVOLVE-BLOCK-(START|END)\b[^\n]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One evolve block: `start` and `end` are positions in the text, of what stands between the marker lines."""

    start: int
    end: int


def parse_python(text: str) -> ast.Module:
    """The text's syntax tree, whatever the text is.

    Raises:
        CandidateSyntaxError: it does not parse, or is nested too deeply to be parsed.
    """
    return _quietly(text, lambda: ast.parse(text))


def require_compiles(text: str) -> None:
    """Refuse text that parses but does not compile, such as a `return` outside of a function; nothing is run.

    Raises:
        CandidateSyntaxError: it does not compile.
    """
    _quietly(text, lambda: compile(text, "candidate", "exec", dont_inherit=True))


def _quietly(text: str, read: Callable[[], Read]) -> Read:
    """What `read` gives, without Python's warnings, and with every way it can fail turned into a syntax error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except SyntaxError as error:
        raise CandidateSyntaxError(f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        reason = str(error) or type(error).__name__
        raise CandidateSyntaxError(f"the text of {len(text)} characters cannot be parsed: {reason}") from error


def blocks_of(text: str) -> tuple[Block, ...]:
    """The evolve blocks of one file, in order; none if it has no markers.

    Raises:
        CandidateSyntaxError: a block is opened twice, closed without being opened, or never closed.
    """
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    for marker in _MARKER.finditer(text):
        line = text.count("\n", 0, marker.start()) + 1
        if marker[1] == "START":
            if opened is not None:
                raise CandidateSyntaxError(
                    f"line {line}: an evolve block opens inside another; blocks cannot be nested"
                )
            opened = marker
        elif opened is None:
            raise CandidateSyntaxError(f"line {line}: {END_MARKER} without {START_MARKER} before it")
        else:
            blocks.append(Block(opened.end(), marker.start()))
            opened = None
    if opened is not None:
        line = text.count("\n", 0, opened.start()) + 1
        raise CandidateSyntaxError(f"line {line}: this evolve block is never closed by {END_MARKER}")
    return tuple(blocks)

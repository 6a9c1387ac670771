"""SEARCH/REPLACE blocks in a model's reply: how they are written and read. `diff_apply` puts them into files.

    seed.py
    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE

Where a program has one file, its name may be left out. Text around the blocks, fences included, is passed over.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from evolve.operators.writing.reply_error import ReplyError

MAX_EDITS = 200
NAME_LINES = 3

_SEARCH = re.compile(r"\s*<{5,9}\s*SEARCH\s*")
_DIVIDER = re.compile(r"\s*={7}\s*")
_REPLACE = re.compile(r"\s*>{5,9}\s*REPLACE\s*")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})(.*)")
_BARE_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\w*\s*")
_FILE_WORD = re.compile(r"\bfile=(\S+)")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.[A-Za-z]\w*")
_FILE_PREFIX = re.compile(r"^file(?:[ \t]*name)?(?:[ \t]*:|[ \t])", re.IGNORECASE)
_DECORATION = "#*`>-: \t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One block: whole lines without their ends. `file` is empty where no name stood before the block."""

    search: tuple[str, ...]
    replace: tuple[str, ...]
    file: str = ""


def holds_diff(reply: str) -> bool:
    """Whether the reply has a line that opens a block."""
    return any(_SEARCH.fullmatch(line) for line in _lines(reply))


def parse_diff(reply: str, names: Sequence[str]) -> tuple[Edit, ...]:
    """The blocks of a reply, in order; at least one. `names` are the files of the program.

    Raises:
        ReplyError: there is none, or one is not complete.
    """
    reader = _Reader(names=names)
    for line in _lines(reply):
        reader.read(line)
    edits = reader.finished()
    if len(edits) > MAX_EDITS:
        raise ReplyError(f"the reply has {len(edits)} SEARCH/REPLACE blocks, at most {MAX_EDITS} are read")
    return edits


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads line by line; `search` and `replace` are None while no block, or not its second half, is open."""

    names: Sequence[str]
    before: list[str] = field(default_factory=list)
    search: list[str] | None = None
    replace: list[str] | None = None
    edits: list[Edit] = field(default_factory=list)

    def read(self, line: str) -> None:
        opens, divides, closes = (bool(mark.fullmatch(line)) for mark in (_SEARCH, _DIVIDER, _REPLACE))
        if self.search is None:
            if opens:
                self.search = []
            elif closes:
                raise ReplyError("a line >>>>>>> REPLACE stands without <<<<<<< SEARCH before it")
            else:
                self.before.append(line)
        elif opens or (closes and self.replace is None) or (divides and self.replace is not None):
            raise ReplyError(
                f"{self._block()} is out of order at the line {line.strip()!r}: a block is <<<<<<< SEARCH, the old "
                "lines, one line =======, the new lines, >>>>>>> REPLACE"
            )
        elif divides:
            self.replace = []
        elif closes:
            self._close()
        else:
            (self.search if self.replace is None else self.replace).append(line)

    def _close(self) -> None:
        name = _name_before(self.before, self.names)
        assert self.search is not None
        assert self.replace is not None
        search, replace = _unfenced(self.search, self.replace)
        if not any(line.strip() for line in search):
            raise ReplyError(
                f"{self._block()} has an empty SEARCH part: copy the lines that it changes, or lines beside"
            )
        self.edits.append(Edit(search=tuple(search), replace=tuple(replace), file=name))
        self.before, self.search, self.replace = [], None, None

    def _block(self) -> str:
        return f"SEARCH/REPLACE block {len(self.edits) + 1}"

    def finished(self) -> tuple[Edit, ...]:
        if self.search is not None:
            raise ReplyError(f"{self._block()} is never closed by >>>>>>> REPLACE: send it whole")
        if not self.edits:
            raise ReplyError("the reply has no SEARCH/REPLACE block: send the change as such blocks")
        return tuple(self.edits)


def _name_before(lines: Sequence[str], names: Sequence[str]) -> str:
    """The file named in the last lines before a block: a known one, or whatever looks like a path."""
    written = [line for line in lines if line.strip()][-NAME_LINES:]
    for line in reversed(written):
        fence = _FENCE.fullmatch(line)
        word = _FILE_WORD.search(fence[1]) if fence else None
        name = word[1] if word else named(line)
        if name in names:
            return name
    last = named(written[-1]) if written else ""
    return last if _PATH.fullmatch(last) else ""


def named(line: str) -> str:
    """A line without what models put around the name of a file: `### File: **seed.py**` is seed.py."""
    return _FILE_PREFIX.sub("", line.strip(_DECORATION), count=1).strip(_DECORATION)


def _unfenced(search: list[str], replace: list[str]) -> tuple[list[str], list[str]]:
    """The parts without fences, where each stands in one; lines that both share around could be left out anyway."""
    if all(
        len(part) >= 2 and _BARE_FENCE.fullmatch(part[0]) and _BARE_FENCE.fullmatch(part[-1])
        for part in (search, replace)
    ):
        return search[1:-1], replace[1:-1]
    return search, replace

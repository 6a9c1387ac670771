"""Puts SEARCH/REPLACE blocks into the files of a program: all of them or none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evolve.config.python_text import Block
from evolve.operators.writing.diff import Edit
from evolve.operators.writing.prompt_text import fenced, one_line
from evolve.operators.writing.reply_error import ReplyError

N_SHOWN = 12
MAX_SHOWN = 1500
MAX_MISTAKES = 8
N_COMPARED = 2000
MAX_COMPARED = 200
LEAST_LIKENESS = 0.5

Open = Mapping[str, Sequence[Block]]


@dataclass(frozen=True, slots=True)
class _Text:
    """A file as lines without their ends, and the lines that may change, as half-open ranges."""

    name: str
    lines: list[str]
    ranges: list[tuple[int, int]]
    line_end: str
    ends_with_line_end: bool

    @classmethod
    def read(cls, name: str, text: str, blocks: Sequence[Block]) -> "_Text":
        whole = text if text.endswith("\n") else text + "\n"
        end = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
        ranges = [(text.count("\n", 0, block.start), whole.count("\n", 0, block.end)) for block in blocks]
        if blocks and blocks[-1].end == len(text) < len(whole):
            ranges[-1] = (ranges[-1][0], whole.count("\n"))
        return cls(name, whole.split("\n")[:-1], ranges, end, len(whole) == len(text))

    def is_open(self, start: int, end: int) -> bool:
        return any(low <= start and end <= high for low, high in self.ranges)

    def written(self, lines: Sequence[str]) -> str:
        text = "".join(f"{line}\n" for line in lines)
        return text if self.ends_with_line_end else text.removesuffix("\n")


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines `start` to `end` (exclusive) of a file become `lines`: what SEARCH and REPLACE share around is left out."""

    text: _Text
    start: int
    end: int
    lines: tuple[str, ...]
    number: int

    @property
    def is_open(self) -> bool:
        return self.text.is_open(self.start, self.end)


def apply_diff(edits: Sequence[Edit], files: Mapping[str, str], open_parts: Open) -> dict[str, str]:
    """The files with every block applied.

    `open_parts` are the parts of each file that may change. A SEARCH text must fit exactly one place there, first to
    the letter, then but for white space at the ends of lines. All blocks are matched against the files as given.

    Raises:
        ReplyError: some block fits nowhere, in several places, or outside of the open parts; two overlap; or nothing
            changes. Nothing was applied then.
    """
    texts = {name: _Text.read(name, text, open_parts.get(name, ())) for name, text in files.items()}
    changes: list[_Change] = []
    mistakes: list[str] = []
    for number, edit in enumerate(edits, start=1):
        try:
            changes.append(_placed(edit, number, texts))
        except ReplyError as error:
            mistakes.append(f"Block {number}: {error}")
        if len(mistakes) == MAX_MISTAKES:
            mistakes.append("The blocks behind it were not looked at.")
            break
    if not mistakes:
        mistakes = _overlaps(changes)[:MAX_MISTAKES]
    if mistakes:
        raise ReplyError("No block was applied.\n" + "\n".join(mistakes))
    changed = {name: _changed(text, [each for each in changes if each.text is text]) for name, text in texts.items()}
    if changed == dict(files):
        raise ReplyError("The blocks change nothing: every REPLACE text is the same as its SEARCH text.")
    return changed


def _placed(edit: Edit, number: int, texts: Mapping[str, _Text]) -> _Change:
    if edit.file and edit.file not in texts:
        raise ReplyError(f"there is no file {one_line(edit.file)}: the program's files are {', '.join(texts)}")
    searched = [texts[edit.file]] if edit.file else list(texts.values())
    found: list[_Change] = []
    inside: list[_Change] = []
    for key in (_exactly, _but_for_line_ends):
        found = [change for text in searched for change in _fits(edit, number, text, key)]
        inside = [change for change in found if change.is_open]
        if inside:
            break
    if len(inside) == 1:
        return inside[0]
    if inside:
        places = ", ".join(_place(change, n_files=len(texts)) for change in inside[:N_SHOWN])
        raise ReplyError(
            f"its SEARCH text fits {len(inside)} places, it must fit one (at {places}): "
            "copy more of the lines before or after"
        )
    if found:
        raise ReplyError(
            f"it changes {_place(found[0], n_files=len(texts))}, outside of the evolve blocks: change only what stands "
            "between the lines # EVOLVE-BLOCK-START and # EVOLVE-BLOCK-END"
        )
    raise ReplyError(f"its SEARCH text fits 0 places: copy the lines letter by letter.{_nearest(edit, searched)}")


def _exactly(line: str) -> str:
    return line


def _but_for_line_ends(line: str) -> str:
    return line.rstrip()


def _fits(edit: Edit, number: int, text: _Text, key: Callable[[str], str]) -> list[_Change]:
    have, wanted, new = ([key(line) for line in lines] for lines in (text.lines, edit.search, edit.replace))
    least = min(len(wanted), len(new))
    head = next((i for i in range(least) if wanted[i] != new[i]), least)
    tail = next((i for i in range(least - head) if wanted[-1 - i] != new[-1 - i]), least - head)
    lines = edit.replace[head : len(new) - tail]
    return [_Change(text, at + head, at + len(wanted) - tail, lines, number) for at in _places(have, wanted)]


def _places(lines: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Where the wanted lines begin among the lines; a place may begin inside the one before."""
    text, part = ("\n".join(("", *each, "")) for each in (lines, wanted))
    line, position = 0, 0
    while (found := text.find(part, position)) >= 0:
        line += text.count("\n", position, found)
        yield line
        line, position = line + 1, found + 1


def _place(change: _Change, *, n_files: int) -> str:
    return f"line {change.start + 1}" + (f" of {change.text.name}" if n_files > 1 else "")


def _nearest(edit: Edit, texts: Sequence[_Text]) -> str:
    """The open lines most like the longest line that was searched for, with as many around them as were searched."""
    longest = max(range(len(edit.search)), key=lambda i: len(edit.search[i].strip()))
    sought = _pairs(edit.search[longest])
    for text in texts:
        open_lines = [i for low, high in text.ranges for i in range(low, high)][:N_COMPARED]
        likeness = {line: _likeness(sought, _pairs(text.lines[line])) for line in open_lines}
        line = max(open_lines, key=lambda each: likeness[each], default=0)
        if likeness.get(line, 0.0) >= LEAST_LIKENESS:
            low, high = next(each for each in text.ranges if each[0] <= line < each[1])
            first = max(low, line - min(longest, N_SHOWN // 2))
            last = min(high, max(line + 1, min(first + len(edit.search), first + N_SHOWN)))
            shown = fenced("\n".join(text.lines[first:last]), info="python", limit=MAX_SHOWN)
            return f" The nearest lines of {text.name} are {first + 1} to {last}:\n{shown}"
    return " No line of the evolve blocks is like it."


def _pairs(line: str) -> set[str]:
    """The pairs of letters of a line; a matcher of sequences would take a second for one line among thousands."""
    letters = f" {line.strip()[:MAX_COMPARED]} "
    return {letters[i : i + 2] for i in range(len(letters) - 1)}


def _likeness(one: set[str], other: set[str]) -> float:
    """How many of their pairs two lines share, from 0 to 1 (Dice's coefficient)."""
    return 2 * len(one & other) / (len(one) + len(other))


def _overlaps(changes: Sequence[_Change]) -> list[str]:
    return [
        f"Blocks {one.number} and {other.number} change the same lines of {one.text.name}: make them one block."
        for index, one in enumerate(changes)
        for other in changes[index + 1 :]
        if one.text is other.text and one.start < other.end and other.start < one.end
    ]


def _changed(text: _Text, changes: Sequence[_Change]) -> str:
    lines = list(text.lines)
    end = text.line_end.removesuffix("\n")
    for change in sorted(changes, key=lambda each: (each.start, each.end, each.number), reverse=True):
        lines[change.start : change.end] = [line.removesuffix(end) + end for line in change.lines]
    return text.written(lines)

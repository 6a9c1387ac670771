"""Takes programs out of a model's reply: fenced blocks, which of them is meant, and for which file."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evolve.config.python_text import parse_python
from evolve.operators.writing.diff import named
from evolve.operators.writing.reply_error import ReplyError
from sandbox.errors import CandidateSyntaxError

MAX_REPLY_LENGTH = 400_000
NAME_LINES = 2

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_FILE_WORD = re.compile(r"\bfile=(\S+)")
_WORDS = re.compile(r"[\s:,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedBlock:
    """What stands in one fence. `file` is the file that its first line, or a line close before it, names; or empty."""

    text: str
    file: str = ""


def require_readable(reply: str) -> str:
    """The reply with line feeds as its line ends.

    Raises:
        ReplyError: it is empty, or longer than any program could be.
    """
    if not reply.strip():
        raise ReplyError("the reply is empty")
    if len(reply) > MAX_REPLY_LENGTH:
        raise ReplyError(f"the reply has {len(reply)} characters, at most {MAX_REPLY_LENGTH} are read: send less")
    return reply.replace("\r\n", "\n").replace("\r", "\n")


def fenced_blocks(reply: str, names: Sequence[str]) -> tuple[FencedBlock, ...]:
    """All closed fenced blocks of a reply, in order. `names` are the files of the program.

    A fence is closed by a line of the same sign that is at least as long, as in Markdown, so that code which holds
    fences can stand in a longer one.

    Raises:
        ReplyError: the last fence is never closed, so the reply may have been cut.
    """
    blocks: list[FencedBlock] = []
    before: list[str] = []
    inside: list[str] | None = None
    fence, file = "", ""
    for line in require_readable(reply).split("\n"):
        mark = _FENCE.fullmatch(line.rstrip())
        if inside is not None:
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not mark[2].strip():
                blocks.append(FencedBlock(text="".join(f"{each}\n" for each in inside), file=file))
                inside, before = None, []
            else:
                inside.append(line)
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            inside, fence, file = [], mark[1], _file_of(mark[2], before, names)
        else:
            before.append(line)
    if inside is not None:
        raise ReplyError("the last fenced block of the reply is never closed: send the code whole, in one closed fence")
    return tuple(blocks)


def _file_of(info: str, before: Sequence[str], names: Sequence[str]) -> str:
    """The file named behind the fence, else in the lines before it."""
    word = _FILE_WORD.search(info)
    if word:
        return word[1]
    written = [line for line in before if line.strip()][-NAME_LINES:]
    words = [*_WORDS.split(info), *(named(line) for line in reversed(written))]
    return next((each for each in words if each in names), "")


def program_texts(reply: str, names: Sequence[str]) -> Mapping[str, str]:
    """The new text of every file that the reply has one for; at least one, in order of `names`.

    A reply may quote fragments and end with an example of use, or begin with the old program. So of several blocks
    for one file the last is taken among those at least half as long as the longest. Blocks without a name are for the
    only file; where there are several files they are for the only one that is not named.

    Raises:
        ReplyError: there is no fenced block, it names an unknown file, or nobody could tell for which file it is.
    """
    blocks = [block for block in fenced_blocks(reply, names) if block.text.strip()] or _bare(reply)
    if not blocks:
        raise ReplyError("the reply has no fenced block of code: send the program in one, opened by ```python")
    of_file = {name: [block.text for block in blocks if block.file == name] for name in names}
    unnamed = [block.text for block in blocks if not block.file]
    missing = [name for name in names if not of_file[name]]
    if unnamed and len(missing) == 1:
        of_file[missing[0]] = unnamed
    texts = {name: _meant(candidates) for name, candidates in of_file.items() if candidates}
    if not texts:
        unknown = sorted({block.file for block in blocks if block.file})
        found = f"names {', '.join(unknown)}" if unknown else "does not say for which file its code is"
        raise ReplyError(
            f"the reply {found}: open every block with ```python file=NAME, where NAME is one of {', '.join(names)}"
        )
    return texts


def _bare(reply: str) -> list[FencedBlock]:
    """The whole reply, where it is a program without a fence around it."""
    text = require_readable(reply)
    try:
        tree = parse_python(text)
    except CandidateSyntaxError:
        return []
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    return [FencedBlock(text=text if text.endswith("\n") else text + "\n")] if defines else []


def _meant(texts: Sequence[str]) -> str:
    longest = max(len(text.strip()) for text in texts)
    return [text for text in texts if 2 * len(text.strip()) >= longest][-1]

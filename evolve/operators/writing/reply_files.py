"""From the code in a reply to the files of a child: whole files, or the new bodies of evolve blocks."""

import ast
from collections.abc import Mapping, Sequence

from evolve.config.python_text import Block, blocks_of, parse_python
from evolve.operators.blocks import outside_of
from evolve.operators.writing.reply_error import ReplyError
from sandbox.errors import CandidateSyntaxError


def rewritten(parent: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """The parent's files with new texts in their evolve blocks.

    A text is a whole file, whose lines outside of the blocks must be the parent's but for white space at their ends,
    or the new body of the file's only block, without markers. What is outside is the parent's, byte for byte.

    Raises:
        ReplyError: a text is neither.
    """
    return {name: _with_bodies(name, old, texts[name]) if name in texts else old for name, old in parent.items()}


def _with_bodies(name: str, old: str, new: str) -> str:
    blocks = blocks_of(old)
    if not blocks:
        raise ReplyError(f"{name} has no evolve block, so it must stay as it is: leave it out of the reply")
    bodies = _bodies(name, old, new)
    if len(bodies) != len(blocks):
        raise ReplyError(
            f"the reply has {len(bodies)} evolve blocks for {name}, the file has {len(blocks)}: "
            "send the whole file with all its marker lines"
        )
    return spliced(old, blocks, [_with_line_ends(body, old) for body in bodies])


def spliced(text: str, blocks: Sequence[Block], bodies: Sequence[str]) -> str:
    """The text with other bodies in its blocks."""
    for block, body in reversed(list(zip(blocks, bodies, strict=True))):
        text = text[: block.start] + body + text[block.end :]
    return text


def _bodies(name: str, old: str, new: str) -> list[str]:
    try:
        blocks = blocks_of(new)
    except CandidateSyntaxError as error:
        raise ReplyError(f"the evolve blocks of {name} in the reply are broken: {error.detail}") from error
    if blocks:
        _require_same_outside(name, old, new)
        return [new[block.start : block.end] for block in blocks]
    return [_body_without_markers(name, old, new)]


def _require_same_outside(name: str, old: str, new: str) -> None:
    """Refuse code outside of the blocks that the parent has not; what is only left out there stays as it was."""
    for had, has in zip(outside_of(old), outside_of(new), strict=False):
        known = set(_stripped(had))
        for line in _stripped(has):
            if line not in known and not line.lstrip().startswith("#"):
                raise ReplyError(
                    f"{name} has the line {line.strip()[:200]!r} outside of its evolve blocks, which the parent has "
                    "not: change only what stands between the marker lines, and put new imports and helpers there too"
                )


def _body_without_markers(name: str, old: str, new: str) -> str:
    """The body, where the text is one, or a whole file whose marker lines were left out."""
    head, tail = (_without_markers(piece) for piece in (outside_of(old)[0], outside_of(old)[-1]))
    lines = new.rstrip("\n").split("\n")
    stripped = [line.rstrip() for line in lines]
    if (head or tail) and stripped[: len(head)] == head and stripped[len(stripped) - len(tail) :] == tail:
        return "\n".join(lines[len(head) : len(lines) - len(tail)]).strip("\n") + "\n"
    fixed = _definitions(old, outside_only=True)
    again = sorted(fixed & _definitions(new, outside_only=False))
    if again:
        raise ReplyError(
            f"the code for {name} has no marker lines and defines {', '.join(again)}, which stands outside of the "
            "evolve block: send the whole file with its marker lines, or only the new text of the block"
        )
    return new


def _without_markers(piece: str) -> list[str]:
    """Lines of a fixed piece without the marker lines and without blank lines at its ends."""
    lines = [line for line in _stripped(piece) if "EVOLVE-BLOCK-" not in line]
    return "\n".join(lines).strip("\n").split("\n") if any(lines) else []


def _stripped(piece: str) -> list[str]:
    return [line.rstrip() for line in piece.split("\n")]


def _definitions(text: str, *, outside_only: bool) -> set[str]:
    """Names of the functions and classes that a file defines; none if it does not parse, which is told later."""
    try:
        tree = parse_python(text)
    except CandidateSyntaxError:
        return set()
    open_lines = [
        range(text.count("\n", 0, block.start) + 1, text.count("\n", 0, block.end) + 1) for block in blocks_of(text)
    ]
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not (outside_only and any(node.lineno in lines for lines in open_lines))
    }


def _with_line_ends(body: str, old: str) -> str:
    """The body ended by a line end, in the style of the file."""
    whole = body if body.endswith("\n") or not body else body + "\n"
    return whole.replace("\n", "\r\n") if 2 * old.count("\r\n") > old.count("\n") else whole

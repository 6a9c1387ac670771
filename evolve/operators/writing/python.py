"""Python for language-model operators: diffs or whole files, changed inside evolve blocks only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from evolve.config.python_text import Block, blocks_of, require_compiles
from evolve.operators.blocks import outside_unchanged
from evolve.operators.python_file import MAX_TEXT_LENGTH
from evolve.operators.python_fingerprint import normal_form
from evolve.operators.writing.diff import holds_diff, parse_diff
from evolve.operators.writing.diff_apply import apply_diff
from evolve.operators.writing.prompt_templates import Templates
from evolve.operators.writing.reply import program_texts, require_readable
from evolve.operators.writing.reply_error import ReplyError
from evolve.operators.writing.reply_files import rewritten
from sandbox.errors import CandidateSyntaxError

LONGEST_REWRITE = 12_000

_LEFT_OUT = re.compile(r"^[ \t]*(?:#[ \t]*)?(?:\.\.\.|…)[ \t]*[^\s,)\]}].*$", re.MULTILINE)
"""Three dots and words. An ellipsis in an index or a list is code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonLanguage:
    """Candidates of one or more Python files. `modules` are those that programs have besides the standard library."""

    modules: tuple[str, ...]
    names: tuple[str, ...]

    def rules(self, templates: Templates) -> str:
        """See `Language`."""
        return templates.fill(
            "python",
            {
                "files": " and ".join(f"`{name}`" for name in self.names),
                "modules": ", ".join(["the standard library", *self.modules]),
            },
        )

    def directions(self, templates: Templates) -> tuple[str, ...]:
        """See `Language`."""
        return templates.paragraphs("directions_python")

    def answer(self, templates: Templates, files: Mapping[str, str], *, short: bool) -> str:
        """See `Language`; long programs are never asked for in full."""
        n_characters = sum(len(text) for text in files.values())
        changed_only = short or n_characters > LONGEST_REWRITE
        return templates.fill(
            "answer_diff" if changed_only else "answer_rewrite", {"files": _which_files(files, changed_only)}
        )

    def shown(self, text: str) -> str:
        """The text between the markers: what stands around it is the same in all programs."""
        try:
            return "\n".join(text[block.start : block.end].strip("\n") for block in blocks_of(text))
        except CandidateSyntaxError:
            return text

    def child(self, reply: str, base: Mapping[str, str]) -> dict[str, str]:
        """See `Language`; a reply with SEARCH/REPLACE blocks is read as a diff whatever it was asked for."""
        reply = require_readable(reply)
        open_names = _open_names(base)
        if holds_diff(reply):
            open_parts = {name: blocks_of(text) for name, text in base.items()}
            child = apply_diff(parse_diff(reply, list(base)), base, open_parts)
        else:
            child = rewritten(base, program_texts(reply, open_names))
        changed = {name: text for name, text in child.items() if text != base[name]}
        forms = {name: _legal_form(name, base[name], text) for name, text in changed.items()}
        if all(form == _form_of(base[name]) for name, form in forms.items()):
            raise ReplyError("the program is the same as before, but for comments and layout: change what it does")
        return child

    def is_legal_base(self, files: Mapping[str, str], parent: Mapping[str, str]) -> bool:
        """See `Language`; it need not compile."""
        return files.keys() == parent.keys() and all(outside_unchanged(parent[name], files[name]) for name in parent)


def _open_names(files: Mapping[str, str]) -> list[str]:
    blocks: dict[str, tuple[Block, ...]] = {name: blocks_of(text) for name, text in files.items()}
    return [name for name in files if blocks[name]]


def _which_files(files: Mapping[str, str], changed_only: bool) -> str:
    if len(files) == 1:
        return ""
    names = ", ".join(f"`{name}`" for name in _open_names(files))
    if changed_only:
        return f"Write the name of the file on a line of its own before each block: {names}."
    return f"Write each file that changes in a block of its own that starts with ```python file=NAME: {names}."


def _form_of(text: str) -> str:
    """The normal form; empty where the text, a failed program that is mended, does not even parse."""
    try:
        return normal_form(text)
    except CandidateSyntaxError:
        return ""


def _legal_form(name: str, old: str, new: str) -> str:
    """The normal form of a legal new text.

    Raises:
        ReplyError: it is not legal.
    """
    if len(new) > MAX_TEXT_LENGTH:
        raise ReplyError(f"{name} has {len(new)} characters now, at most {MAX_TEXT_LENGTH} are allowed")
    left_out = next((line for line in _LEFT_OUT.findall(new) if line not in old), None)
    if left_out is not None:
        raise ReplyError(f"{name} has the line {left_out.strip()[:100]!r} in place of code: write all lines out")
    try:
        form = normal_form(new)
        require_compiles(new)
    except CandidateSyntaxError as error:
        raise ReplyError(f"{name} would not be valid Python: {_with_line(error.detail, new)}") from error
    if not outside_unchanged(old, new):
        raise ReplyError(
            f"the change of {name} moves or adds marker lines of evolve blocks: keep them as they are, once each"
        )
    return form


def _with_line(detail: str, text: str) -> str:
    """The error with the text of the line that it names, since nobody else counts lines as Python does."""
    found = re.match(r"line (\d+):", detail)
    lines = text.split("\n")
    if found is None or not 1 <= int(found[1]) <= len(lines):
        return detail
    return f"{detail}. That line is {lines[int(found[1]) - 1].strip()[:200]!r}"

"""What language-model operators need to know of a problem's language: how it is described, answered in and read."""

from collections.abc import Mapping
from typing import Protocol

from evolve.operators.writing.prompt_templates import Templates


class Language(Protocol):
    """A language of candidates."""

    def rules(self, templates: Templates) -> str:
        """What a program may be, for the part of the prompt that never changes."""

    def directions(self, templates: Templates) -> tuple[str, ...]:
        """Different wishes for the next program; one is drawn for each prompt, so that answers differ."""

    def answer(self, templates: Templates, files: Mapping[str, str], *, short: bool) -> str:
        """The form of the answer. `short` asks for the changed lines only, where the language has such a form."""

    def shown(self, text: str) -> str:
        """What of a file is worth showing of a program that only inspires."""

    def child(self, reply: str, base: Mapping[str, str]) -> dict[str, str]:
        """The program that a reply makes of the base program: a legal candidate.

        Raises:
            ReplyError: it makes none, or the same program again.
        """

    def is_legal_base(self, files: Mapping[str, str], parent: Mapping[str, str]) -> bool:
        """Whether a failed program can be mended: what must not change is as in the parent."""

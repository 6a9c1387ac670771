"""The symbolic language for language-model operators: the vocabulary in words, one function as the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from evolve.config.python_text import Block
from evolve.operators.writing.diff import holds_diff, parse_diff
from evolve.operators.writing.diff_apply import apply_diff
from evolve.operators.writing.prompt_templates import Templates
from evolve.operators.writing.reply import program_texts, require_readable
from evolve.operators.writing.reply_error import ReplyError
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, fingerprint, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import REAL, Function, Vocabulary
from sandbox.update_rules.about import inputs_in_lines, words_in_lines

LETTERS = "abcdefgh"

_BARE = re.compile(r"^def \w+\(.*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicLanguage:
    """Straight-line programs over a vocabulary. With `refits`, the machine fits the constants afterwards."""

    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    function: str
    entry: str
    max_operations: int
    max_constants: int
    refits: bool

    def rules(self, templates: Templates) -> str:
        """See `Language`."""
        return self._rules_of_updates(templates) if self._is_stateful else self._rules_of_functions(templates)

    def _rules_of_updates(self, templates: Templates) -> str:
        signature = self.vocabulary.signature
        assert signature is not None
        return templates.fill(
            "update_rule",
            {
                "signature": self.signature,
                "inputs": "\n".join(f"- {line}" for line in inputs_in_lines(signature, self.inputs)),
                "functions": "\n".join(f"- {line}" for line in words_in_lines(self.vocabulary)),
                "max_operations": str(self.max_operations),
                "max_constants": str(self.max_constants),
            },
        )

    def _rules_of_functions(self, templates: Templates) -> str:
        fitted = (
            "What matters is the structure: a machine fits the literals of your program to the target afterwards. "
            "Give sensible starting values, all different: equal expressions are taken as one."
        )
        exact = "Nobody fits the literals afterwards: write each with all the digits that you can compute."
        return templates.fill(
            "symbolic",
            {
                "signature": self.signature,
                "functions": "\n".join(f"- {described(each)}" for each in self.vocabulary.functions),
                "max_operations": str(self.max_operations),
                "max_constants": str(self.max_constants),
                "constants": fitted if self.refits else exact,
            },
        )

    @property
    def signature(self) -> str:
        """How the function begins."""
        return f"def {self.function}({'...' if self._is_stateful else ', '.join(self.inputs)}):"

    @property
    def _is_stateful(self) -> bool:
        """Whether programs are update rules, which take only the inputs that they use."""
        return self.vocabulary.signature is not None

    @property
    def _form(self) -> str:
        return "update_rule" if self._is_stateful else "symbolic"

    def directions(self, templates: Templates) -> tuple[str, ...]:
        """See `Language`."""
        return templates.paragraphs(f"directions_{self._form}")

    def answer(self, templates: Templates, files: Mapping[str, str], *, short: bool) -> str:
        """See `Language`; a function of a few lines is always written in full."""
        del files, short
        values = {"signature": self.signature, "max_operations": str(self.max_operations)}
        return templates.fill(f"answer_{self._form}", values)

    def shown(self, text: str) -> str:
        """All of it."""
        return text

    def child(self, reply: str, base: Mapping[str, str]) -> dict[str, str]:
        """See `Language`; the text is rendered anew, without comments."""
        program = self._program(self._text(require_readable(reply), base))
        if fingerprint(program, self.vocabulary) == self._fingerprint_of(base[self.entry]):
            raise ReplyError("the function is the same as before, up to names and order: change what it computes")
        try:
            return {self.entry: render(program, self.vocabulary)}
        except ValueError as error:  # literals that fold to an infinity
            raise ReplyError(str(error)) from error

    def is_legal_base(self, files: Mapping[str, str], parent: Mapping[str, str]) -> bool:
        """See `Language`; all of the text may change."""
        return files.keys() == parent.keys()

    def _text(self, reply: str, base: Mapping[str, str]) -> str:
        if holds_diff(reply):  # not asked for, but clear
            open_parts = {name: (Block(0, len(text)),) for name, text in base.items()}
            return apply_diff(parse_diff(reply, list(base)), base, open_parts)[self.entry]
        bare = _BARE.search(reply)
        if bare is not None and "```" not in reply and "~~~" not in reply:
            return bare[0]
        return program_texts(reply, [self.entry])[self.entry]

    def _program(self, text: str) -> Program:
        try:
            program = parse(text, self.vocabulary, inputs=self.inputs)
        except CandidateSyntaxError as error:
            raise ReplyError(f"{error.detail}. The function starts with `{self.signature}`") from error
        program = replace(canonical(program, self.vocabulary), name=self.function)
        sizes = (
            (operation_count(program), self.max_operations, "operations"),
            (len(program.constants), self.max_constants, "literals"),
        )
        for size, limit, what in sizes:
            if size > limit:
                raise ReplyError(f"the function has {size} {what}, at most {limit} are allowed: write a shorter one")
        return program

    def _fingerprint_of(self, text: str) -> str:
        try:
            return fingerprint(
                canonical(parse(text, self.vocabulary, inputs=self.inputs), self.vocabulary), self.vocabulary
            )
        except CandidateSyntaxError:
            return ""  # a failed program that is to be mended


def described(function: Function) -> str:
    """One word of a vocabulary: how it is written, its types where they are not all real, what it does."""
    names = LETTERS[: len(function.argument_types)]
    if function.symbol is None:
        text = f"`{function.name}({', '.join(names)})`"
    elif len(names) == 1:
        text = f"`{function.symbol}{names}`"
    else:
        text = f"`{names[0]} {function.symbol} {names[1]}`"
    types = (*function.argument_types, function.result_type)
    if set(types) != {REAL}:
        text += f", ({', '.join(types[:-1])}) -> {types[-1]}"
    doc = (getattr(function.apply, "__doc__", None) or "").strip().split("\n")[0]
    is_numpy = type(function.apply).__name__ == "ufunc"
    return text if is_numpy or not doc else f"{text}: {doc[0].lower()}{doc[1:].removesuffix('.')}"

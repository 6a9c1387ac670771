"""`fake:`: a model that needs no network and no key, and always gives the same reply to the same prompt.

It reads the parent's code out of the prompt and answers with a small edit in the form that the prompt asks for, so that
whole runs can be shown, tested and measured. It knows nothing about the task.
"""

import random
import re
from collections.abc import Mapping
from hashlib import sha256

from evolve.llm.contract import Completion, Outcome, Prompt, Usage, estimated_tokens
from evolve.llm.fake_edits import BLOCK_START, MAX_LITERALS, MAX_OPERATIONS, LineEdit, edited_function, edited_line

_FENCE = re.compile(r"^(`{3,}|~{3,})([^\n`]*)\n(.*?)\n?\1[ \t]*$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"python file=(\S+) parent\b")
_WORD = re.compile(r"^- `\w ([-+*/]) \w`", re.MULTILINE)
_OPERATIONS = re.compile(r"\b(\d+) operations\b")
_LITERALS = re.compile(r"\b(\d+) literals\b")
_SEARCH = "<<<<<<< SEARCH"

_WORDS_OF_FORM = (
    ("diff", re.compile(r"^<{7} SEARCH", re.MULTILINE)),
    ("review", re.compile(r"^Score: N", re.MULTILINE)),
    ("idea", re.compile(r"^Idea:", re.MULTILINE)),
    ("insight", re.compile(r"^Condition:", re.MULTILINE)),
    ("advice", re.compile(r"\badvice alone\b")),
    ("rewrite", re.compile(r"```python")),
)


class FakeModel:
    """The model `fake:` or `fake:WORD`; another word or seed makes other edits."""

    def __init__(self, *, name: str = "fake:", word: str = "", rng_seed: int = 0) -> None:
        self.name = name
        self._word = word
        self._rng_seed = rng_seed

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        """Answer at once."""
        del total_seconds, idle_seconds
        seed = sha256(f"{prompt.hash()} {self._word} {self._rng_seed}".encode()).digest()
        text = _reply(prompt, random.Random(seed))
        return Completion(
            outcome=Outcome.OK, text=text, usage=estimated_usage(prompt, text), model_reported="fake", request_id=""
        )

    async def close(self) -> None:
        """Nothing is open."""


def estimated_usage(prompt: Prompt, reply: str) -> Usage:
    """One token for four characters, as nobody counts for a model without a server."""
    return Usage(input_tokens=prompt.estimated_tokens(), output_tokens=estimated_tokens(len(reply)), is_estimated=True)


def _reply(prompt: Prompt, rng: random.Random) -> str:
    asked = [turn.text for turn in reversed(prompt.turns) if turn.role == "user"]
    form = next((form for text in asked if (form := _form_of(text))), "rewrite")
    if form == "review":
        return f"The change is small and safe; what it gains has to be measured.\n\nScore: {rng.randint(4, 9)}\n"
    if form == "idea":
        return (
            f"Idea: move one number of the program by about {rng.randint(5, 20)} percent and keep the rest.\n"
            "Reason: numbers written by hand are rarely the best ones.\n"
            "Risk: the number may not matter; then nothing is lost but one evaluation.\n"
        )
    if form == "insight":
        return (
            "Condition: a program holds numbers that nobody has tuned.\n"
            f"Explanation: change them one at a time, by about {rng.randint(5, 20)} percent, and keep what helps.\n"
            "Example: rate = 0.05 became rate = 0.055.\n"
        )
    if form == "advice":
        return f"```text\nChange one number at a time, by at most {rng.randint(5, 30)} percent, and say why.\n```\n"
    files = next((files for text in asked if (files := _programs(text))), {})
    if not files:
        return "There is no program in the prompt that I could change.\n"
    return _edit(files, form, rng, "\n".join((*prompt.system, *asked)))


def _form_of(text: str) -> str:
    """The form of answer that a turn asks for: its own words decide, not those of the programs it shows."""
    own = _FENCE.sub("", text)
    return next((form for form, words in _WORDS_OF_FORM if words.search(own)), "")


def _programs(text: str) -> dict[str, str]:
    """The files that are to be changed: those of the first parent."""
    found: dict[str, str] = {}
    for fence in _FENCE.finditer(text):
        if program := _PROGRAM.match(fence[2]):
            found.setdefault(program[1], fence[3])
    return found


def _edit(files: Mapping[str, str], form: str, rng: random.Random, said: str) -> str:
    names = [name for name, text in files.items() if BLOCK_START in text]
    if not names:
        name, text = next(iter(files.items()))
        new = edited_function(
            text,
            rng,
            words=_WORD.findall(said) or "+-*/",
            max_operations=_limit(_OPERATIONS, said, MAX_OPERATIONS),
            max_literals=_limit(_LITERALS, said, MAX_LITERALS),
        )
        return f"I change one operation.\n\n{_fenced(new, '')}"
    name = rng.choice(names)
    edit = edited_line(files[name], rng)
    if edit is None:
        return f"I find no number to change in {name}.\n"
    if form == "diff":
        return f"I change one number of {name}.\n\n{_diff(files[name], name, edit)}"
    lines = files[name].split("\n")
    lines[edit.number] = edit.text
    return f"I change one number of {name}.\n\n{_fenced(chr(10).join(lines), f' file={name}')}"


def _limit(words: re.Pattern[str], said: str, default: int) -> int:
    found = words.search(said)
    return int(found[1]) if found else default


def _diff(text: str, name: str, edit: LineEdit) -> str:
    """The edit as a block whose search part fits one place only: it grows by lines until it does."""
    lines = text.split("\n")
    first = last = edit.number
    while _n_places(lines, lines[first : last + 1]) > 1 and (first > 0 or last < len(lines) - 1):
        first, last = max(first - 1, 0), min(last + 1, len(lines) - 1)
    new = [*lines[first : edit.number], edit.text, *lines[edit.number + 1 : last + 1]]
    return "\n".join([name, _SEARCH, *lines[first : last + 1], "=======", *new, ">>>>>>> REPLACE", ""])


def _n_places(lines: list[str], part: list[str]) -> int:
    return sum(lines[start : start + len(part)] == part for start in range(len(lines) - len(part) + 1))


def _fenced(text: str, info: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}python{info}\n{text.rstrip(chr(10))}\n{fence}\n"

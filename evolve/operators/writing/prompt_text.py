"""Text for prompts: untrusted text behind fences that it cannot close, numbers, and what text costs."""

import re
from collections.abc import Mapping

from evolve.llm.contract import estimated_tokens

SHORTEST_FENCE = 3
MAX_WORD = 60

_BACKTICKS = re.compile("`+")


def n_tokens(text: str) -> int:
    """About how many tokens a text is."""
    return estimated_tokens(len(text))


def fenced(text: str, *, info: str = "text", limit: int | None = None) -> str:
    """Untrusted text in a fence longer than any run of backticks in it, so that nothing in it can close the fence.

    Characters that do not print are shown by their code points. Of a text longer than `limit` characters the
    beginning and the end are kept, with a line between them that says how much is left out.
    """
    shown = shortened(visible(text), limit).removesuffix("\n")
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}{info}\n{shown}\n{fence}"


def visible(text: str) -> str:
    """The text with line ends as line feeds and every other character that does not print as `<U+001B>`."""
    unix = text.replace("\r\n", "\n")
    if unix.replace("\n", "").replace("\t", "").isprintable():
        return unix
    return "".join(each if each.isprintable() or each in "\n\t" else f"<U+{ord(each):04X}>" for each in unix)


def shortened(text: str, limit: int | None) -> str:
    """The text's beginning and end, about `limit` characters in all, cut at ends of lines where one is near."""
    if limit is None or len(text) <= limit:
        return text
    half = limit // 2
    head, tail = text[:half], text[-half:]
    head = head[: head.rfind("\n")] if head.rfind("\n") > half // 2 else head
    tail = tail[tail.find("\n") + 1 :] if -1 < tail.find("\n") < half // 2 else tail
    return f"{head}\n... {len(text) - len(head) - len(tail)} characters left out ...\n{tail}"


def one_line(text: str, limit: int = MAX_WORD) -> str:
    """A short untrusted text, such as a name, as one line without backticks."""
    words = " ".join(visible(text).replace("`", "'").split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def number(value: float | str) -> str:
    """A number to read: six digits where it is not whole; a category is shown as it is."""
    if isinstance(value, str):
        return one_line(value)
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def exact_number(value: float) -> str:
    """A score to compare: all digits that tell it from its neighbours, at most 12."""
    return f"{value:.12g}"


def listed(values: Mapping[str, float | str]) -> str:
    """`name = value` for each, separated by commas."""
    return ", ".join(f"{one_line(name)} = {number(value)}" for name, value in values.items())

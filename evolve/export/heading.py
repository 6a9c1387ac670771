"""The comment at the head of every exported file: what it is, what is proved, where it comes from."""

import textwrap
from collections.abc import Iterable, Sequence

from evolve.export.discovery import Discovery

WIDTH = 100


def plain(text: str) -> str:
    """Text of any origin as one line that no terminal or editor obeys: all that does not print becomes an escape."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """The text with escapes for all that does not print: controls, marks that reorder or hide text, line ends."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode("ascii") for each in text
    )


def origin(discovery: Discovery) -> list[str]:
    """Where a discovery comes from, what may be done with it, and how to name it."""
    from evolve import __version__

    problem, candidate = discovery.problem, discovery.record.candidate
    seed = "" if discovery.rng_seed is None else f", rng_seed {discovery.rng_seed}"
    name = f"candidate {candidate.id} of the run {discovery.run}"
    return [
        f"Found by Evolve {discovery.version}: {name}{seed}, operator {candidate.operator}, generation "
        f"{candidate.generation}; exported by Evolve {__version__}.",
        f"Problem {problem.name} (content {problem.content_hash}).",
        "Licence: Evolve claims no rights in what it finds. What the seed program's licence asks for still holds; "
        "choose a licence for the rest before you pass this on.",
        f'To cite: "{problem.title}", {name}, found with Evolve {discovery.version}.',
    ]


def wrapped(paragraphs: Iterable[str]) -> list[str]:
    """Lines of a comment, without its marks; `* ` begins an item of a list, an empty text an empty line."""
    lines: list[str] = []
    for paragraph in paragraphs:
        text = plain(paragraph)
        indent = "  " if text.startswith("* ") else ""
        lines += textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False) or [""]
    return lines


def hash_comment(lines: Sequence[str], mark: str = "#") -> str:
    """A comment of Python or, with the mark `%`, of TeX."""
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in lines)


def c_comment(lines: Sequence[str]) -> str:
    """A comment of C that nothing in it can end, nest or, as a trigraph, change."""
    body = "".join(
        f" * {line}".rstrip().replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\") + "\n"
        for line in lines
    )
    # A star of ours before a slash of the text would be an end too.
    return "/*\n" + body.replace("*/", "* /") + " */\n"

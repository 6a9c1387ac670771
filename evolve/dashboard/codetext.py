"""Programs and other long texts of unknown origin as lines that are safe to show."""

from collections.abc import Iterator, Mapping

from rich.style import Style
from rich.text import Text

from evolve.dashboard.palette import BAD, BOLD, DIM, GOOD, PLAIN
from evolve.view.text import clean, clean_line

MAX_LINE = 2000
MAX_LINES = 20_000
MAX_HIGHLIGHTED = 200_000
"""Characters of a file that is coloured; longer ones are shown plain."""
TAB = "    "

_STYLES = {
    "Comment": Style(italic=True, dim=True),
    "Keyword": Style.parse("#56b4e9") + BOLD,
    "Literal.String": Style.parse("#009e73"),
    "Literal.Number": Style.parse("#e69f00"),
    "Name.Function": BOLD,
    "Name.Class": BOLD,
    "Name.Builtin": Style.parse("#cc79a7"),
    "Operator.Word": Style.parse("#56b4e9") + BOLD,
}


def safe_lines(text: str) -> list[str]:
    """The lines of a text, cleaned; very long ones and very many are cut, and it is said how much is missing."""
    lines = text.split("\n")
    shown = [_safe(line) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"… {len(lines) - MAX_LINES:,} more lines")
    return shown


def _safe(line: str) -> str:
    cut = clean(line[:MAX_LINE].rstrip("\r").replace("\t", TAB))
    return cut if len(line) <= MAX_LINE else f"{cut} … {len(line) - MAX_LINE:,} more characters"


def plain_text(text: str, style: Style = PLAIN) -> list[Text]:
    """A text as lines of one style."""
    return [Text(line, style=style, end="") for line in safe_lines(text)]


def wrapped(text: str, width: int, style: Style = PLAIN) -> list[Text]:
    """A text as lines no longer than `width`, broken between words where there are some."""
    width = max(width, 10)
    return [Text(piece, style=style, end="") for line in safe_lines(text) for piece in _pieces(line, width)]


def _pieces(line: str, width: int) -> Iterator[str]:
    while len(line) > width:
        place = line.rfind(" ", width // 2, width + 1)
        cut = width if place < 0 else place
        yield line[:cut]
        line = line[cut:] if place < 0 else line[cut + 1 :]
    yield line


def program_lines(files: Mapping[str, str]) -> list[Text]:
    """A program with numbered, coloured lines; file names only where there are several."""
    lines: list[Text] = []
    for name, text in files.items():
        if len(files) > 1:
            lines += [Text(clean_line(name), style=BOLD), Text()]
        coloured = list(_coloured(text)) if len(text) <= MAX_HIGHLIGHTED else plain_text(text)
        while coloured and not coloured[-1].plain.strip():
            coloured.pop()
        digits = len(str(len(coloured)))
        lines += [Text.assemble((f"{number:>{digits}} ", DIM), line) for number, line in enumerate(coloured, 1)]
        lines.append(Text())
    return lines[:-1] if lines else [Text("(the program is empty)", style=DIM)]


def _coloured(text: str) -> Iterator[Text]:
    """Lines in the colours of Python; the lexer sees cleaned text only."""
    from pygments.lexers.python import PythonLexer

    line = Text(end="")
    source = "\n".join(safe_lines(text))
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        style = _style_of(str(kind).removeprefix("Token."))
        for place, part in enumerate(value.split("\n")):
            if place:
                yield line
                line = Text(end="")
            line.append(part, style)
    yield line


def _style_of(kind: str) -> Style:
    while kind:
        if kind in _STYLES:
            return _STYLES[kind]
        kind = kind.rpartition(".")[0]
    return PLAIN


def diff_lines(text: str) -> list[Text]:
    """A unified diff, what came green and what went red; the signs say the same."""
    return [Text(line, style=_diff_style(line), end="") for line in safe_lines(text.rstrip("\n"))]


def _diff_style(line: str) -> Style:
    if line.startswith(("+++", "---")):
        return BOLD
    if line.startswith("@@"):
        return DIM
    return GOOD if line.startswith("+") else BAD if line.startswith("-") else PLAIN

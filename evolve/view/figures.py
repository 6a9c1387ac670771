"""Numbers, names and tables as text for people."""

from collections.abc import Iterable, Mapping, Sequence

from evolve.view.text import clean_line


def figure(value: object) -> str:
    """Write one value short: six significant digits, thousands separated, `-` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return clean_line(str(value))
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value + 0.0:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return clean_line(str(value))


def figures_apart(one: float, other: float) -> tuple[str, str]:
    """Write two numbers short, with as many digits as it takes to tell them apart."""
    texts = figure(one), figure(other)
    digits = 6
    while texts[0] == texts[1] and one != other and digits < 17:
        digits += 1
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
    return texts


def named_figures(values: Mapping[str, object], *, limit: int | None = None) -> str:
    """Write `name value` pairs on one line, at most `limit` of them."""
    pairs = list(values.items())[:limit]
    return "  ".join(f"{clean_line(name)} {figure(value)}" for name, value in pairs)


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: `1 elite`, `2 elites`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, left: Iterable[int] = (0,)) -> list[str]:
    """Lay out rows under headings, columns two spaces apart; columns named in `left` start at the left edge."""
    cells = [list(headings), *([figure(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    to_the_left = set(left)
    lines = []
    for row in cells:
        padded = [
            cell.ljust(width) if column in to_the_left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def indented(text: str, by: str = "    ") -> str:
    """Indent every line that is not empty."""
    return "\n".join(by + line if line else "" for line in text.rstrip("\n").split("\n"))

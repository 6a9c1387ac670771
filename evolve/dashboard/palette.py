"""Colours that people with any colour vision can tell apart, and marks for terminals without colour.

Scales follow viridis by Smith and van der Walt (2015), https://bids.github.io/colormap/, names the palette of Okabe and
Ito (2008), https://jfly.uni-koeln.de/color/.
"""

from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color
from rich.style import Style
from rich.text import Text

_VIRIDIS = ((68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99))
_VIRIDIS_END = ((170, 220, 50), (253, 231, 37))
_SCALE = (*_VIRIDIS, *_VIRIDIS_END)
_NAMED = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442", "#999999")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

_ASCII = {"…": "~", "–": "-", "→": ">", "←": "<", "↑": "^", "↓": "v", "▼": "v", "▲": "^", "─": "-", "·": "."}  # noqa: RUF001

BOLD = Style(bold=True)
DIM = Style(dim=True)
PLAIN = Style()
GOOD = Style.parse("#009e73")
WARNING = Style.parse("#e69f00")
BAD = Style.parse("#d55e00")
ACCENT = Style.parse("#56b4e9")
CURSOR = Style(reverse=True)
STATES = {"running": GOOD + BOLD, "paused": WARNING + BOLD, "crashed": BAD + BOLD, "silent": WARNING + BOLD}


@dataclass(frozen=True, slots=True)
class Painter:
    """Gives cells of a map their look. Without `in_colour` every value has a mark of its own instead."""

    in_colour: bool = True
    unicode: bool = True

    def spoken(self, line: Text) -> Text:
        """The line as the terminal can write it: without Unicode, in ASCII with as many characters."""
        if self.unicode or line.plain.isascii():
            return line
        line = line.copy()
        line.plain = "".join(char if char.isascii() else _ASCII.get(char, "?") for char in line.plain)
        return line

    def scaled(self, share: float) -> tuple[str, Style]:
        """Mark and style of a value at this share of its range, 0 to 1."""
        share = min(max(share, 0.0), 1.0)
        if self.in_colour:
            return " ", scale_style(round(share * 63))
        return str(min(int(share * 10), 9)), PLAIN

    def named(self, place: int) -> tuple[str, Style]:
        """Mark and style of the value with this place in a list of names; letters tell apart what colours cannot."""
        letter = LETTERS[place] if place < len(LETTERS) else "?"
        return letter, named_style(place) if self.in_colour else PLAIN


@lru_cache(maxsize=256)
def scale_style(step: int, steps: int = 64) -> Style:
    """The background of one of `steps` values between low and high, with letters that can be read on it."""
    place = step / max(steps - 1, 1) * (len(_SCALE) - 1)
    low = min(int(place), len(_SCALE) - 2)
    part = place - low
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(_SCALE[low], _SCALE[low + 1], strict=True))
    is_bright = 0.299 * red + 0.587 * green + 0.114 * blue > 110
    text = Color.from_rgb(0, 0, 0) if is_bright else Color.from_rgb(255, 255, 255)
    return Style.from_color(text, Color.from_rgb(red, green, blue))


@lru_cache(maxsize=64)
def named_style(place: int) -> Style:
    """The background of a name; eight names differ, more share."""
    background = Color.parse(_NAMED[place % len(_NAMED)])
    return Style.from_color(Color.from_rgb(0, 0, 0), background)


def state_style(state_word: str) -> Style:
    """How the state of a run is written; the word itself always stands there too."""
    return STATES.get(state_word, BOLD)

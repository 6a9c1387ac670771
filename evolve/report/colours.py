"""A scale of colours that people who see colours differently, and a grey printer, can read: it only gets lighter."""

from math import isfinite

_ANCHORS = ((43, 29, 94), (47, 79, 134), (47, 127, 138), (78, 174, 115), (181, 207, 79), (253, 233, 63))
LEVELS = 16


def level_of(value: float, low: float, high: float) -> int:
    """Which of the `LEVELS` a value has between two others."""
    share = (value - low) / (high - low) if high > low else 1.0
    if not isfinite(share):  # a range without end: all that is finite looks alike
        share = float(value >= high)
    return min(max(int(share * LEVELS), 0), LEVELS - 1)


def colour_of(level: int) -> str:
    """The colour of a level as `#rrggbb`."""
    return "#" + "".join(f"{part:02x}" for part in _mixed(level))


def luminance_of(level: int) -> float:
    """How light a level is, in [0, 1] (relative luminance of sRGB)."""
    linear = [(part / 255 / 12.92) if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in _mixed(level)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def is_dark(level: int) -> bool:
    """Whether white text is easier to read on it than black text."""
    lightness = luminance_of(level)
    return 1.05 / (lightness + 0.05) > (lightness + 0.05) / 0.05


def _mixed(level: int) -> tuple[int, ...]:
    place = level / (LEVELS - 1) * (len(_ANCHORS) - 1)
    left = min(int(place), len(_ANCHORS) - 2)
    share = place - left
    return tuple(round(a + (b - a) * share) for a, b in zip(_ANCHORS[left], _ANCHORS[left + 1], strict=True))

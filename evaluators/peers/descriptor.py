"""What tells programs of other engines apart, measured on their text: no candidate can lie about these."""

from collections.abc import Mapping

COMPLEXITY, DIVERSITY, SCORE = "complexity", "diversity", "score"
GRAM = 5


def program_length(files: Mapping[str, str]) -> float:
    """How many characters the program has."""
    return float(sum(map(len, files.values())))


def distance(text: str, other: str) -> float:
    """How little two texts have in common, from 0 for equal ones to 1: the share of their runs of 5 not in both."""
    grams, others = _grams(text), _grams(other)
    union = len(grams | others)
    return 0.0 if union == 0 else 1.0 - len(grams & others) / union


def _grams(text: str) -> frozenset[str]:
    packed = " ".join(text.split())
    return frozenset(packed[i : i + GRAM] for i in range(max(1, len(packed) - GRAM + 1))) if packed else frozenset()

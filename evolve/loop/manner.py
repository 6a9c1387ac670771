"""In what way a run searches, beside its archive and its operators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evolve.loop.briefings import MAP_ELITES
from evolve.loop.lessons import Lessons
from evolve.operators.contract import Operator

OPENERS_EVERY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """In what way a run searches.

    `openers` are operators that have one turn each, in their order, in every `OPENERS_EVERY`-th iteration from the
    first on; the bandit neither chooses them nor learns from them. They may share a name, but not with operators.
    `lessons` are for a run with language models; such a run rewards improvements, for its operators cost very different
    amounts, and knows programs that behave alike by `signature_of` (None where it cannot tell). `strategy` says who
    breeds: `map_elites`, or one of the baselines `iid` (the seed program) and `sequential` (the last best).
    """

    openers: tuple[Operator, ...] = ()
    lessons: Lessons | None = None
    strategy: str = MAP_ELITES
    signature_of: Callable[[Mapping[str, str]], str | None] | None = None


PLAIN = Manner()

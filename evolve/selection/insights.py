"""The experience library: what language models learned in this run, kept only while it measurably helps.

After AlphaOPT by Kong et al., "AlphaOPT: Formulating optimization programs with self-improving LLM experience library"
(2025), https://arxiv.org/abs/2510.18428: an insight has a condition, an explanation and an example. Here its worth is
measured: iterations that carried it against those of the same time that did not.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evolve.operators.briefing import Insight

MOST = 24
"""How many insights are kept at most."""

LEAST_USES = 12
"""How many iterations with it, and how many without it, must have been seen before an insight is judged."""

LEFT_OUT = 0.3
"""How often an insight is left out though it would fit: without that there is nothing to compare with."""

MAX_TEXT = 2000
_SAME = 0.8
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


@dataclass(slots=True)
class _Held:
    insight: Insight
    words: frozenset[str]
    candidate_ids: frozenset[int]
    uses: int = 0
    reward: float = 0.0
    others: int = 0
    others_reward: float = field(default=0.0)

    def advantage(self) -> float:
        """Mean reward with it minus mean reward without it; 0 while one of them is unknown."""
        if not self.uses or not self.others:
            return 0.0
        return self.reward / self.uses - self.others_reward / self.others

    def has_failed(self) -> bool:
        return min(self.uses, self.others) >= LEAST_USES and self.advantage() <= 0.0


class InsightLibrary:
    """Insights with what they brought. A fold over `add` and `tell`: no clock, no chance."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._n_made = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, note: Mapping[str, Any]) -> None:
        """Take up an insight (condition, explanation, example, candidate_ids) unless one like it is there.

        A full library gives up the one that helped least; of those that were never compared, the oldest.
        """
        texts = {name: str(note.get(name) or "")[:MAX_TEXT] for name in ("condition", "explanation", "example")}
        words = words_of(f"{texts['condition']} {texts['explanation']}")
        if not texts["condition"] or any(_likeness(words, held.words) >= _SAME for held in self._held.values()):
            return
        if len(self._held) >= MOST:
            del self._held[min(self._held, key=lambda each: (self._held[each].advantage(), each))]
        self._n_made += 1
        about = frozenset(each for each in note.get("candidate_ids") or () if isinstance(each, int))
        insight = Insight(id=self._n_made, **texts)
        self._held[insight.id] = _Held(insight, words_of(" ".join(texts.values())), about)

    def tell(self, carried: Collection[int], reward: float) -> None:
        """An iteration that asked for code has ended: credit those it carried, compare the others, drop what failed."""
        for identifier, held in list(self._held.items()):
            if identifier in carried:
                held.uses += 1
                held.reward += reward
            else:
                held.others += 1
                held.others_reward += reward
            if held.has_failed():
                del self._held[identifier]

    def choose(
        self, text: str, candidate_ids: Collection[int], rng: np.random.Generator, *, n: int = 3
    ) -> tuple[Insight, ...]:
        """At most `n` insights for a program: those that share its words or its line, and that helped before."""
        drawn = rng.random(len(self._held)).tolist()
        words = words_of(text)
        there = [held for held, point in zip(self._held.values(), drawn, strict=True) if point >= LEFT_OUT]
        there.sort(key=lambda held: (-_fit(held, words, candidate_ids), held.insight.id))
        return tuple(held.insight for held in there[:n])


def words_of(text: str) -> frozenset[str]:
    """The distinct words and names of a text, in lower case."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def _fit(held: _Held, words: frozenset[str], candidate_ids: Collection[int]) -> float:
    related = not held.candidate_ids.isdisjoint(candidate_ids)
    return len(held.words & words) / (1 + len(held.words)) + 0.5 * related + held.advantage()


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one), 1)

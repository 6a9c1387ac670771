"""Instructions: advice on how to change programs that evolves beside them, worth what its best children are worth."""

from dataclasses import dataclass, field
from math import ceil

import numpy as np

from evolve.operators.briefing import Instruction

MOST = 8
"""How many instructions are kept at most, the one that we ship included."""

EXPLORATION = 0.25
"""How often the least used one is tried instead of the best."""

LEAST_USES = 5
"""How often an instruction must have been used before it may be given up for another."""

BEST_SHARE = 0.25
REMEMBERED = 64
MAX_TEXT = 4000
SHIPPED = Instruction(id=0, text="")


@dataclass(slots=True)
class _Held:
    instruction: Instruction
    uses: int = 0
    rewards: list[float] = field(default_factory=list)

    def worth(self) -> float:
        """The mean of its best rewards, of the last ones; 0 without any."""
        best = sorted(self.rewards, reverse=True)[: ceil(BEST_SHARE * len(self.rewards))]
        return sum(best) / len(best) if best else 0.0


class InstructionPool:
    """Instructions with what they brought. A fold over `add` and `tell`: no clock, no chance."""

    def __init__(self) -> None:
        self._held = {SHIPPED.id: _Held(SHIPPED)}
        self._n_made = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, text: str) -> None:
        """Take up an instruction unless it is there.

        A full pool gives up the least worthy that had its chances, never the one that we ship; if all the others are
        still new, the new one does not get in.
        """
        text = text.strip()[:MAX_TEXT]
        if not text or any(held.instruction.text == text for held in self._held.values()):
            return
        if len(self._held) >= MOST:
            tried = [each for each, held in self._held.items() if each != SHIPPED.id and held.uses >= LEAST_USES]
            if not tried:
                return
            del self._held[min(tried, key=lambda each: (self._held[each].worth(), each))]
        self._n_made += 1
        self._held[self._n_made] = _Held(Instruction(id=self._n_made, text=text))

    def tell(self, identifier: int, reward: float) -> None:
        """An iteration that was asked for code with this instruction has ended; one given up meanwhile is no matter."""
        held = self._held.get(identifier)
        if held is not None:
            held.uses += 1
            held.rewards = [*held.rewards, reward][-REMEMBERED:]

    def choose(self, rng: np.random.Generator) -> Instruction:
        """The instruction for the next plan: mostly the one of the highest worth, now and then the least used."""
        if rng.random() < EXPLORATION:
            held = min(self._held.values(), key=lambda each: (each.uses, each.instruction.id))
        else:
            held = max(self._held.values(), key=lambda each: (each.worth(), -each.instruction.id))
        return _weighed(held)

    def all(self) -> tuple[Instruction, ...]:
        """All there are, the highest worth first."""
        ranked = sorted(self._held.values(), key=lambda each: (-each.worth(), each.instruction.id))
        return tuple(_weighed(held) for held in ranked)


def _weighed(held: _Held) -> Instruction:
    worth = held.worth() if held.uses else None
    return Instruction(id=held.instruction.id, text=held.instruction.text, worth=worth)

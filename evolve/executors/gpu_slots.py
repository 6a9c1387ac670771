"""Which evaluation has which graphics card: shares of cards, handed out so that no card is given away twice."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

Group = tuple[str, ...]
"""The cards of one evaluation: one, or several whole ones."""
JUDGE = "judge"
"""The key of a payload that names a judge: such tasks run candidates, and only they need a card."""
WHOLE = 1.0
_DUST = 1e-9  # three times a third is a whole, whatever floats say


def slots_per_card(share: float) -> int:
    """How many evaluations share one card; 1 where one evaluation takes whole cards."""
    return max(1, math.floor(WHOLE / share + _DUST))


def n_slots(n_cards: int, share: float) -> int:
    """How many evaluations run at once on so many cards; 0 where they are too few for one.

    Raises:
        ValueError: the share is neither a part of a card nor a whole number of them.
    """
    check_share(share)
    return n_cards * slots_per_card(share) if share < WHOLE else n_cards // int(share)


def check_share(share: float) -> float:
    """The share, if there can be such a one.

    Raises:
        ValueError: it is neither a part of a card nor a whole number of them.
    """
    if not 0.0 < share < math.inf or (share > WHOLE and share != int(share)):
        raise ValueError(f"the share of a card is {share!r}, expected above 0 and up to 1, or a whole number of cards")
    return share


class GpuSlots:
    """Books shares of cards: packed on the first card with room.

    Where one evaluation takes several whole cards, these are always the same ones together: a group. The sum of the
    shares on a card never exceeds 1, however they are taken and given back.
    """

    def __init__(self, cards: Sequence[str], *, share: float, most: int | None = None) -> None:
        """Remember the cards, named by what never changes (their UUIDs). No more than `most` shares are given away.

        Raises:
            ValueError: two cards have one name, or the share is impossible with so many cards.
        """
        if len(set(cards)) != len(cards):
            raise ValueError(f"two cards have one name: {list(cards)}")
        if n_slots(len(cards), share) < 1:
            raise ValueError(f"one evaluation is to have {share:g} cards, and there are {len(cards)}")
        size, left = max(1, int(share)), n_slots(len(cards), share) if most is None else most
        self._room: dict[Group, int] = {}
        for first in range(0, len(cards) - size + 1, size):
            room = min(slots_per_card(share), left)
            if room > 0:
                self._room[tuple(cards[first : first + size])] = room
            left -= room
        self._taken = dict.fromkeys(self._room, 0)

    def keep(self, group: Group, room: int) -> None:
        """Give away no more than so many shares of these cards; for the time before any is taken."""
        self._room[group] = min(self._room[group], room)
        if not self._room[group]:
            del self._room[group], self._taken[group]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The cards that are given away together, in the order in which they are filled."""
        return tuple(self._room)

    @property
    def capacity(self) -> int:
        """How many shares can be taken at the same time."""
        return sum(self._room.values())

    def room(self, group: Group) -> int:
        """How many shares these cards have in all."""
        return self._room[group]

    def taken(self, group: Group) -> int:
        """How many shares of these cards are taken now."""
        return self._taken[group]

    def take(self) -> Group | None:
        """The cards of one more evaluation, or None where there is no room."""
        for group, room in self._room.items():
            if self._taken[group] < room:
                self._taken[group] += 1
                return group
        return None

    def give_back(self, group: Group) -> None:
        """Undo one `take`.

        Raises:
            ValueError: nobody has a share of these.
        """
        if not self._taken.get(group):
            raise ValueError(f"nobody has a share of {', '.join(group)}")
        self._taken[group] -= 1


def with_cards(payload: Mapping[str, Any], cards: Sequence[str | int], *, share: float) -> dict[str, Any]:
    """The payload whose judge gives its candidates these cards, or a share of one; others are left as they are.

    A card is a UUID (of a card or of a part of one, as `nvidia-smi -L` shows them), or a number of `nvidia-smi`.
    """
    if not isinstance(payload.get(JUDGE), Mapping):
        return dict(payload)
    names = [int(card) if isinstance(card, str) and card.isdecimal() else card for card in cards]
    return {**payload, JUDGE: {**payload[JUDGE], "gpus": names, "gpu_share": min(share, WHOLE)}}


def without_cards(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload whose judge works on processors alone."""
    return with_cards(payload, (), share=WHOLE)

"""Chooses operators by what they bring for what they cost.

Discounted upper confidence bounds after Garivier and Moulines, "On upper-confidence bound policies for switching bandit
problems" (2011), https://doi.org/10.1007/978-3-642-24412-4_16: old outcomes fade, for an operator that finds much
early may find nothing late. Rewards are counted per unit of cost, as in fractional KUBE by Tran-Thanh, Chapman, Rogers
and Jennings, "Knapsack based optimal policies for budget-limited multi-armed bandits" (2012),
https://arxiv.org/abs/1204.1909. The scale of rewards is not known beforehand, so the bonus is a multiple of the best
rate seen. Plans in flight count as tries that brought nothing (a "constant liar", Ginsbourger, Le Riche and Carraro,
"Kriging is well-suited to parallelize optimization", 2010, https://doi.org/10.1007/978-3-642-10701-6_6), so that a
window of plans does not all go to one operator.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, log1p, sqrt
from typing import Any

import numpy as np

FLOOR = 0.05
DISCOUNT = 0.98
EXPLORATION = 0.3
LEAST_COST = 1e-3
"""What an iteration is taken to cost at least; also keeps a rate finite."""

_FORGOTTEN = 1e-9


@dataclass(slots=True)
class _Arm:
    """An operator's record. The first three fade, the others are plain counts."""

    tries: float = 0.0
    reward: float = 0.0
    cost: float = 0.0
    pending: int = 0
    iterations: int = 0
    kept: int = 0

    def rate(self) -> float:
        """Reward per unit of cost; plans in flight cost the mean and bring nothing."""
        if self.tries < _FORGOTTEN:
            return 0.0
        return self.reward / max(self.cost, LEAST_COST * self.tries) * (self.tries / (self.tries + self.pending))


class CostAwareBandit:
    """A choice among named operators. Its state is a fold over `start`, `cancel` and `update`: no clock, no chance.

    Each operator is tried once, in the order given; then the one with the best bound is chosen, except that each keeps
    a probability of at least `floor` (less if there are more than 1 / floor).
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        floor: float = FLOOR,
        discount: float = DISCOUNT,
        exploration: float = EXPLORATION,
    ) -> None:
        self.names = tuple(names)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"operators need names of their own, at least one: got {list(self.names)}")
        if not (0.0 <= floor <= 1.0 and 0.0 < discount <= 1.0 and 0.0 <= exploration < inf):
            raise ValueError(
                "expected floor in [0, 1], discount in (0, 1] and exploration >= 0, "
                f"got {floor}, {discount}, {exploration}"
            )
        self._floor = min(floor, 1.0 / len(self.names))
        self._discount = discount
        self._exploration = exploration
        self._arms = {name: _Arm() for name in self.names}

    def choose(self, rng: np.random.Generator, *, without: Collection[str] = ()) -> str:
        """The operator for the next plan; changes nothing (call `start` for a plan that is made).

        Those in `without` are not chosen, unless that are all.
        """
        probabilities = self.probabilities(without=without)
        point, total = float(rng.random()), 0.0
        for name, probability in probabilities.items():
            total += probability
            if point < total:
                return name
        return max(probabilities, key=lambda name: probabilities[name])

    def probabilities(self, *, without: Collection[str] = ()) -> dict[str, float]:
        """How likely `choose` is to give each operator."""
        names = [name for name in self.names if name not in without] or list(self.names)
        untried = next((name for name in names if self._is_untried(name)), None)
        if untried is not None:
            return {name: float(name == untried) for name in names}
        bounds = self._bounds()
        best = max(names, key=lambda name: bounds[name])
        share = 1.0 - self._floor * len(names)
        return {name: self._floor + share * (name == best) for name in names}

    def start(self, name: str) -> None:
        """A plan with this operator was made; its outcome is still to come."""
        self._arm(name).pending += 1

    def cancel(self, name: str) -> None:
        """A plan was given up; there will be no outcome."""
        arm = self._arm(name)
        arm.pending = max(arm.pending - 1, 0)

    def pending(self, name: str) -> int:
        """How many plans of this operator are in flight."""
        return self._arm(name).pending

    def update(self, name: str, reward: float, cost: float) -> None:
        """An outcome came; everything before fades by one step. Settles a plan in flight if there is one.

        Args:
            name: the operator.
            reward: not negative, higher is better.
            cost: not negative, in any unit that is the same for all operators.

        Raises:
            ValueError: an unknown operator, or a number that is negative or not finite. Nothing is changed.
        """
        arm = self._arm(name)
        if not (isfinite(reward) and isfinite(cost) and reward >= 0.0 and cost >= 0.0):
            raise ValueError(
                f"reward and cost of {name!r} must be finite and not negative, got {reward!r} and {cost!r}"
            )
        for other in self._arms.values():
            other.tries *= self._discount
            other.reward *= self._discount
            other.cost *= self._discount
        arm.pending = max(arm.pending - 1, 0)
        arm.tries += 1.0
        arm.reward += reward
        arm.cost += cost
        arm.iterations += 1
        arm.kept += reward > 0.0

    def to_mapping(self) -> Mapping[str, Mapping[str, Any]]:
        """For each operator, as JSON data: its probability, rate and bound now, and what they rest on.

        `iterations`, `kept` (iterations with a reward) and `pending` are counts; `mean_reward`, `mean_cost` and `rate`
        (reward per unit of cost) have the old faded out. `bound` is None for what was never tried.
        """
        probabilities, bounds = self.probabilities(), self._bounds()
        return {
            name: {
                "iterations": arm.iterations,
                "kept": arm.kept,
                "pending": arm.pending,
                "mean_reward": arm.reward / arm.tries if arm.tries >= _FORGOTTEN else 0.0,
                "mean_cost": arm.cost / arm.tries if arm.tries >= _FORGOTTEN else 0.0,
                "rate": arm.rate(),
                "bound": bounds[name] if isfinite(bounds[name]) else None,
                "probability": probabilities[name],
            }
            for name, arm in self._arms.items()
        }

    def _arm(self, name: str) -> _Arm:
        if name not in self._arms:
            raise ValueError(f"there is no operator {name!r}, expected one of {', '.join(self.names)}")
        return self._arms[name]

    def _is_untried(self, name: str) -> bool:
        return self._arms[name].iterations + self._arms[name].pending == 0

    def _bounds(self) -> dict[str, float]:
        """Rate plus bonus. Where no operator brought anything yet, the bonus alone: all take turns."""
        rates = {name: arm.rate() for name, arm in self._arms.items()}
        tries = {name: arm.tries + arm.pending for name, arm in self._arms.items()}
        scale = max(rates.values()) or 1.0
        spread = log1p(sum(tries.values()))
        return {
            name: rates[name] + self._exploration * scale * sqrt(spread / tries[name])
            if tries[name] >= _FORGOTTEN
            else inf
            for name in self.names
        }

"""Local workers that share graphics cards: every evaluation has a booked part of one, or whole ones."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from evolve.errors import EvolveEnvironmentError
from evolve.executors.card_claims import CardClaims
from evolve.executors.card_watch import CardWatch
from evolve.executors.gpu_slots import GpuSlots, with_cards
from evolve.executors.local import LocalExecutor
from sandbox.gpu_cards import CardUnit


class CardExecutor:
    """Runs each task in a worker that belongs to a card, or to a group of cards; see `Executor`.

    A worker keeps its cards, so that what it holds of them (a warm sandbox, an evaluator's library) can stay. There are
    as many workers as there are parts to give away, and no more than `n_workers`; the first card gets its own first.
    """

    def __init__(
        self,
        *,
        units: Sequence[CardUnit],
        share: float,
        n_workers: int,
        handler: str,
        watch: CardWatch | None = None,
        claims: CardClaims | None = None,
    ) -> None:
        """Remember the cards; nothing is started. `claims` keep other runs of this machine off its shares.

        Raises:
            ValueError: the cards are too few for one share, or there is no worker.
            EvolveEnvironmentError: other runs have all of them.
        """
        if n_workers < 1:
            raise ValueError(f"n_workers is {n_workers}, expected at least 1")
        self._slots = GpuSlots([unit.uuid for unit in units], share=share, most=n_workers)
        self._share, self._claims = share, claims
        self.notices = [] if claims is None else self._claim(claims, units)
        self._pools = {
            group: LocalExecutor(n_workers=self._slots.room(group), handler=handler) for group in self._slots.groups
        }
        self._turns = asyncio.Semaphore(self._slots.capacity)
        self._watch = watch or CardWatch(units)

    def _claim(self, claims: CardClaims, units: Sequence[CardUnit]) -> list[str]:
        """Claim shares of the cards, as many as other runs left; what people have to know of those."""
        n_wanted = self._slots.capacity
        for group in self._slots.groups:
            room = self._slots.room(group)
            self._slots.keep(group, claims.claim(group, share=self._share, n_most=room))
        n_left = self._slots.capacity
        if not n_left:
            claims.close()
            names = ", ".join(unit.label for unit in units)
            raise EvolveEnvironmentError(
                f"other runs of yours have all shares of card {names} (one evaluation takes {self._share:g})",
                hint="wait for them, or start them anew with fewer: --workers bounds how many shares a run takes",
            )
        missing = f"other runs of yours have a part of the cards: {n_left} evaluations at a time instead of {n_wanted}"
        return [] if n_left == n_wanted else [missing]

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        return self._slots.capacity

    @property
    def n_lost_workers(self) -> int:
        """How many workers died and were replaced so far."""
        return sum(pool.n_lost_workers for pool in self._pools.values())

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that live now."""
        return sorted(pid for pool in self._pools.values() for pid in pool.worker_pids)

    @property
    def worker_states(self) -> list[dict[str, Any]]:
        """What every worker does, see `LocalExecutor.worker_states`, and the `card` that it has."""
        return [
            {**state, "card": ", ".join(self._watch.label_of(uuid) for uuid in group)}
            for group, pool in self._pools.items()
            for state in pool.worker_states
        ]

    @property
    def gpu_states(self) -> list[dict[str, Any]]:
        """Each card: `index`, `name`, memory in MiB as the driver last told it (None: unknown), `slots` taken."""
        slots = {
            uuid: f"{self._slots.taken(group)} of {self._slots.room(group)}" for group in self._pools for uuid in group
        }
        return [{**row, "slots": slots.get(uuid, "0 of 0")} for uuid, row in self._watch.rows().items()]

    async def start(self) -> None:
        """Start the workers; see `Executor.start`."""
        self._watch.start()
        for pool in self._pools.values():
            await pool.start()

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run one task with the cards that were booked for it, and return its answer; see `Executor.submit`.

        Raises:
            ResumableError: a card has disappeared, and candidates would be blamed for it.
        """
        async with self._turns:
            group = self._slots.take()
            assert group is not None, "as many may enter as there is room"
            try:
                self._watch.require(group)
                return await self._pools[group].submit(task, with_cards(payload, group, share=self._share))
            finally:
                self._slots.give_back(group)

    async def close(self) -> None:
        """Kill the workers; unanswered work is dropped."""
        self._watch.stop()
        for pool in self._pools.values():
            await pool.close()
        if self._claims is not None:
            self._claims.close()

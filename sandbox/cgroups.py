"""A second wall around the memory and the processes of a candidate: control groups, where this process may make them.

The kernel charges a group for all that its processes touch after they entered it: private and shared memory, page
tables, files in memory. Both generations of the interface are known. In the older one (v1) each controller has a tree
of its own; in the newer one (v2) groups that hold processes cannot be divided, so that only a delegated group above
ours, or the root of the tree, will do.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cgroup_places import OWN_PROC, CgroupUnavailable, find_places
from sandbox.cgroup_tree import CgroupTree, sweep_group

__all__ = ["CgroupSlots", "CgroupUnavailable", "sweep"]


@dataclass(slots=True)
class _Slot:
    """What is set in a slot, and what its counter of killed processes said when the last one entered."""

    limits: tuple[int, int] | None = None
    n_killed: int = 0


@dataclass(slots=True, kw_only=True)
class CgroupSlots:
    """Reusable groups, one for each session that runs; a slot is made when it is first entered.

    A server opens them once, before it changes its view of files. `trees` has a tree for each limited resource: always
    "memory", and "pids" where that can be limited too.
    """

    is_unified: bool
    trees: dict[str, CgroupTree]
    _slots: dict[int, _Slot] = field(default_factory=dict)

    @classmethod
    def open(cls, token: str, *, proc: Path = OWN_PROC) -> "CgroupSlots":
        """Make this server's folder, after those of dead servers are gone.

        Args:
            token: what makes the server's name unique on this machine.
            proc: the folder of /proc that describes this process.

        Raises:
            CgroupUnavailable: no memory limit can be set here; the text says why.
        """
        places, is_unified = find_places(proc)
        sweep(proc=proc)
        made: dict[Path, CgroupTree] = {}
        slots = cls(is_unified=is_unified, trees={})
        for controller, group in places.items():
            try:
                if group not in made:
                    made[group] = CgroupTree.make(group, token)
                    slots.trees[controller] = made[group]
                    if is_unified:
                        made[group].hand_down(set(places))
                slots.trees[controller] = made[group]
            except OSError as error:
                if controller == "memory":
                    slots.close()
                    raise CgroupUnavailable(f"no group can be made below {group}: {error.strerror}") from error
        return slots

    def enter(self, slot: int, pid: int, *, memory_bytes: int, n_processes: int) -> None:
        """Limit an empty slot and move a process that has no children yet into it.

        What the process has touched already stays on the server's account, and the kernel counts in steps of some
        hundred KiB for each core: limits below a few MiB are not to be relied on.

        Raises:
            OSError: the process is gone, or the kernel refused; the process must not run on.
        """
        state = self._slots.get(slot)
        if state is None:
            for tree in self._distinct():
                tree.make_slot(slot)
            state = self._slots[slot] = _Slot()
        if state.limits != (memory_bytes, n_processes):
            state.limits = None
            self._limit(slot, memory_bytes, n_processes)
            state.limits = (memory_bytes, n_processes)
        if not self.is_unified:
            self.trees["memory"].write(slot, "memory.max_usage_in_bytes", "0")
        state.n_killed = self._n_killed(slot)
        for tree in self._distinct():
            tree.write(slot, "cgroup.procs", str(pid))

    def was_out_of_memory(self, slot: int) -> bool:
        """Whether the kernel killed a process of the slot for its memory since the last one entered."""
        return slot in self._slots and self._n_killed(slot) > self._slots[slot].n_killed

    def peak_bytes(self, slot: int) -> int | None:
        """The most memory charged at once since the last process entered; None on v2, where it is not reset."""
        if self.is_unified or slot not in self._slots:
            return None
        return int(self.trees["memory"].read(slot, "memory.max_usage_in_bytes"))

    def kill(self, slot: int) -> None:
        """Kill all processes in a slot, however fast they fork; the caller reaps them."""
        if slot in self._slots:
            for tree in self._distinct():
                tree.kill(slot)

    def close(self) -> None:
        """Kill what is left in the slots and remove them all."""
        for tree in self._distinct():
            tree.remove()
        self._slots.clear()
        self.trees.clear()

    def _distinct(self) -> list[CgroupTree]:
        return list(dict.fromkeys(self.trees.values()))

    def _limit(self, slot: int, memory_bytes: int, n_processes: int) -> None:
        memory = self.trees["memory"]
        if self.is_unified:
            memory.write(slot, "memory.max", str(memory_bytes))
            memory.write(slot, "memory.swap.max", "0", missing_ok=True)
            memory.write(slot, "memory.oom.group", "1", missing_ok=True)
        else:
            with_swap = "memory.memsw.limit_in_bytes"  # may never be below the limit without swap: so first away
            memory.write(slot, with_swap, "-1", missing_ok=True)
            memory.write(slot, "memory.limit_in_bytes", str(memory_bytes))
            memory.write(slot, with_swap, str(memory_bytes), missing_ok=True)
        if "pids" in self.trees:
            self.trees["pids"].write(slot, "pids.max", str(n_processes))

    def _n_killed(self, slot: int) -> int:
        file = "memory.events" if self.is_unified else "memory.oom_control"
        words = self.trees["memory"].read(slot, file).split()
        return int(words[words.index("oom_kill") + 1])


def sweep(*, proc: Path = OWN_PROC) -> int:
    """Kill and remove what servers left that died without cleaning up; called by the next server or by a controller.

    A server that lives holds a lock, so its folder stays.

    Returns:
        How many folders were removed.
    """
    with suppress(CgroupUnavailable):
        places, _ = find_places(proc)
        return sum(sweep_group(group) for group in set(places.values()))
    return 0

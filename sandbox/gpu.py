"""Which graphics cards a sandbox's candidates may use, and what a fork server has to know of them.

Nothing in a fork server talks to CUDA: a process that did could no longer be forked. So the controller looks for the
cards, and hands over what it found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from sandbox.errors import SandboxError

CONTEXT_BYTES = 1 << 30  # what CUDA itself takes of a card (0.3 to 0.6 GiB) is not the candidate's doing
_NODES = ("nvidia[0-9c-]*", "nvidia-caps/nvidia-cap*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPlaces:
    """Where the driver shows itself on this machine. Others than these are for tests."""

    nodes: str = "/dev"
    proc: str = "/proc/driver"
    pci: str = "/sys/bus/pci/devices"
    library: str | None = "libcuda.so.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuAccess:
    """The graphics cards (NVIDIA's) that the candidates of a sandbox may use; they do not see any other.

    `devices` are numbers as `nvidia-smi` shows them, or UUIDs of cards or of parts of cards (MIG); `nvidia_smi` is that
    program. `same_pids` says whether it counts processes as this process does, which limits of GPU memory rely on;
    None: it does, unless this is a container. With a `memory_share` below 1 several candidates share a card: each may
    take that part of its memory, unless its limits say less.
    """

    devices: tuple[int | str, ...] = (0,)
    nvidia_smi: str = "nvidia-smi"
    same_pids: bool | None = None
    memory_share: float = 1.0
    places: DriverPlaces = field(default_factory=DriverPlaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """What a fork server has to know of its cards.

    `visible` names the cards for CUDA. `nodes` are their device files, `hidden_nodes` those of other cards. `folders`
    and, in /proc, `files` may be read. `memory_bytes` is the size of the smallest card, 0 if nobody knows;
    `limits_torch` says that torch can be told its share of it. `library` is loaded to see whether CUDA starts, unless
    it is None.
    """

    visible: str
    nodes: tuple[str, ...]
    hidden_nodes: tuple[str, ...]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    memory_bytes: int
    limits_torch: bool
    library: str | None

    @classmethod
    def from_plain(cls, fields: Mapping[str, Any]) -> Self:
        """Undo what JSON does to `dataclasses.asdict`."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        return cls(**plain)

    def environment(self, gpu_memory_bytes: int) -> dict[str, str]:
        """The variables that make CUDA, and as a courtesy torch, keep to their part."""
        told = {"CUDA_VISIBLE_DEVICES": self.visible, "CUDA_CACHE_DISABLE": "1"}
        if gpu_memory_bytes and self.memory_bytes and self.limits_torch:
            fraction = min(1.0, gpu_memory_bytes / self.memory_bytes)
            told["PYTORCH_CUDA_ALLOC_CONF"] = f"per_process_memory_fraction:{fraction:.6f}"
        return told


def share_bytes(gpu: Gpu, access: GpuAccess) -> int:
    """What one of several candidates on a card may take, beside what CUDA takes itself; 0: all, or nobody knows.

    Raises:
        SandboxError: so small a part of this card is not enough for CUDA itself.
    """
    if access.memory_share >= 1.0 or not gpu.memory_bytes:
        return 0
    left = int(gpu.memory_bytes * access.memory_share) - CONTEXT_BYTES
    if left <= 0:
        raise SandboxError(
            f"{access.memory_share:g} of a card with {gpu.memory_bytes >> 20} MiB is less than CUDA itself may take "
            f"({CONTEXT_BYTES >> 20} MiB): give each candidate more (--gpus)"
        )
    return left


def nodes_in(folder: str = "/dev") -> tuple[str, ...]:
    """The device files of all graphics cards."""
    found = {path for pattern in _NODES for path in Path(folder).glob(pattern)}
    return tuple(str(path) for path in sorted(found) if path.is_char_device())

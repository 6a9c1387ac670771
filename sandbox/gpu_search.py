"""Finds the graphics cards of a sandbox and all that belongs to them; runs in the controller, asks `nvidia-smi`.

The lists of files are what others found CUDA to open inside their sandboxes, with drivers from 418 to 580.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.gpu import Gpu, GpuAccess, nodes_in
from sandbox.limits import MEBIBYTE

ASK_SECONDS = 60.0  # a driver that is not kept awake wakes every card first
TORCH_WITH_FRACTION = (2, 13)  # it takes its share of a card from the environment; older ones stumble over the word
_ADVICE = "look at what `nvidia-smi` prints, or leave gpu=GpuAccess(...) away"

_PROC_FILES = (
    "/proc/cpuinfo", "/proc/devices", "/proc/filesystems", "/proc/meminfo", "/proc/modules", "/proc/stat",
    "/proc/sys/vm/mmap_min_addr", "/proc/sys/vm/overcommit_memory",
)  # fmt: skip
_FOLDERS = (
    "/sys/devices/system/cpu", "/sys/devices/system/memory", "/sys/devices/system/node",
    "/sys/module/nvidia", "/sys/module/nvidia_uvm", "/usr/local/nvidia/lib", "/usr/local/nvidia/lib64",
)  # fmt: skip
_NODES_OF_ALL = ("nvidiactl", "nvidia-uvm")
_NODES_IF_ANY = ("nvidia-uvm-tools", "nvidia-caps/nvidia-cap*")  # the latter of cards that are cut into partitions
_NODES_OF_ADMINISTRATORS = ("nvidia-cap1", "nvidia-cap2")  # to cut cards, and to look into all parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    uuid: str
    memory_bytes: int
    bus: str
    minor: int


def find_gpu(access: GpuAccess) -> Gpu:
    """Look for the cards and everything that belongs to them.

    Raises:
        SandboxError: there is no driver, no such card, or a device file is missing; the text says what was found.
    """
    cards = _cards(access)
    missing = [number for number in access.devices if number not in cards]
    if missing or not access.devices:
        wanted = f" {missing[0]}" if missing else " named"
        found = ", ".join(map(str, sorted(cards))) or "none"
        raise SandboxError(f"there is no GPU{wanted}: nvidia-smi shows {found}; set GpuAccess.devices to some of these")
    chosen = [cards[number] for number in dict.fromkeys(access.devices)]
    nodes = _nodes(access.places.nodes, chosen)
    pci = Path(access.places.pci)
    folders = [str(pci), *(os.path.realpath(pci / card.bus) for card in chosen), *_FOLDERS]
    return Gpu(
        visible=",".join(card.uuid for card in chosen),
        nodes=nodes,
        hidden_nodes=tuple(node for node in nodes_in(access.places.nodes) if node not in nodes),
        folders=tuple(folder for folder in folders if os.path.isdir(folder)),
        files=(*_PROC_FILES, *(str(path) for path in sorted(Path(access.places.proc).glob("nvidia*")))),
        memory_bytes=min(card.memory_bytes for card in chosen),
        limits_torch=_torch_version() >= TORCH_WITH_FRACTION,
        library=access.places.library,
    )


def ask(program: str, question: str, *, seconds: float = ASK_SECONDS) -> list[list[str]]:
    """The table that `nvidia-smi` prints, without its head.

    Raises:
        SandboxError: it is not there, does not answer, or complains.
    """
    command = [program, question, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise SandboxError(f"there is no {program!r}, so no NVIDIA driver: install one, or {_ADVICE}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{program!r} does not answer ({error}): {_ADVICE}") from None
    said = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        said += done.stderr.decode(errors="replace")
        raise SandboxError(f"{program!r} found no working driver ({said.strip()[:500] or done.returncode}): {_ADVICE}")
    return [[word.strip() for word in line.split(",")] for line in said.splitlines() if line.strip()]


def _cards(access: GpuAccess) -> dict[int, _Card]:
    cards = {}
    for row in ask(access.nvidia_smi, "--query-gpu=index,uuid,memory.total,pci.bus_id"):
        try:
            index, uuid, mebibytes, bus_id = row
            number, bus = int(index), _bus_of(bus_id)
        except ValueError:
            raise SandboxError(f"{access.nvidia_smi!r} says what nobody understands, {row}: {_ADVICE}") from None
        cards[number] = _Card(
            uuid=uuid,
            memory_bytes=int(mebibytes) * MEBIBYTE if mebibytes.isdecimal() else 0,
            bus=bus,
            minor=_minor_of(Path(access.places.proc, "nvidia", "gpus", bus, "information"), number),
        )
    return cards


def _bus_of(bus_id: str) -> str:
    """A card's place on the bus as the kernel writes it: nvidia-smi uses more zeros, and capitals."""
    domain, _, rest = bus_id.partition(":")
    return f"{int(domain, 16):04x}:{rest.lower()}"


def _minor_of(information: Path, number: int) -> int:
    """The number in the name of a card's device file, which need not be the one it is listed under."""
    try:
        found = re.search(r"^Device Minor:\s*(\d+)", information.read_text(), re.MULTILINE)
    except OSError:
        return number
    return number if found is None else int(found[1])


def _nodes(folder: str, cards: Sequence[_Card]) -> tuple[str, ...]:
    """The device files of these cards, and those that belong to all cards."""
    needed = [Path(folder, name) for name in (*(f"nvidia{card.minor}" for card in cards), *_NODES_OF_ALL)]
    for path in needed:
        if not path.is_char_device():
            raise SandboxError(
                f"the device {path} is missing, there are {', '.join(nodes_in(folder)) or 'none'}: run "
                "`nvidia-modprobe -u -c=0` as root, or give this container all device files of the card"
            )
    others = sorted(path for pattern in _NODES_IF_ANY for path in Path(folder).glob(pattern))
    found = [path for path in others if path.name not in _NODES_OF_ADMINISTRATORS and path.is_char_device()]
    return tuple(map(str, (*needed, *found)))


def _torch_version() -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in version("torch").split(".")[:2] if word.isdecimal())
    except PackageNotFoundError:
        return ()

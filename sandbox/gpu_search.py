"""Finds the graphics cards of a sandbox and all that belongs to them; runs in the controller, asks `nvidia-smi`.

The lists of files are what others found CUDA to open inside their sandboxes, with drivers from 418 to 580.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.gpu import DriverPlaces, Gpu, GpuAccess, nodes_in
from sandbox.gpu_cards import Card, CardPart, list_cards

TORCH_WITH_FRACTION = (2, 13)  # it takes its share of a card from the environment; older ones stumble over the word

_PROC_FILES = (
    "/proc/cpuinfo", "/proc/devices", "/proc/filesystems", "/proc/meminfo", "/proc/modules", "/proc/stat",
    "/proc/sys/vm/mmap_min_addr", "/proc/sys/vm/overcommit_memory",
)  # fmt: skip
_FOLDERS = (
    "/sys/devices/system/cpu", "/sys/devices/system/memory", "/sys/devices/system/node",
    "/sys/module/nvidia", "/sys/module/nvidia_uvm", "/usr/local/nvidia/lib", "/usr/local/nvidia/lib64",
)  # fmt: skip
_NODES_OF_ALL = ("nvidiactl", "nvidia-uvm")
_NODES_IF_ANY = ("nvidia-uvm-tools",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A card, or one part of it."""

    card: Card
    part: CardPart | None

    @property
    def uuid(self) -> str:
        return self.card.uuid if self.part is None else self.part.uuid

    @property
    def memory_bytes(self) -> int:
        return self.card.memory_bytes if self.part is None else self.part.memory_bytes


def find_gpu(access: GpuAccess) -> Gpu:
    """Look for the cards and everything that belongs to them.

    Raises:
        SandboxError: there is no driver, no such card, or a device file is missing; the text says what was found.
    """
    cards = list_cards(access.nvidia_smi)
    chosen = [_chosen(device, cards) for device in dict.fromkeys(access.devices)]
    if not chosen:
        raise _no_such("named", cards)
    nodes = _nodes(access.places, chosen)
    pci = Path(access.places.pci)
    folders = [str(pci), *(os.path.realpath(pci / each.card.bus) for each in chosen), *_FOLDERS]
    return Gpu(
        visible=",".join(each.uuid for each in chosen),
        nodes=nodes,
        hidden_nodes=tuple(node for node in nodes_in(access.places.nodes) if node not in nodes),
        folders=tuple(folder for folder in folders if os.path.isdir(folder)),
        files=(*_PROC_FILES, *(str(path) for path in sorted(Path(access.places.proc).glob("nvidia*")))),
        memory_bytes=min(each.memory_bytes for each in chosen),
        limits_torch=_torch_version() >= TORCH_WITH_FRACTION,
        library=access.places.library,
    )


def _chosen(device: int | str, cards: Sequence[Card]) -> _Chosen:
    """The card of this number or name, or the part of this name; of a card that is cut, its first part."""
    for card in cards:
        if device in (card.number, card.uuid):
            if card.is_cut and not card.parts:
                raise SandboxError(
                    f"GPU {device} is set to be cut (MIG) and has no parts: make some with `nvidia-smi mig -cgi`, or "
                    "switch that mode off with `nvidia-smi -mig 0`"
                )
            return _Chosen(card=card, part=card.parts[0] if card.is_cut else None)
        for part in card.parts:
            if device == part.uuid:
                return _Chosen(card=card, part=part)
    raise _no_such(str(device), cards)


def _no_such(wanted: str, cards: Sequence[Card]) -> SandboxError:
    found = ", ".join(str(card.number) for card in cards) or "none"
    return SandboxError(f"there is no GPU {wanted}: nvidia-smi shows {found}; set GpuAccess.devices to some of these")


def _nodes(places: DriverPlaces, chosen: Sequence[_Chosen]) -> tuple[str, ...]:
    """The device files of these cards or parts, and those that belong to all cards."""
    needed: list[Path] = []
    for each in chosen:
        minor = _minor_of(Path(places.proc, "nvidia", "gpus", each.card.bus, "information"), each.card.number)
        needed.append(Path(places.nodes, f"nvidia{minor}"))
        if each.part is not None:
            needed += [Path(places.nodes, "nvidia-caps", name) for name in _rights(places.proc, minor, each.part)]
    needed += [Path(places.nodes, name) for name in _NODES_OF_ALL]
    for path in needed:
        if not path.is_char_device():
            raise SandboxError(
                f"the device {path} is missing, there are {', '.join(nodes_in(places.nodes)) or 'none'}: run "
                "`nvidia-modprobe -u -c=0` as root, or give this container all device files of the card"
            )
    found = [path for path in (Path(places.nodes, name) for name in _NODES_IF_ANY) if path.is_char_device()]
    return tuple(dict.fromkeys(map(str, (*needed, *found))))


def _rights(proc: str, minor: int, part: CardPart) -> tuple[str, str]:
    """The files that open one part of a card: another part's are not given, for who holds them may use that part."""
    folder = Path(proc, "nvidia", "capabilities", f"gpu{minor}", "mig", f"gi{part.gpu_instance}")
    try:
        texts = [(folder / name).read_text() for name in ("access", f"ci{part.compute_instance}/access")]
        first, second = [re.search(r"^DeviceFileMinor:\s*(\d+)", text, re.MULTILINE) for text in texts]
    except OSError as error:
        raise SandboxError(f"the device files of the part {part.uuid} cannot be told from others: {error}") from error
    if first is None or second is None:
        raise SandboxError(f"the device files of the part {part.uuid} cannot be told from others: see {folder}")
    return f"nvidia-cap{first[1]}", f"nvidia-cap{second[1]}"


def _minor_of(information: Path, number: int) -> int:
    """The number in the name of a card's device file, which need not be the one it is listed under."""
    try:
        found = re.search(r"^Device Minor:\s*(\d+)", information.read_text(), re.MULTILINE)
    except OSError:
        return number
    return number if found is None else int(found[1])


def _torch_version() -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in version("torch").split(".")[:2] if word.isdecimal())
    except PackageNotFoundError:
        return ()

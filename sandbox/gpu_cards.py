"""The graphics cards of a machine and what state they are in, as `nvidia-smi` tells it.

What it says depends on the driver, the card and the rights of who asks: fields may be missing, `[N/A]` or refused. So
every field but a card's name and number may be unknown.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.errors import SandboxError
from sandbox.limits import MEBIBYTE
from sandbox.nvidia_smi import ADVICE, ASK_SECONDS, answer_of, ask

_NEEDED = ("index", "uuid", "memory.total", "pci.bus_id")
_USEFUL = ("memory.used", "utilization.gpu", "driver_version", "compute_mode", "mig.mode.current", "name")
_UNKNOWN_FIELD = "not a valid field"  # an older driver knows fewer
_CARD_LINE = re.compile(r"GPU\s+(\d+):.*\(UUID:\s*(GPU-[\w-]+)\)")
_PART_LINE = re.compile(r"\s*MIG\s+(\S+)\s+Device\s+(\d+):\s*\(UUID:\s*(MIG-[\w/-]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPart:
    """A part of a card that is cut (MIG): to programs it is a card of its own, with its own memory.

    `place` is its number on the card, `profile` its size in NVIDIA's words. `gpu_instance` and `compute_instance`
    find its device files; None, as 0 for memory, is unknown.
    """

    uuid: str
    place: int
    profile: str
    gpu_instance: int | None = None
    compute_instance: int | None = None
    n_processors: int | None = None
    memory_bytes: int = 0
    used_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `number` is that of `nvidia-smi`; texts are empty and numbers None (`memory_bytes`: 0) where unknown.

    A card that `is_cut` can be used by its `parts` only.
    """

    number: int
    uuid: str
    memory_bytes: int
    bus: str
    used_bytes: int | None = None
    busy_percent: int | None = None
    driver: str = ""
    compute_mode: str = ""
    name: str = ""
    is_cut: bool = False
    parts: tuple[CardPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUnit:
    """What a program can be given: a card, or a part of one that is cut. `label` is `1`, or `1:0` for a part."""

    uuid: str
    label: str
    name: str
    memory_bytes: int
    used_bytes: int | None
    is_shareable: bool


def list_cards(program: str = "nvidia-smi", *, seconds: float = ASK_SECONDS) -> tuple[Card, ...]:
    """All cards of this machine, by number.

    Raises:
        SandboxError: there is no driver, it does not answer, or nobody understands what it says.
    """
    try:
        rows = ask(program, f"--query-gpu={','.join((*_NEEDED, *_USEFUL))}", seconds=seconds)
    except SandboxError as error:
        if _UNKNOWN_FIELD not in str(error):
            raise
        rows = ask(program, f"--query-gpu={','.join(_NEEDED)}", seconds=seconds)
    cards = [_card_of(program, row) for row in rows]
    if any(card.is_cut for card in cards):
        parts = _parts(program, seconds)
        cards = [replace(card, parts=parts.get(card.uuid, ())) for card in cards]
    return tuple(sorted(cards, key=lambda card: card.number))


def units_of(cards: Sequence[Card]) -> tuple[CardUnit, ...]:
    """What programs can be given of these cards: whole ones, and the parts of those that are cut."""
    units: list[CardUnit] = []
    for card in cards:
        if card.compute_mode == "Prohibited":
            continue
        is_shareable = card.compute_mode != "Exclusive_Process"
        if not card.is_cut:
            units.append(
                CardUnit(
                    uuid=card.uuid,
                    label=str(card.number),
                    name=card.name,
                    memory_bytes=card.memory_bytes,
                    used_bytes=card.used_bytes,
                    is_shareable=is_shareable,
                )
            )
        units += [
            CardUnit(
                uuid=part.uuid,
                label=f"{card.number}:{part.place}",
                name=f"{card.name} {part.profile}".strip(),
                memory_bytes=part.memory_bytes,
                used_bytes=part.used_bytes,
                is_shareable=is_shareable,
            )
            for part in card.parts
        ]
    return tuple(units)


def _card_of(program: str, row: Sequence[str]) -> Card:
    try:
        number, uuid, mebibytes, bus_id = int(row[0]), row[1], row[2], row[3]
        bus = _bus_of(bus_id)
    except (ValueError, IndexError):
        raise SandboxError(f"{program!r} says what nobody understands, {list(row)}: {ADVICE}") from None
    used, busy, driver, mode, cut, *name = (*row[4:], *[""] * max(0, 5 - len(row[4:])))
    return Card(
        number=number,
        uuid=uuid,
        memory_bytes=_bytes_of(mebibytes) or 0,
        bus=bus,
        used_bytes=_bytes_of(used),
        busy_percent=int(busy) if busy.isdecimal() else None,
        driver=_known(driver),
        compute_mode=_known(mode),
        name=_known(", ".join(name)),
        is_cut=cut == "Enabled",
    )


def _bytes_of(mebibytes: str) -> int | None:
    """Mebibytes, with or without their unit."""
    number = mebibytes.removesuffix("MiB").strip()
    return int(number) * MEBIBYTE if number.isdecimal() and number.isascii() else None


def _known(text: str) -> str:
    """The text, but for what `nvidia-smi` says of what it does not know."""
    return "" if text in ("N/A", "None") or text.startswith("[") else text[:100]


def _bus_of(bus_id: str) -> str:
    """A card's place on the bus as the kernel writes it: nvidia-smi uses more zeros, and capitals."""
    domain, _, rest = bus_id.partition(":")
    return f"{int(domain, 16):04x}:{rest.lower()}"


def _parts(program: str, seconds: float) -> dict[str, tuple[CardPart, ...]]:
    """The parts of all cards that are cut, by the card's name: the list has their names, the report all else."""
    listed: dict[str, list[CardPart]] = {}
    here: list[CardPart] = []
    for line in answer_of(program, ["-L"], seconds=seconds).splitlines():
        if found := _CARD_LINE.search(line):
            here = listed.setdefault(found[2], [])
        elif found := _PART_LINE.match(line):
            here.append(CardPart(uuid=found[3], place=int(found[2]), profile=found[1]))
    details = details_of(answer_of(program, ["-q", "-x"], seconds=seconds)) if listed else {}
    return {
        uuid: tuple(replace(part, **details.get((uuid, part.place), {})) for part in parts)
        for uuid, parts in listed.items()
    }


def details_of(report: str) -> dict[tuple[str, int], dict[str, Any]]:
    """What the long report says of parts, by card and place; what cannot be read is unknown."""
    try:
        tree = ElementTree.fromstring(report)  # noqa: S314 (the driver's own words)
    except ElementTree.ParseError:
        return {}
    found = {}
    for card in tree.iter("gpu"):
        for part in card.iter("mig_device"):
            place = _number(part, "index")
            if place is not None:
                found[(card.findtext("uuid", "").strip(), place)] = {
                    "gpu_instance": _number(part, "gpu_instance_id"),
                    "compute_instance": _number(part, "compute_instance_id"),
                    "n_processors": _number(part, "device_attributes/shared/multiprocessor_count"),
                    "memory_bytes": _bytes_of(part.findtext("fb_memory_usage/total", "").strip()) or 0,
                    "used_bytes": _bytes_of(part.findtext("fb_memory_usage/used", "").strip()),
                }
    return found


def _number(part: ElementTree.Element, name: str) -> int | None:
    text = part.findtext(name, "").strip()
    return int(text) if text.isdecimal() and text.isascii() else None

"""The graphics cards of this machine, for `evolve doctor`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evolve.cli.figures import plural
from evolve.cli.terminal import clean_line

ASK_SECONDS = 20.0
MEBIBYTE = 1 << 20
EXAMPLE = 4
"""`--gpus 0.25` is what people try first."""


def machine_cards() -> dict[str, Any]:
    """The cards, why there are none, and whether what a candidate takes of one can be watched."""
    from sandbox.errors import SandboxError
    from sandbox.gpu_cards import list_cards
    from sandbox.nvidia_smi import reason_of

    try:
        cards = [asdict(card) for card in list_cards(seconds=ASK_SECONDS)]
    except SandboxError as error:
        return {"cards": [], "error": reason_of(error), "is_watched": None}
    from sandbox.gpu_watch import counts_as_the_machine

    return {"cards": cards, "error": None, "is_watched": counts_as_the_machine()}


def card_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same as lines: what there is, and how many evaluations can share it."""
    if not found["cards"]:
        yield f"cards     none: {clean_line(found['error'] or 'nvidia-smi shows none')}"
        return
    for card in found["cards"]:
        yield f"card {card['number']:<4} {_described(card)}"
        for part in card["parts"]:
            size = f"{part['memory_bytes'] // MEBIBYTE:,} MiB" if part["memory_bytes"] else "memory unknown"
            processors = "" if part["n_processors"] is None else f", {part['n_processors']} processors"
            yield f"  part {card['number']}:{part['place']}  {clean_line(part['profile'])}, {size}{processors}"
        if card["is_cut"] and not card["parts"]:
            yield "  set to be cut (MIG) and without parts: no program can use it"
    yield from _shares(found["cards"])
    if not found["is_watched"]:
        yield "  what a candidate takes of a card cannot be watched in this container (start it with --pid=host)"


def _described(card: Mapping[str, Any]) -> str:
    total, used = card["memory_bytes"] // MEBIBYTE, card["used_bytes"]
    memory = f"{total:,} MiB" if total else "memory unknown"
    if total and used is not None:
        memory += f", {used // MEBIBYTE:,} used"
    words = [
        clean_line(card["name"]) or clean_line(card["uuid"]),
        memory,
        f"driver {clean_line(card['driver']) or '?'}",
        "" if card["compute_mode"] in ("", "Default") else f"compute mode {clean_line(card['compute_mode'])}",
    ]
    return ", ".join(word for word in words if word)


def _shares(cards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What `--gpus` makes of them."""
    from sandbox.gpu import CONTEXT_BYTES

    sizes = [part["memory_bytes"] for card in cards for part in card["parts"]]
    sizes += [card["memory_bytes"] for card in cards if not card["is_cut"]]
    if not sizes:
        return
    left = min((size // EXAMPLE - CONTEXT_BYTES) // MEBIBYTE for size in sizes)
    room = f"{left:,} MiB beside what CUDA takes" if left > 0 else "too little memory"
    at_once = plural(len(sizes), "evaluation")
    yield f"shares    --gpus 1: {at_once} at a time; 0.25: {EXAMPLE * len(sizes)}, each with {room}"

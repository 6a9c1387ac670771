"""The graphics cards of a run as text: what its candidates are judged on, and how full the cards are."""

from collections.abc import Mapping, Sequence
from typing import Any

from evolve.cli.figures import figure
from evolve.cli.terminal import clean_line

COLUMNS = ("card", "name", "memory used", "of", "slots")


def cards_table(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[list[Any]]]:
    """The cards of a run, as its pulse has them: heads and rows; of a cluster the nodes that have cards."""
    return COLUMNS, [
        [
            clean_line(str(row.get("index", row.get("node", "?")))),
            clean_line(str(row.get("name", f"{row.get('cards', '?')} cards"))),
            _mebibytes(row.get("memory_used_mb")),
            _mebibytes(row.get("memory_total_mb")),
            clean_line(str(row.get("note") or row.get("slots", f"{row.get('share', '?')} each"))),
        ]
        for row in rows
    ]


def devices_line(devices: Sequence[Any]) -> str:
    """On what the candidates of a run were judged, session by session where that changed; empty if nobody knows."""
    told = [(each.get("session"), _device(each)) for each in devices if isinstance(each, Mapping)]
    if len({text for _, text in told}) > 1:
        sessions = "; ".join(f"session {figure(number)}: {text}" for number, text in told)
        return f"judged on different things, so that speed and rounding cannot be compared: {sessions}"
    return f"judged on {told[0][1]}" if told else ""


def _device(record: Mapping[str, Any]) -> str:
    cards = record.get("cards")
    if not isinstance(cards, list) or not cards:
        return "processors"
    names = [clean_line(str(card)) for card in cards]
    counted = {name: names.count(name) for name in names}
    listed = ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counted.items())
    share = record.get("share")
    return f"{listed} ({share:g} for each evaluation)" if isinstance(share, int | float) else listed


def _mebibytes(number: object) -> str:
    return f"{number:,} MiB" if isinstance(number, int) else "?"

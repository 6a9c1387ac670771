"""Work for tests of booking: each task writes down when it had which cards, so that a card given away twice shows."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HANDLER = "evolve.testing.card_tasks:handle"


def handle(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Hold the judge's cards for a while, or die with them the first time; runs in workers."""
    judge = payload["judge"]
    started = time.monotonic()
    time.sleep(payload["seconds"])
    if task == "die once" and not os.path.exists(payload["marker"]):
        Path(payload["marker"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    row = {"gpus": judge["gpus"], "share": judge["gpu_share"], "from": started, "to": time.monotonic()}
    with open(payload["log"], "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(row) + "\n")
    return {**row, "pid": os.getpid()}


def payload_of(log: Path, *, seconds: float, marker: Path | None = None) -> dict[str, Any]:
    """What to give a task; its judge wants a card."""
    judge = {"gpus": ["needed"], "gpu_share": 1.0}
    return {"judge": judge, "log": str(log), "seconds": seconds, "marker": None if marker is None else str(marker)}


def rows_of(log: Path) -> list[dict[str, Any]]:
    """What the tasks wrote down."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def most_at_once(rows: Sequence[Mapping[str, Any]], card: object) -> int:
    """How many tasks had this card at the same moment, at most."""
    moments = [(row["from"], 1) for row in rows if card in row["gpus"]]
    moments += [(row["to"], -1) for row in rows if card in row["gpus"]]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most

"""Constructions published by others: test material that is never shipped, read from a folder beside the checkout.

`EVOLVE_RECORDS` names another folder. Tests that need it are skipped where it is absent.
"""

import csv
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("EVOLVE_RECORDS") or HOME.parent / "shared" / "data")

needs_records = pytest.mark.skipif(
    not (FOLDER / "records").is_dir(),
    reason="the published constructions are not here: EVOLVE_RECORDS names a folder with records/ in it",
)


def record(name: str) -> Any:
    """The data of a published construction."""
    return json.loads((FOLDER / "records" / f"{name}.json").read_text(encoding="utf-8"))["data"]


@cache
def verified() -> dict[str, float]:
    """What published constructions are worth, recomputed exactly by other code."""
    with (FOLDER / "verified_values.csv").open(encoding="utf-8", newline="") as handle:
        return {row["id"]: float(row["certified"]) for row in csv.DictReader(handle) if row["certified"]}

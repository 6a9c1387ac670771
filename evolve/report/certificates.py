"""The certificates that `evolve verify` left in a run's folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolve.store import CandidateRecord

FILES_MOST = 500
BYTES_MOST = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was proved about one candidate. `value` is in the problem's own terms."""

    candidate: int
    verdict: str
    value: float | None
    detail: str
    name: str
    files: Mapping[str, Any]

    def is_about(self, record: CandidateRecord) -> bool:
        """Whether it speaks of this very program: a folder may hold certificates of another run."""
        return self.candidate == record.candidate.id and dict(self.files) == dict(record.candidate.files)


def read_certificates(run_dir: Path) -> dict[int, Certificate]:
    """All certificates by candidate; what cannot be read as one is passed over."""
    found = {}
    for path in sorted((run_dir / "certificates").glob("*.json"))[:FILES_MOST]:
        certificate = _read(path)
        if certificate is not None:
            found[certificate.candidate] = certificate
    return found


def _read(path: Path) -> Certificate | None:
    try:
        if not path.is_file() or path.stat().st_size > BYTES_MOST:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
        value = document["value"]
        return Certificate(
            candidate=int(document["candidate"]),
            verdict=str(document["verdict"]),
            value=None if value is None else float(value),
            detail=str(document.get("detail") or ""),
            name=path.name,
            files=dict(document["files"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None

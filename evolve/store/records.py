"""The rows of the log, as values."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from archive.candidate import Candidate
from evaluators.contract import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """One judged candidate and what the archive of its island said of it."""

    candidate: Candidate
    evaluation: Evaluation
    island: int
    status: str
    cell: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationRecord:
    """One told iteration: its candidates in order, and what the operator cost (deterministic units) and earned."""

    number: int
    operator: str
    island: int
    cost: float
    reward: float
    seconds: float
    n_duplicates: int
    candidates: tuple[CandidateRecord, ...]


def source_hash(files: Mapping[str, str]) -> str:
    """Hash the files of a candidate (hex SHA-256, shortened to 32 digits)."""
    return hashlib.sha256(_canonical_json(files)).hexdigest()[:32]


def pack_files(files: Mapping[str, str]) -> bytes:
    """Compress the files of a candidate for the `source` table."""
    return zlib.compress(_canonical_json(files), 6)


def unpack_files(body: bytes) -> dict[str, str]:
    """Undo `pack_files`."""
    files: dict[str, str] = json.loads(zlib.decompress(body))
    return files


def _canonical_json(files: Mapping[str, str]) -> bytes:
    return json.dumps(dict(files), ensure_ascii=False).encode("utf-8", "surrogatepass")

"""The rows of the log, as values."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """One told iteration: its candidates in order, and what the operator cost (deterministic units) and earned.

    `notes` is JSON data that the operator and the loop left for the search to learn from.
    """

    number: int
    operator: str
    island: int
    cost: float
    reward: float
    seconds: float
    n_duplicates: int
    candidates: tuple[CandidateRecord, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One request to a language model, or (with no tokens) why none was sent.

    `ordinal` numbers the questions of an iteration, `attempt` the requests of one question, over all models that were
    tried. `prompt_hash` is the question's, `outcome` a word of `evolve.llm.contract.Outcome`. `cost_usd` is None where
    the price is unknown. The question's answer is the record with `is_final`.
    """

    iteration: int
    ordinal: int
    attempt: int
    purpose: str
    model: str
    provider: str = ""
    prompt_hash: str
    outcome: str
    text: str = ""
    detail: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimated: bool = False
    cost_usd: float | None
    seconds: float = 0.0
    request_id: str = ""
    model_reported: str = ""
    is_final: bool = False


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

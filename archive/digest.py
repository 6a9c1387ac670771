"""The archive's hash: what two runs compare to say that they came to the same."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from archive.contract import Elite


def digest_of(shape: Mapping[str, Any], elites: Iterable[Elite]) -> str:
    """SHA-256 in hex over the shape and, elite by elite: cell, rank, fingerprint, files, score, descriptor.

    Scores and numbers go in as hexadecimal floats: two archives are equal only if they are equal to the last bit.
    """
    digest = sha256(_json(shape))
    for elite in elites:
        values = [value if isinstance(value, str) else [value.hex()] for value in elite.descriptor]
        candidate = elite.candidate
        files = sha256(_json(dict(candidate.files))).hexdigest()
        digest.update(_json([elite.cell, elite.rank, candidate.fingerprint, files, elite.score.hex(), values]))
    return digest.hexdigest()


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()

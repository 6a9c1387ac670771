"""Length-prefixed JSON frames between the controller and its own workers."""

import json
from collections.abc import Mapping
from typing import Any

HEADER_BYTES = 4
MAX_FRAME_BYTES = 1 << 28


def encode(message: Mapping[str, Any]) -> bytes:
    """One frame: four bytes of length (big endian), then JSON. NaN is refused."""
    body = json.dumps(message, allow_nan=False).encode()
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def decode_length(header: bytes) -> int:
    """The body's length in bytes."""
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes is over the limit of {MAX_FRAME_BYTES}")
    return length


def decode(body: bytes) -> dict[str, Any]:
    """The message of a frame's body."""
    message: dict[str, Any] = json.loads(body)
    return message


def bodies(blob: bytes) -> list[bytes]:
    """The bodies of frames that follow each other.

    Raises:
        ValueError: they do not end where the bytes end.
    """
    found, place = [], 0
    while place < len(blob):
        start = place + HEADER_BYTES
        place = start + decode_length(blob[place:start])
        found.append(blob[start:place])
    if place != len(blob):
        raise ValueError("the last frame is cut off")
    return found


def framed(body: bytes) -> bytes:
    """The frame of a body that is JSON already."""
    return len(body).to_bytes(HEADER_BYTES, "big") + body

"""Whole messages over blocking descriptors: the candidate's side of the pipes."""

import os

from sandbox.wire import HEADER

CHUNK_BYTES = 1 << 20


def read_frame(descriptor: int) -> tuple[int, bytearray] | None:
    """The next message as tag and body, or None when the writer is gone."""
    header = _read_exactly(descriptor, HEADER.size)
    if header is None:
        return None
    size, tag = HEADER.unpack(header)
    body = _read_exactly(descriptor, size - 1)
    return None if body is None else (tag, body)


def write_all(descriptor: int, message: bytes) -> None:
    """Write a message to its end."""
    n_written = os.write(descriptor, message)
    if n_written < len(message):
        rest = memoryview(message)[n_written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _read_exactly(descriptor: int, size: int) -> bytearray | None:
    data = bytearray()
    while len(data) < size:
        chunk = os.read(descriptor, min(size - len(data), CHUNK_BYTES))
        if not chunk:
            return None
        data += chunk
    return data

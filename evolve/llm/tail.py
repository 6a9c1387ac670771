"""The bytes of a response, bounded, and the last of them. Import this inside functions: it needs an HTTP client."""

import zlib
from collections.abc import AsyncIterator, Callable

import httpx2

from evolve.llm.outcomes import ProtocolError

N_BYTES = 64
MOST_BYTES = 1 << 26
MOST_ERROR_BYTES = 1 << 18
_PIECE = 1 << 16
_ANY_HEADER = 47  # zlib's number for: gzip or zlib, whichever it is


Unpack = Callable[[bytes], tuple[bytes, bytes]]
"""From packed bytes to some unpacked ones, and the packed ones that are left."""


class Tail(httpx2.AsyncByteStream):
    """Passes the bytes of a response on, up to a limit: nothing else keeps an endless line out of our memory.

    What says of itself that it is an error ends at its limit without a word, as its beginning tells all that there is
    to know. Compressed bytes, which nobody asked for, are unpacked here: the limit is one of unpacked bytes. The last
    few are remembered, as an SDK does not tell what closed a stream.
    """

    def __init__(self, response: httpx2.Response, *, most_bytes: int = MOST_BYTES) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        self._stream = response.stream
        self._is_error = not response.is_success
        self._left = MOST_ERROR_BYTES if self._is_error else most_bytes
        self._encoding = response.headers.pop("content-encoding", "identity").strip().lower()
        self.last = b""
        response.stream = self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        unpack = self._unpacking()
        async for packed in self._stream:
            while packed:
                piece, packed = unpack(packed)
                self._left -= len(piece)
                if self._left < 0 and self._is_error:
                    return
                if self._left < 0:
                    raise ProtocolError("the answer is longer than any that a model could give")
                self.last = (self.last + piece)[-N_BYTES:]
                yield piece

    def _unpacking(self) -> Unpack:
        if self._encoding in ("identity", ""):
            return lambda packed: (packed, b"")
        if self._encoding not in ("gzip", "x-gzip", "deflate"):
            raise ProtocolError(f"the answer is packed with {self._encoding[:40]!r}, which was not asked for")
        unpacker = zlib.decompressobj(_ANY_HEADER)

        def unpack(packed: bytes) -> tuple[bytes, bytes]:
            try:
                piece = unpacker.decompress(packed, _PIECE)
            except zlib.error as error:
                raise ProtocolError(f"the answer cannot be unpacked: {error}") from error
            return piece, unpacker.unconsumed_tail

        return unpack

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """Bound a response before anybody reads it: a hook of the HTTP client."""
    Tail(response)

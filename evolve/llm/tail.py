"""The last bytes of a response. Import this inside functions: it needs the SDKs' HTTP client."""

from collections.abc import AsyncIterator

import httpx2

from evolve.llm.outcomes import ProtocolError

N_BYTES = 64
MOST_BYTES = 1 << 26


class Tail(httpx2.AsyncByteStream):
    """Passes the bytes of a response on, up to a limit: nothing else keeps an endless line out of our memory.

    It remembers the last few, as an SDK does not tell what closed a stream.
    """

    def __init__(self, response: httpx2.Response, *, most_bytes: int = MOST_BYTES) -> None:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        self._stream = response.stream
        self._left = most_bytes
        self.last = b""
        response.stream = self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise ProtocolError("the answer is longer than any that a model could give")
            self.last = (self.last + piece)[-N_BYTES:]
            yield piece

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._stream.aclose()

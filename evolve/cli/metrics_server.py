"""The figures of a run on a port of this machine, for Prometheus to fetch."""

import asyncio
import os
import threading

from evolve.cli.metrics import CONTENT_TYPE, Gauges
from evolve.errors import EvolveEnvironmentError

HOST = "127.0.0.1"
MAX_CLIENTS = 16
MAX_REQUEST_BYTES = 8192
CLIENT_SECONDS = 5.0
TURNS_OF_A_NEW_CLIENT = 8
"""Turns of the event loop after which one that was just accepted is being served, and can be hung up on.

A server that is closed in between would leave it open for ever.
"""
_NAMES_OF_THIS_MACHINE = ("127.0.0.1", "localhost")


class MetricsServer:
    """Answers GET /metrics on the loopback address from a thread of its own, and nothing else."""

    def __init__(self, port: int, gauges: Gauges) -> None:
        self._gauges = gauges
        self._clients: dict[asyncio.Task[object], asyncio.StreamWriter] = {}
        self._loop = asyncio.new_event_loop()
        try:
            self._server = self._loop.run_until_complete(
                asyncio.start_server(self._serve, HOST, port, limit=MAX_REQUEST_BYTES)
            )
        except OSError as error:
            self._loop.close()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise EvolveEnvironmentError(
                f"cannot serve metrics on {HOST}:{port}: {reason}; give another --metrics-port, or 0 for any free one"
            ) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever, name="metrics", daemon=True)
        self._thread.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            if len(self._clients) <= MAX_CLIENTS:
                async with asyncio.timeout(CLIENT_SECONDS):
                    writer.write(self._answer_to(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that is slow, gone or no client at all
        finally:
            del self._clients[task]
            writer.close()

    def _answer_to(self, request: bytes) -> bytes:
        first, *headers = request.decode("latin-1").split("\r\n")
        words = first.split(" ")
        host = next((line.partition(":")[2].strip() for line in headers if line.lower().startswith("host:")), "")
        if host.rpartition(":")[0] not in _NAMES_OF_THIS_MACHINE and host not in _NAMES_OF_THIS_MACHINE:
            return _response("403 Forbidden", "ask for this machine by its own name\n")  # a web page that rebinds names
        if len(words) != 3 or words[0] not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", "only GET\n")
        if words[1].partition("?")[0] != "/metrics":
            return _response("404 Not Found", "see /metrics\n")
        return _response("200 OK", self._gauges.exposition(), with_body=words[0] == "GET")

    def close(self) -> None:
        """Stop serving; whoever is being answered is dropped."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        for _ in range(TURNS_OF_A_NEW_CLIENT):
            await asyncio.sleep(0)
        self._server.close()
        clients = dict(self._clients)
        for writer in clients.values():
            writer.transport.abort()  # a task that is cancelled here would be reported as an error by Python 3.11
        await asyncio.gather(*clients)


def _response(status: str, text: str, *, with_body: bool = True) -> bytes:
    body = text.encode("utf-8")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")

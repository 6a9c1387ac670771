"""HTTP/1.1 by hand, so that it can be broken by hand: reads requests, writes answers in chosen ways."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from evolve.testing.llm_server_actions import Cut, Say, Status
from evolve.testing.llm_server_answer import Spoken
from evolve.testing.llm_server_formats import error_frame, frames_of, whole_of

MAX_HEAD_BYTES = 1 << 16


class GoneError(Exception):
    """This connection is finished, on purpose or because the other side left."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_request(self) -> tuple[str, str, dict[str, str], Any]:
        """The next request as (method, path, headers, JSON body); raises `GoneError` when there is none."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise GoneError from error
        method, path, _ = first.split(" ")
        return method, path, headers, json.loads(body) if body else None

    async def send(self, data: bytes) -> None:
        """Write and wait until it is on its way."""
        self.writer.write(data)
        try:
            await self.writer.drain()
        except ConnectionError as error:
            raise GoneError from error

    async def send_head(self, code: int, headers: Mapping[str, str]) -> None:
        """The status line and the headers."""
        lines = [
            f"HTTP/1.1 {code} {_REASONS.get(code, 'Said')}",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send_chunk(self, data: bytes) -> None:
        """One HTTP chunk."""
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def wait_until_gone(self) -> None:
        """Say nothing until the other side leaves."""
        try:
            await self.reader.read(1)
        except ConnectionError as error:
            raise GoneError from error
        raise GoneError

    def reset(self) -> None:
        """End with RST, as a crashed server or a firewall does; raises `GoneError`."""
        handle = self.writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise GoneError


async def send_status(connection: Accepted, status: Status, number: int) -> None:
    """A document with its length; a missing rest ends the connection."""
    body = status.body.encode("utf-8")
    headers = {"content-type": "application/json", "x-request-id": f"request-{number}", **status.headers}
    headers = {**headers, "request-id": f"request-{number}", "content-length": str(len(body) + status.n_missing)}
    await connection.send_head(status.code, headers)
    await connection.send(body)
    if status.n_missing:
        raise GoneError


async def send_answer(connection: Accepted, answer: Spoken) -> None:
    """A stream of frames, or one document when none was asked for or the answer does not stream."""
    number = answer.request.number
    if not (answer.say.streams and answer.request.body.get("stream")):
        await send_status(connection, Status(200, json.dumps(whole_of(answer), ensure_ascii=False)), number)
        return
    headers = {"content-type": answer.say.content_type, "transfer-encoding": "chunked"}
    await connection.send_head(200, {**headers, "x-request-id": f"request-{number}", "request-id": f"request-{number}"})
    async for frame in _frames_in_time(connection, answer):
        for chunk in _chunks(frame, answer.say):
            await connection.send_chunk(chunk)
    await connection.send(b"0\r\n\r\n")


async def _frames_in_time(connection: Accepted, answer: Spoken) -> AsyncIterator[bytes]:
    say = answer.say
    end = "\r\n" if say.crlf else "\n"
    for index, (event, data) in enumerate(frames_of(answer)):
        if say.delay_seconds:
            await asyncio.sleep(say.delay_seconds)
        if index == say.stall_at:
            await connection.wait_until_gone()
        if index == say.cut_at:
            _cut(connection, say.cut)
            return
        if say.pings:
            yield f": still here{end}{end}".encode()
        if index == say.error_at:
            yield _frame(*error_frame(answer.request.route, say.error_kind), end)
            return
        yield _frame(event, '{"this": is not' if index == say.junk_at else data, end)


def _frame(event: str, data: str, end: str) -> bytes:
    return ((f"event: {event}{end}" if event else "") + f"data: {data}{end}{end}").encode()


def _cut(connection: Accepted, cut: Cut) -> None:
    if cut is Cut.RESET:
        connection.reset()
    if cut is Cut.UNCLEAN:
        raise GoneError


def _chunks(frame: bytes, say: Say) -> list[bytes]:
    if say.bytewise:
        return [frame[index : index + 1] for index in range(len(frame))]
    if say.lines_apart:
        middle = len(frame) // 2
        return [frame[:middle], frame[middle:]]
    return [frame]


_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}

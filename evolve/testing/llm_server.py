"""A model server for tests: both wire formats on loopback, scripted, with every fault that was seen in the field.

    async with serving(say("hello")) as server:          # in an async test
        ... f"{server.base_url}/chat/completions" ...
    with threaded(plan) as server:                       # beside a whole engine
        ... server.requests ...

`base_url` ends in `/v1`; Anthropic's SDK adds that itself and takes `server.root_url`.
"""

import asyncio
import contextlib
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

from evolve.testing.llm_server_actions import Action, Drop, Plan, Request, Say, Silence, Status
from evolve.testing.llm_server_answer import spoken
from evolve.testing.llm_server_faults import status
from evolve.testing.llm_server_http import MAX_HEAD_BYTES, Accepted, GoneError, send_answer, send_status

ROUTES = {"/chat/completions": "chat", "/responses": "responses", "/messages": "messages", "/models": "models"}
MODELS = [{"id": name, "object": "model", "created": 1, "owned_by": "nobody"} for name in ("small", "large")]


class LLMServer:
    """Answers by script, then by plan. Every request stays in `requests`, what was done about it in `actions`.

    A script is a queue for one route, taken from first; when it is empty the plan decides. Both may be changed while
    the server runs, from any thread.
    """

    def __init__(self, plan: Plan | Action) -> None:
        self.plan = plan
        self.requests: list[Request] = []
        self.actions: list[Action] = []
        self.n_connections = 0
        self._scripts: dict[str, deque[Action]] = defaultdict(deque)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def n_open(self) -> int:
        """How many connections are open now."""
        return len(self._talks)

    @property
    def root_url(self) -> str:
        """The address without a path."""
        assert self._server is not None, "the server is not started"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def base_url(self) -> str:
        """The address as OpenAI's SDK takes it."""
        return f"{self.root_url}/v1"

    def script(self, route: str, *actions: Action) -> None:
        """What the next requests of a route (`chat`, `responses`, `messages`, `models`) are answered with."""
        if route not in ROUTES.values():
            raise ValueError(f"no route {route}: expected one of {', '.join(ROUTES.values())}")
        self._scripts[route].extend(actions)

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.n_connections += 1
        try:
            while True:
                await self._answer_one(Accepted(reader, writer))
        except (GoneError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_one(self, connection: Accepted) -> None:
        method, path, headers, body = await connection.read_request()
        route = next((name for suffix, name in ROUTES.items() if path.split("?")[0].endswith(suffix)), "")
        request = Request(len(self.requests) + 1, time.monotonic(), method, path, route, headers, body)
        self.requests.append(request)
        action = self._choose(request)
        self.actions.append(action)
        await _perform(connection, request, action)

    def _choose(self, request: Request) -> Action:
        if not request.route or (request.route != "models" and not isinstance(request.body, dict)):
            return status(404 if not request.route else 400)
        script = self._scripts[request.route]
        if script:
            return script.popleft()
        if request.route == "models":
            return Status(200, json.dumps({"object": "list", "data": MODELS}))
        return self.plan(request) if callable(self.plan) else self.plan


def say(text: Any = "", **oddities: Any) -> Say:
    """An answer; `text` may be a function of the request, `oddities` are fields of `Say`."""
    return Say(text, **oddities)


@contextlib.asynccontextmanager
async def serving(plan: Plan | Action) -> AsyncIterator[LLMServer]:
    """A server in this event loop."""
    server = LLMServer(plan)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


@contextlib.contextmanager
def threaded(plan: Plan | Action) -> Iterator[LLMServer]:
    """A server in an event loop and thread of its own, for engines that run their own loop."""
    server = LLMServer(plan)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="llm-server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _perform(connection: Accepted, request: Request, action: Action) -> None:
    if isinstance(action, Drop):
        connection.reset()
    if isinstance(action, Silence):
        if action.seconds is None:
            await connection.wait_until_gone()
        await asyncio.sleep(action.seconds or 0.0)
        await _perform(connection, request, action.then)
    elif isinstance(action, Say):
        await send_answer(connection, spoken(request, action))
    elif isinstance(action, Status):
        await send_status(connection, action, request.number)

"""What runs in a Ray worker: it hands frames to a process of ours below it and brings bounded bytes back.

No code of a problem or a candidate runs in the Ray worker itself: what it answers is unpickled by the controller.
"""

import json
import os
import platform
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from evaluators.environment import scrubbed_environment
from evolve.executors.frames import HEADER_BYTES, bodies, decode, decode_length, encode, framed
from evolve.executors.gpu_slots import WHOLE, with_cards
from evolve.executors.sessions import kill_session
from evolve.executors.shipping import arrived, hash_of, place_of, unpacked

POLL_SECONDS = 0.05
"""How soon a cancelled task notices: Ray interrupts Python code, not a read that blocks."""
DIED = "died"
STOP_SECONDS = 2.0
"""A parcel that has taken so long begins no further task: the estimate of its size was wrong, others may be idle."""
STOP_BYTES = 1 << 26

_children: dict[str, "Child"] = {}


class ChildDiedError(Exception):
    """The process below ended before it answered."""


class Child:
    """A process of ours that serves frames, see `evolve.executors.worker`; it dies with the Ray worker.

    It sees these graphics cards alone, None for all that there are.
    """

    def __init__(self, handler: str, cards: Sequence[str] | None = None) -> None:
        self.cards = cards
        visible = {} if cards is None else {"CUDA_VISIBLE_DEVICES": ",".join(cards)}
        code = f"from evolve.executors.worker import main; main({handler!r}, {os.getpid()})"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=scrubbed_environment() | visible,
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, frame: bytes) -> bytes:
        """Send a frame, wait for the body of the frame that answers it.

        Raises:
            ChildDiedError: there will be no answer.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
            return self._read(decode_length(self._read(HEADER_BYTES)))
        except (OSError, ValueError) as error:
            raise ChildDiedError(str(error)) from error

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None
        file, parts, left = self._process.stdout.fileno(), [], n_bytes
        while left:
            if not select.select([file], [], [], POLL_SECONDS)[0]:
                continue
            part = os.read(file, min(left, 1 << 20))
            if not part:
                raise ChildDiedError("it closed its pipe")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def end(self) -> int:
        """Kill the process with all of its session; its exit code."""
        kill_session(self._process.pid, is_buried=self._process.returncode is not None)
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        return code


def serve(handler: str, task: str, payload: Mapping[str, Any], *bundles: bytes) -> bytes:
    """Have one task done below this process; the body of an answer's frame, or `died` and how.

    `bundles` are the folders that the payload names by content, see `evolve.executors.shipping`.
    """
    folders = {hash_of(bundle): str(unpacked(bundle)) for bundle in bundles}
    cards = cards_given()
    try:
        return _asked(_child_for(handler, cards), _localised({"task": task, "payload": payload}, folders, cards))
    except ChildDiedError as error:
        return encode({DIED: _death(handler, error)})[HEADER_BYTES:]


def serve_parcel(handler: str, parcel: bytes, bundles: Mapping[str, Sequence[Any]], board: str, flight: int) -> bytes:
    """Have the tasks of a parcel done below this process, one after the other; frames.

    The first says on which `node` that was, how many `seconds` each took, whether the first found no process to ask
    (`is_cold`), and how the process `died`, if it did. Then come the answers, in order. Where it died, the next task
    is to blame; what else has no answer was not begun: it may be sent again.

    `bundles` are folders by hash, as references that are fetched where they are not yet. `board` names the place where
    this worker says what it does.
    """
    begun = time.monotonic()
    cards, node = cards_given(), _announced(board, flight)
    folders = {name: str(_folder_of(name, held)) for name, held in bundles.items()}
    is_cold = not _is_warm(handler, cards)
    answers: list[bytes] = []
    facts: dict[str, Any] = {"node": node, "seconds": [], "is_cold": is_cold}
    for body in bodies(parcel):
        if time.monotonic() - begun > STOP_SECONDS or sum(map(len, answers)) > STOP_BYTES:
            break
        started = time.monotonic()
        try:
            answers.append(_asked(_child_for(handler, cards), _localised(decode(body), folders, cards)))
        except ChildDiedError as error:
            facts["died"] = _death(handler, error)
            break
        facts["seconds"].append(time.monotonic() - started)
    return encode(facts) + b"".join(map(framed, answers))


def _asked(child: Child, frame: bytes) -> bytes:
    try:
        return child.ask(frame)
    except ChildDiedError:
        raise
    except BaseException:  # a cancelled task: Ray interrupts this process, the work below must not go on
        child.end()
        raise


def _death(handler: str, error: ChildDiedError) -> str:
    return f"{error} (exit code {_children.pop(handler).end()}) on {socket.gethostname()}"


def _localised(message: Mapping[str, Any], folders: Mapping[str, str], cards: Sequence[str] | None) -> bytes:
    """The frame for the process below: with the folders and the graphics cards of this machine."""
    payload = arrived(message["payload"], folders)
    if cards and asks_for_cards(payload):
        payload = with_cards(payload, cards, share=payload["judge"].get("gpu_share", WHOLE))
    return encode({"task": message["task"], "payload": payload})


def _folder_of(name: str, held: Sequence[Any]) -> Path:
    """Where a bundle is unpacked on this machine; it is fetched by the first who needs it."""
    folder = place_of(name)
    return folder if folder.exists() else unpacked(sys.modules["ray"].get(held[0]))


def _announced(board: str, flight: int) -> str:
    """This node's name; says on the cluster's board that this worker has begun, once for each parcel."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return ""
    from ray.experimental import internal_kv

    context = ray.get_runtime_context()
    node = str(context.get_node_id())
    facts = json.dumps({"flight": flight, "node": node, "pid": os.getpid()}).encode()
    with suppress(Exception):  # it is for those who watch, and tells where a worker died: work goes on without
        internal_kv._internal_kv_put(context.get_worker_id().encode(), facts, namespace=board.encode())
    return node


def asks_for_cards(payload: Mapping[str, Any]) -> bool:
    """Whether the judge of this payload wants graphics cards."""
    judge = payload.get("judge")
    return isinstance(judge, Mapping) and bool(judge.get("gpus"))


def cards_given() -> list[str] | None:
    """The graphics cards that Ray gave to the task that runs now: numbers or UUIDs; None outside of Ray."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    return [str(each) for each in ray.get_gpu_ids()]


def _is_warm(handler: str, cards: Sequence[str] | None) -> bool:
    child = _children.get(handler)
    return child is not None and child.is_alive and child.cards == cards


def _child_for(handler: str, cards: Sequence[str] | None) -> Child:
    """The warm process of this worker. One that died while it waited is replaced, and no task is blamed.

    One that saw other cards is replaced too, and gives back what it held of them.
    """
    if not _is_warm(handler, cards):
        if handler in _children:
            _children.pop(handler).end()
        _children[handler] = Child(handler, cards)
    return _children[handler]


def probe() -> bytes:
    """Whether a worker can run Evolve at all: its versions, as JSON, as far as they have to be equal."""
    facts = {"python": ".".join(platform.python_version_tuple()[:2]), "evolve": metadata.version("evolve-discovery")}
    return encode(facts)[HEADER_BYTES:]

"""Asks every node of a Ray cluster the same question, for `evolve doctor --ray`."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluators.environment import scrubbed_environment
from evolve.errors import EvolveEnvironmentError
from evolve.executors.frames import decode
from evolve.executors.ray_link import connected
from evolve.executors.ray_process import JOIN_SECONDS, OF_RAY
from evolve.executors.ray_worker import DIED, serve
from evolve.executors.shipping import departed, hash_of, packed
from evolve.executors.worker import claim_standard_streams, end_with

MAX_REPLY_BYTES = 1 << 20
CLOCK_WAIT_SECONDS = 20.0
WORD = "word.txt"
"""The file of the folder that is sent to every node with the question; it holds one random word."""


KNOWN = {
    "TaskUnschedulableError": "it left the cluster, or does not answer any more",
    "NodeDiedError": "it left the cluster, or does not answer any more",
    "WorkerCrashedError": "the Ray worker that was to answer died",
    "OutOfMemoryError": "the Ray worker that was to answer was killed for want of memory",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A living node as the cluster's head knows it; its words are its own, and nobody has checked them."""

    id: str
    address: str
    host: str
    resources: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a node answered, or `error`: why there is no answer.

    `sent` and `received` say when, by the clock that the question was asked with.
    """

    answer: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    sent: float = 0.0
    received: float = 0.0


NOT_ASKED = Reply(error="it was not asked")


class RayNodes:
    """The nodes of the cluster that this process is connected to."""

    def __init__(self, ray: Any, *, handler: str, clock: Callable[[], float]) -> None:
        self._ray, self._handler, self._clock = ray, handler, clock

    def living(self) -> list[Node]:
        """The nodes that are there now, in the order of their addresses."""
        nodes = [_node(row) for row in self._ray.nodes() if row.get("Alive")]
        return sorted(nodes, key=lambda node: (node.address, node.id))

    def n_departed(self) -> int:
        """How many nodes were there and are not any more."""
        return sum(not row.get("Alive") for row in self._ray.nodes())

    def ask(self, nodes: list[Node], task: str, *, seconds: float, word: str = "") -> dict[str, Reply]:
        """Every node's reply to a task, by the node's id. Nobody is waited for longer than `seconds`.

        It is done where work is done: in a process below a Ray worker of that node, also when the node is busy. With
        a `word` the payload's `judge` is a folder that was sent along, which has `word_for` the node in its one file:
        two nodes of one machine would otherwise share it.
        """
        sent = self._clock()
        waiting = {self._send(node, task, word): node.id for node in nodes}
        replies, deadline = {}, time.monotonic() + seconds
        while waiting and (left := deadline - time.monotonic()) > 0:
            done, _ = self._ray.wait(list(waiting), num_returns=1, timeout=left)
            for reference in done:
                replies[waiting.pop(reference)] = self._reply(reference, sent)
        for reference, name in waiting.items():
            self._ray.cancel(reference, force=True)
            replies[name] = Reply(error=f"it did not answer within {seconds:g} s", sent=sent, received=self._clock())
        return replies

    def _send(self, node: Node, task: str, word: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        payload, bundles = _parcel(word_for(node.id, word)) if word else ({}, ())
        there = NodeAffinitySchedulingStrategy(node_id=node.id, soft=False)
        asked = self._ray.remote(max_retries=0, num_cpus=0, scheduling_strategy=there)(serve)
        return asked.remote(self._handler, task, payload, *bundles)

    def _reply(self, reference: Any, sent: float) -> Reply:
        received = self._clock()
        try:
            answer, error = _read(self._ray.get(reference)), ""
        except Exception as trouble:  # noqa: BLE001 (Ray raises a dozen kinds; each is this node's answer)
            answer, error = {}, _reason(trouble)
        return Reply(answer=answer, error=error, sent=sent, received=received)


def survey(address: str | None, *, n_workers: int | None, handler: str, seconds: float) -> dict[str, Any]:
    """Join the cluster (without an address: start one here), ask every node for `facts`, then for the time.

    Ray lives in a process of its own for this, as in a run: it may wait for ever, and what a node answers is unpickled.

    Returns:
        `nodes`, each with its `id`, `address`, `host`, `resources`, and two replies, `facts` and `clock`; `departed`,
        the number of nodes that are gone; the `word` that was sent to all.

    Raises:
        EvolveEnvironmentError: Ray is missing, or there is no cluster that can be used.
    """
    of_ray = {name: value for name, value in os.environ.items() if name.startswith(OF_RAY)}
    code = f"from evolve.executors.ray_nodes import main; main({os.getpid()})"
    question = {"address": address, "n_workers": n_workers, "handler": handler, "seconds": seconds}
    with subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=scrubbed_environment() | of_ray,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(json.dumps(question).encode(), timeout=JOIN_SECONDS + 2 * seconds)
        except subprocess.TimeoutExpired:
            raise EvolveEnvironmentError(
                f"{address or 'the Ray cluster that is started here'} did not answer within {JOIN_SECONDS:.0f} s",
                hint="see `ray status` on one of its nodes: firewalls, wrong tokens and other versions make Ray wait",
            ) from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if not said:
        raise EvolveEnvironmentError("Ray ended before it answered", hint="its logs, in /tmp/ray, may say why")
    found: dict[str, Any] = json.loads(said)
    if "error" in found:
        raise EvolveEnvironmentError(found["error"], hint=found["hint"])
    return found


def main(controller_pid: int) -> None:
    """Answer the question on standard input with one line on standard output."""
    end_with(controller_pid)
    requests, answers = claim_standard_streams()
    question = json.loads(requests.read())
    try:
        with connected(question["address"], question["n_workers"]) as ray:
            found = _surveyed(RayNodes(ray, handler=question["handler"], clock=_now), question["seconds"])
    except EvolveEnvironmentError as error:
        found = {"error": error.message, "hint": error.hint}
    answers.write(json.dumps(found).encode())
    answers.flush()


def _surveyed(cluster: RayNodes, seconds: float) -> dict[str, Any]:
    nodes, word = cluster.living(), secrets.token_hex(8)
    replies = cluster.ask(nodes, "facts", seconds=seconds, word=word)
    answered = [node for node in nodes if not replies[node.id].error]
    times = cluster.ask(answered, "clock", seconds=min(seconds, CLOCK_WAIT_SECONDS))
    rows = [
        {**asdict(node), "facts": asdict(replies[node.id]), "clock": asdict(times.get(node.id, NOT_ASKED))}
        for node in nodes
    ]
    return {"nodes": rows, "departed": cluster.n_departed(), "word": word}


def _now() -> float:
    return datetime.now(UTC).timestamp()


def word_for(node_id: str, word: str) -> str:
    """What the file holds that is sent to a node."""
    return f"{word} {node_id}"


def _node(row: Mapping[str, Any]) -> Node:
    resources = {str(name): float(amount) for name, amount in row.get("Resources", {}).items()}
    return Node(
        id=str(row.get("NodeID", "")),
        address=str(row.get("NodeManagerAddress", "")),
        host=str(row.get("NodeManagerHostname", "")),
        resources=resources,
    )


def _parcel(word: str) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """A folder with the word, as nodes get problems, and before it the payload that names it."""
    with tempfile.TemporaryDirectory(prefix="evolve-doctor-") as place:
        Path(place, WORD).write_text(word, encoding="utf-8")
        bundle = packed(Path(place))
        return departed({"judge": place}, {place: hash_of(bundle)}), (bundle,)


def _read(body: Any) -> dict[str, Any]:
    if not isinstance(body, bytes) or len(body) > MAX_REPLY_BYTES:
        raise ValueError("it answered with something else than a few bytes")
    message = decode(body)
    if DIED in message:
        raise ValueError(f"the process that was asked died: {message[DIED]}")
    if "error" in message:
        raise ValueError(str(message["error"]).strip().splitlines()[-1])
    answer = message["answer"]
    if not isinstance(answer, dict):
        raise ValueError("it answered with something else than facts")
    return answer


def _reason(trouble: Exception) -> str:
    """What befell the question, or the last line of what Ray says: the others are its own way down."""
    if (known := KNOWN.get(type(trouble).__name__)) is not None:
        return known
    lines = [line.strip() for line in str(trouble).splitlines() if line.strip()]
    return lines[-1] if lines else type(trouble).__name__

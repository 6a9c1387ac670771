"""The process between the controller and Ray: it sends parcels, tells when they have landed, looks at the cluster.

Ray lives here and not in the controller: what Ray prints, a loss that makes it end its own process, a join that hangs
and whatever a node could slip into its answers (they are unpickled) stays in a process without keys.
"""

import json
import os
import queue
import re
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from evolve.errors import EvolveEnvironmentError
from evolve.executors.frames import encode
from evolve.executors.ray_link import connected, remove_place
from evolve.executors.ray_worker import probe, serve_parcel
from evolve.executors.worker import claim_standard_streams, read_frame

LOOK_SECONDS = 1.0
"""How often the cluster is looked at: nodes join and leave."""
LOOK_SHARE = 0.05
"""So much of the time may go into looking, where there are many nodes."""
CANCEL_SECONDS = 3.0
"""A cancelled parcel that goes on for so long loses its Ray worker."""
PROBE_SECONDS = 30.0
GRACE_SECONDS = 20.0
"""How long the end may take, also without a controller."""
KILLED = frozenset({"WorkerCrashedError", "OutOfMemoryError"})
BLAMED = KILLED | {"RayTaskError"}
NODE_ID = re.compile(r"\bID: ([0-9a-f]{56})\b")
ACCIDENTS = KILLED | {"NodeDiedError"}
MAX_TEXT = 4000
MAX_NAME = 64

Events = queue.SimpleQueue[tuple[str, Any, Any]]


def main(controller_pid: int) -> None:
    """Serve a controller until it says so or is gone: then Ray's processes end in order, or else by force."""
    if os.getppid() != controller_pid:
        return
    requests, answers = claim_standard_streams()
    opening = read_frame(requests)
    if opening is None:
        return
    bundles = [(name, requests.read(length)) for name, length in opening["bundles"]]
    speak = _Speaker(answers)
    events: Events = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, events), daemon=True).start()
    try:
        with connected(opening["address"], opening["n_workers"], place=Path(opening["place"])) as ray:
            driver = RayDriver(ray, opening, bundles, speak)
            driver.prove()
            speak({"say": "ready"})
            driver.serve(events)
    except EvolveEnvironmentError as error:
        speak({"say": "failed", "error": error.message, "hint": error.hint})
    except BrokenPipeError:
        pass  # the controller is gone, and removes nothing any more
    remove_place(Path(opening["place"]))


def _listen(requests: IO[bytes], events: Events) -> None:
    with suppress(OSError, ValueError):
        while (message := read_frame(requests)) is not None and message["do"] != "close":
            events.put((message["do"], message, requests.read(message["n_bytes"])))
    events.put(("close", None, None))
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # Ray hangs, and its processes are in the session that began with this one


class Speak(Protocol):
    """Tells the controller something."""

    def __call__(self, message: Mapping[str, Any], blob: bytes = b"") -> None:
        """Say it, with the bytes that belong to it."""


class _Speaker:
    """Writes frames to the controller, each whole, each with the bytes that belong to it."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers

    def __call__(self, message: Mapping[str, Any], blob: bytes = b"") -> None:
        """Say something."""
        self._answers.write(encode({**message, "n_bytes": len(blob)}) + blob)
        self._answers.flush()


class RayDriver:
    """Flies parcels as Ray tasks. All of it happens in one thread; others only put events into its queue."""

    def __init__(
        self, ray: Any, opening: Mapping[str, Any], bundles: Sequence[tuple[str, bytes]], speak: Speak
    ) -> None:
        self._ray, self._speak = ray, speak
        self._handler, self._board = opening["handler"], f"evolve-{os.urandom(8).hex()}"
        # Ray's own retries are off: they would repeat a task that eats all memory for ever.
        # What is booked limits nothing: the sandbox does. It keeps a node from getting more than it has room for.
        booked = {"max_retries": 0, "num_cpus": 1, "memory": opening["memory"] or None}
        self._remote = ray.remote(**booked)(serve_parcel)
        # `max_calls`: Ray's workers hold no memory of a card, for all work is in the process below them.
        self._with_cards = ray.remote(**booked, num_gpus=opening["gpus"], max_calls=0)(serve_parcel)
        # In a list a reference is passed on as it is, and fetched by those who need it.
        self._bundles = {name: [ray.put(bundle)] for name, bundle in bundles}
        self._home = ray.get_runtime_context().get_node_id()
        self._flying: dict[int, Any] = {}
        self._cancelled: dict[int, float] = {}
        self._events: Events = queue.SimpleQueue()
        self._next_look = 0.0

    def prove(self) -> None:
        """Run something harmless, where a processor is free in time, and look at the cluster for the first time.

        Raises:
            EvolveEnvironmentError: a node cannot run Evolve, or has another version of it.
        """
        nodes = self._look()
        if not any(node["cpus"] for node in nodes):
            return
        asked = self._ray.remote(max_retries=0, num_cpus=1)(probe).remote()
        done, _ = self._ray.wait([asked], timeout=PROBE_SECONDS)
        if not done:
            self._ray.cancel(asked, force=True)  # all are busy with the work of others: ours will wait too
            return
        try:
            theirs = self._ray.get(asked)
        except Exception as error:  # noqa: BLE001 (whatever Ray raises says why)
            if not ACCIDENTS.isdisjoint(each.__name__ for each in type(error).__mro__):
                return  # that may happen to any worker
            raise EvolveEnvironmentError(
                f"a Ray worker cannot run Evolve: {_words(error)}",
                hint="every node needs the same versions of Python, Ray and Evolve",
            ) from None
        if theirs != probe():
            raise EvolveEnvironmentError(
                f"the cluster's nodes have {theirs!r:.200}, expected {probe()!r} as here",
                hint="every node needs the same versions of Python, Ray and Evolve",
            )

    def serve(self, events: Events) -> None:
        """Do what the controller asks for, until it closes."""
        self._events = events
        while True:
            try:
                kind, what, more = self._events.get(timeout=max(self._next_look - time.monotonic(), 0.0))
            except queue.Empty:
                self._look()
                self._force()
                continue
            if kind == "fly":
                self._fly(what, more)
            elif kind == "landed":
                self._land(what, more)
            elif kind == "cancel":
                self._cancel(what["flight"])
            else:
                return self._drop()

    def _fly(self, message: Mapping[str, Any], parcel: bytes) -> None:
        flight, remote = message["flight"], self._with_cards if message["needs_cards"] else self._remote
        if message["node"]:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            # A node that is gone meanwhile is no reason to wait for it.
            there = NodeAffinitySchedulingStrategy(node_id=message["node"], soft=True)
            remote = remote.options(scheduling_strategy=there)
        reference = remote.remote(self._handler, parcel, self._bundles, self._board, flight)
        self._flying[flight] = reference
        reference.future().add_done_callback(lambda future: self._events.put(("landed", flight, future)))

    def _land(self, flight: int, future: Any) -> None:
        self._flying.pop(flight, None)
        self._cancelled.pop(flight, None)
        error = future.exception()
        answer = b"" if error is not None else future.result()
        if error is None and not isinstance(answer, bytes):
            error = TypeError(f"a worker answered with {type(answer).__name__}")
        if error is None:
            return self._speak({"say": "landed", "flight": flight}, answer)
        kinds = [each.__name__ for each in type(error).__mro__]
        node = self._node_of_death(flight, error) if not BLAMED.isdisjoint(kinds) else ""
        return self._speak({"say": "lost", "flight": flight, "kinds": kinds, "text": _words(error), "node": node})

    def _node_of_death(self, flight: int, error: BaseException) -> str:
        """Where a worker died: its own last words say so, or Ray's, which are all there is of one that never began."""
        named = NODE_ID.search(str(error))
        return str(self._posts(even_idle=True).get(flight, {}).get("node", "")) or (named[1] if named else "")

    def _cancel(self, flight: int) -> None:
        """Have a parcel's work killed; it lands as any other."""
        if flight in self._flying and flight not in self._cancelled:
            self._cancelled[flight] = time.monotonic() + CANCEL_SECONDS
            self._ray.cancel(self._flying[flight], force=False)

    def _force(self) -> None:
        now = time.monotonic()
        for flight in [flight for flight, deadline in self._cancelled.items() if deadline < now]:
            self._cancelled[flight] = now + CANCEL_SECONDS
            self._ray.cancel(self._flying[flight], force=True)

    def _look(self) -> list[dict[str, Any]]:
        """Tell the controller of the cluster; that also says that this process, and the cluster's head, are alive."""
        begun = time.monotonic()
        rows = self._ray.nodes()
        if any(row["NodeID"] == self._home and not row["Alive"] for row in rows):
            raise SystemExit("this machine's node has left the cluster")
        nodes = [_node(row) for row in rows if row["Alive"]]
        self._speak({"say": "look", "nodes": nodes, "posts": [*self._posts().values()]})
        took = time.monotonic() - begun
        self._next_look = time.monotonic() + max(LOOK_SECONDS, took / LOOK_SHARE)
        return nodes

    def _posts(self, *, even_idle: bool = False) -> dict[int, dict[str, Any]]:
        """What workers said when they began, by flight. Where nothing flies nobody is asked."""
        if not self._flying and not even_idle:
            return {}
        from ray.experimental import internal_kv

        client, place = internal_kv.internal_kv_get_gcs_client(), self._board.encode()
        keys = internal_kv._internal_kv_list(b"", namespace=place)
        said = client.internal_kv_multi_get(keys, place).values() if keys else ()
        return {post["flight"]: post for post in map(_post, said) if post}

    def _drop(self) -> None:
        """Kill what is in flight, so that nothing goes on in a cluster that lives longer than this process."""
        from ray.experimental import internal_kv

        pending = list(self._flying.values())
        for reference in pending:
            self._ray.cancel(reference, force=False)
        if pending:
            self._ray.wait(pending, num_returns=len(pending), timeout=CANCEL_SECONDS)
        for reference in pending:
            with suppress(Exception):
                self._ray.cancel(reference, force=True)
        internal_kv._internal_kv_del(b"", del_by_prefix=True, namespace=self._board.encode())


def _node(row: Mapping[str, Any]) -> dict[str, Any]:
    has = row.get("Resources", {})
    name = str(row.get("NodeManagerAddress", ""))[:MAX_NAME]
    cpus, gpus, memory = int(has.get("CPU", 0)), float(has.get("GPU", 0)), int(has.get("memory", 0))
    return {"id": row["NodeID"], "name": name, "cpus": cpus, "gpus": gpus, "memory": memory}


def _post(said: bytes) -> dict[str, Any]:
    """What a worker said, if it is of the kind that ours say."""
    try:
        post = json.loads(said)
        return {"flight": int(post["flight"]), "node": str(post["node"])[:MAX_NAME], "pid": int(post["pid"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _words(error: BaseException) -> str:
    return str(error).strip()[-MAX_TEXT:] or type(error).__name__

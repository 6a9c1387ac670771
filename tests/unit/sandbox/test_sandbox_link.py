"""The controller's end of a fork server: refusals, replies in order, two at once, and servers that do not answer."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from evolve.testing.running import is_running, wait_until
from sandbox.errors import SandboxError
from sandbox.layers import NAMESPACES, Layer, Level
from sandbox.limits import Limits
from sandbox.link import Reply, ServerLink
from sandbox.server import _refuse_threads
from tests.sandboxes import away, parent_of

WEAK = frozenset({Layer.SECCOMP})


@contextmanager
def linked(level: Level = Level.STRONG) -> Iterator[ServerLink]:
    link = ServerLink((), without=away(level))
    try:
        yield link
    finally:
        link.close()


class Pipes:
    """Three descriptors for a child, of which nobody holds the other end."""

    def __init__(self) -> None:
        requests, self._writing = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY)
        self.theirs = (requests, null, null)

    def close(self) -> None:
        for descriptor in {*self.theirs, self._writing}:
            os.close(descriptor)


@pytest.fixture
def start() -> Iterator[Callable[[ServerLink], Reply]]:
    """Asks for a child that waits for a program for ever."""
    made: list[Pipes] = []

    def ask(link: ServerLink) -> Reply:
        made.append(Pipes())
        return link.start(Limits(), made[-1].theirs)

    yield ask
    for pipes in made:
        pipes.close()


# refusals


def test_weak_isolation_is_refused_with_what_is_missing_and_how_to_allow_it() -> None:
    with pytest.raises(SandboxError) as caught:
        ServerLink((), without=WEAK | NAMESPACES)

    text = str(caught.value)
    assert "only the level WEAK" in text
    assert "seccomp: forced off" in text
    assert all(f"{layer}: forced off" in text for layer in NAMESPACES)
    assert "--unsafe-sandbox" in text
    assert "unsafe=True" in text


@pytest.mark.parametrize("missing", [Layer.NO_NEW_PRIVILEGES, Layer.RESOURCE_LIMITS, Layer.MEMORY_WATCH])
def test_what_every_level_has_is_essential(missing: Layer) -> None:
    with pytest.raises(SandboxError, match=f"only the level WEAK.*{missing}: forced off"):
        ServerLink((), without={missing})


def test_weak_isolation_is_there_for_those_who_ask_for_it() -> None:
    link = ServerLink((), without=WEAK, unsafe=True)
    link.close()

    assert Layer.SECCOMP not in link.layers


def test_a_module_that_starts_a_thread_when_it_is_imported_is_refused() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with pytest.raises(ImportError, match=r"started \d+ threads?; it cannot be preloaded"):
            _refuse_threads()
    finally:
        stop.set()
        thread.join()


# replies


def test_a_reply_is_the_same_however_late_it_is_asked_for(start: Callable[[ServerLink], Reply]) -> None:
    with linked() as link:
        replies = [start(link) for _ in range(5)]
        numbers = [link.wait(reply)["session"] for reply in reversed(replies)]
        again = [link.wait(reply)["session"] for reply in replies]

    assert numbers == sorted(numbers, reverse=True)
    assert again == sorted(numbers)


def test_replies_come_to_those_who_asked_from_whatever_thread(start: Callable[[ServerLink], Reply]) -> None:
    endings: list[tuple[int, int]] = []
    unknown: list[str] = []

    def work(link: ServerLink) -> None:
        for _ in range(6):
            first, second = start(link), start(link)
            nobody = link.stop(10**9)
            stops = [link.stop(link.wait(reply)["session"]) for reply in (second, first)]
            endings.extend((link.wait(stop)["status"], link.wait(stop)["n_left"]) for stop in stops)
            with pytest.raises(SandboxError, match="session 1000000000 is unknown") as caught:
                link.wait(nobody)
            unknown.append(str(caught.value))

    with linked() as link:
        threads = [threading.Thread(target=work, args=(link,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert endings == [(-signal.SIGKILL, 0)] * 48
    assert len(unknown) == 24


# two at once


def test_two_servers_live_and_die_apart(start: Callable[[ServerLink], Reply]) -> None:
    with linked(Level.FULL) as first, linked(Level.FULL) as second:
        assert first.pid != second.pid
        numbers = [link.wait(start(link))["session"] for link in (first, second)]
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(SandboxError, match="died"):
            first.wait(first.stop(numbers[0]))

        assert not first.is_alive
        assert second.is_alive
        assert second.wait(second.stop(numbers[1]))["status"] == -signal.SIGKILL


def test_a_server_that_died_is_known_to_be_dead_before_its_launcher_is() -> None:
    with linked(Level.FULL) as link:
        launcher = parent_of(link.pid)
        if launcher == os.getpid():
            pytest.skip("without a process namespace there is no launcher")
        os.kill(launcher, signal.SIGSTOP)  # it cannot tell
        os.kill(link.pid, signal.SIGKILL)
        try:
            assert wait_until(lambda: not link.is_alive)
        finally:
            os.kill(launcher, signal.SIGCONT)


# servers that do not answer


@pytest.mark.slow
def test_a_server_or_launcher_that_is_stopped_does_not_hang_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.link.END_SECONDS", 0.3)
    links = [ServerLink((), without=away(level)) for level in (Level.FULL, Level.FULL, Level.STRONG)]
    stopped = [parent_of(links[0].pid), links[1].pid, links[2].pid]
    everybody = {*(link.pid for link in links), *(parent_of(link.pid) for link in links)} - {os.getpid()}
    for pid in {*stopped} - {os.getpid()}:
        os.kill(pid, signal.SIGSTOP)

    threads = [threading.Thread(target=link.close) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert not any(link.is_alive for link in links)
    assert wait_until(lambda: not any(map(is_running, everybody)))

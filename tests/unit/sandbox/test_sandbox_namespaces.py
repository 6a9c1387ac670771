"""Namespaces: asked for without a trace, entered for good, and one more for each child."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.kernel import PR_SET_PDEATHSIG, prctl
from sandbox.layers import NAMESPACES, Layer
from sandbox.namespaces import FILES, enter, fork_apart, identities, probe
from sandbox.orphans import own_children
from tests.forked import in_child

pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")


@pytest.fixture(scope="module")
def layers() -> frozenset[Layer]:
    """All namespaces, and the one that an ordinary user needs for them."""
    if missing := probe(NAMESPACES):
        reasons = {layer: reason for layer, reason in missing.items() if layer in NAMESPACES}
        if reasons:
            pytest.skip(f"this machine gives us no namespaces: {reasons}")
    return NAMESPACES if os.geteuid() == 0 else NAMESPACES | {Layer.USER_NAMESPACE}


def own() -> dict[str, str]:
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        return identities(proc)
    finally:
        os.close(proc)


def entering(layers: frozenset[Layer], action: Callable[[int | None], Any]) -> Any:
    """What an action returns in new namespaces."""
    return in_child(lambda: action(enter(layers, os.getppid())))


def test_asking_leaves_this_process_where_it_is_and_nothing_behind() -> None:
    before = (own(), own_children(), len(os.listdir("/proc/self/fd")), os.getcwd())

    probe(NAMESPACES)

    assert (own(), own_children(), len(os.listdir("/proc/self/fd")), os.getcwd()) == before


def test_nothing_is_missing_when_nothing_is_wanted() -> None:
    assert not set(probe(frozenset())) - {Layer.USER_NAMESPACE}


def test_only_what_was_asked_for_is_answered() -> None:
    asked = frozenset({Layer.NETWORK_NAMESPACE})

    assert set(probe(asked)) <= asked | {Layer.USER_NAMESPACE}


def test_the_namespaces_are_new_ones(layers: frozenset[Layer]) -> None:
    outside = own()

    inside = entering(layers, lambda _pids: own())

    assert set(inside) == {layer.value for layer in FILES}
    changed = {layer for layer in FILES if inside[layer] != outside[layer]}
    assert changed == layers & set(FILES)


def test_only_the_wanted_namespaces_are_entered(layers: frozenset[Layer]) -> None:
    few = (layers - NAMESPACES) | {Layer.IPC_NAMESPACE}
    outside = own()

    inside, pids = entering(few, lambda pids: [own(), pids])

    assert {layer for layer in FILES if inside[layer] != outside[layer]} == few
    assert pids is None


def test_without_any_the_process_stays_where_it_is() -> None:
    outside = own()

    assert entering(frozenset(), lambda pids: [pids, own(), os.getpid() != 1]) == [None, outside, True]


def test_the_caller_is_the_first_process_of_its_namespace_and_the_same_user(layers: frozenset[Layer]) -> None:
    assert entering(layers, lambda _pids: [os.getpid(), os.getppid(), os.getuid(), os.getgid()]) == [
        1,
        0,
        os.getuid(),
        os.getgid(),
    ]


def test_a_child_apart_is_the_first_of_yet_another_namespace_and_the_next_one_is_not(layers: frozenset[Layer]) -> None:
    def told_by(fork: Callable[[], int]) -> list[int]:
        reading, writing = os.pipe()
        pid = fork()
        if pid == 0:
            os.write(writing, bytes([os.getpid() == 1, os.getppid() == 1]))
            os._exit(7)
        os.close(writing)
        said = list(os.read(reading, 10))
        os.close(reading)
        return [*said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), pid != 1]

    def action(pids: int | None) -> list[list[int]]:
        assert pids is not None
        return [told_by(lambda: fork_apart(pids)), told_by(os.fork), told_by(lambda: fork_apart(pids))]

    apart, beside, again = entering(layers, action)

    assert apart == again == [1, 0, 7, True]  # the first, without a parent that it could see
    assert beside == [0, 1, 7, True]


def test_what_a_child_apart_starts_dies_with_it(layers: frozenset[Layer]) -> None:
    def action(pids: int | None) -> bool:
        assert pids is not None
        reading, writing = os.pipe()
        pid = fork_apart(pids)
        if pid == 0:
            if os.fork() == 0:
                os.setsid()
                os.close(reading)
                signal.pause()
            os._exit(0)
        os.close(writing)
        os.waitpid(pid, 0)
        return os.read(reading, 1) == b""  # all who could write are gone

    assert entering(layers, action)


def test_the_first_process_dies_with_the_one_that_waits_for_it(layers: frozenset[Layer]) -> None:
    reading, writing = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        try:
            enter(layers, os.getppid())
            os.write(writing, b"ready")
            os.close(reading)
            signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    assert os.read(reading, 5) == b"ready"

    os.kill(launcher, signal.SIGKILL)
    os.waitpid(launcher, 0)

    assert os.read(reading, 1) == b""
    os.close(reading)


def test_the_one_that_waits_ends_with_the_status_of_the_first_process(layers: frozenset[Layer]) -> None:
    for status, expected in ((0, 0), (3, 1)):
        pid = os.fork()
        if pid == 0:
            enter(layers, os.getppid())
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == expected


def test_the_one_that_waits_ends_the_first_process_when_the_controller_is_gone(layers: frozenset[Layer]) -> None:
    def action() -> str:
        reading, writing = os.pipe()
        controller = os.fork()
        if controller == 0:
            launcher = os.fork()
            if launcher == 0:
                os.close(reading)
                enter(layers, os.getppid())
                prctl(PR_SET_PDEATHSIG, 0)  # so that it is the launcher who has to act
                os.write(writing, b"ready")
                signal.pause()
            os.close(reading)
            os.close(writing)
            signal.pause()
        os.close(writing)
        said = os.read(reading, 5).decode()
        os.kill(controller, signal.SIGKILL)
        os.waitpid(controller, 0)
        return said + os.read(reading, 5).decode()

    assert in_child(action) == "ready"

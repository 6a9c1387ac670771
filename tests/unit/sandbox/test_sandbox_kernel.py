"""System calls without a function in Python: what they do to a process, and what they say when they are refused."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.kernel import (
    CAP_DAC_READ_SEARCH,
    CLONE_NEWNS,
    CLONE_NEWPID,
    MS_NODEV,
    PR_GET_NO_NEW_PRIVS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    KernelError,
    copy_mount,
    effective_capabilities,
    keep_capabilities,
    make_root,
    mount,
    parent_death_signal,
    place_mount,
    prctl,
    setns,
    unshare,
)
from tests.forked import in_child

pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")
CAP_SETUID = 7
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to give up")


def test_a_switch_that_the_kernel_does_not_know_is_an_error_that_names_it() -> None:
    with pytest.raises(KernelError, match=r"prctl\(2147483647, 1\): Invalid argument") as caught:
        prctl(0x7FFF_FFFF, 1)

    assert caught.value.errno == errno.EINVAL


def test_a_switch_is_set_for_this_process_and_can_be_read() -> None:
    def action() -> list[int]:
        before = prctl(PR_GET_NO_NEW_PRIVS, 0)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        return [before, prctl(PR_GET_NO_NEW_PRIVS, 0)]

    assert in_child(action)[1] == 1
    assert in_child(action) == in_child(action)


def test_the_parent_death_signal_is_none_until_it_is_set() -> None:
    def action() -> list[int]:
        before = parent_death_signal()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        return [before, parent_death_signal()]

    assert in_child(action) == [0, signal.SIGKILL]


@needs_root
@pytest.mark.parametrize("mask", [0, 1 << CAP_DAC_READ_SEARCH])
def test_capabilities_are_given_up_but_for_those_of_the_mask_and_do_not_come_back(mask: int) -> None:
    if mask & ~effective_capabilities():
        pytest.skip("this root has lost the capability that is to be kept")

    def action() -> list[int | bool]:
        before = effective_capabilities()
        keep_capabilities(mask)
        try:
            keep_capabilities(mask | 1 << CAP_SETUID)
            came_back = True
        except KernelError:
            came_back = False
        return [before & ~mask != 0, effective_capabilities(), came_back]

    assert in_child(action) == [True, mask, False]


def test_what_is_refused_for_lack_of_rights_says_which_call_it_was(tmp_path: Path) -> None:
    descriptor = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def action() -> list[tuple[int | None, str]]:
        if os.geteuid() == 0:
            keep_capabilities(0)
        told: list[tuple[int | None, str]] = []
        calls: tuple[Callable[[], object], ...] = (
            lambda: unshare(CLONE_NEWNS),
            lambda: setns(descriptor, CLONE_NEWPID),
            lambda: mount("tmpfs", str(tmp_path), "tmpfs", MS_NODEV),
            lambda: os.close(copy_mount("/", flags=0)),
            lambda: make_root(str(tmp_path)),
        )
        for call in calls:
            try:
                call()
                told.append((0, "was allowed"))
            except KernelError as error:
                told.append((error.errno, str(error)))
        return told

    told = in_child(action)
    os.close(descriptor)

    assert [number for number, _ in told] == [errno.EPERM] * 5
    names = ["unshare(0x20000)", "setns(0x20000000)", f"mount('tmpfs', '{tmp_path}'", "open_tree('/')", "pivot_root"]
    assert all(name in text for name, (_, text) in zip(names, told, strict=True))


def test_a_mount_that_cannot_be_placed_is_not_kept_open() -> None:
    reading, writing = os.pipe()
    os.close(writing)

    with pytest.raises(KernelError, match="move_mount"):
        place_mount(reading, "/")

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)

"""How the end of a process is named: which limit it met, with the value, or what else ended it."""

import signal
from typing import Any

import pytest

from sandbox.endings import error_of_end, told_limit
from sandbox.errors import (
    CandidateCrashed,
    CandidateDiskLimit,
    CandidateError,
    CandidateForbidden,
    CandidateOutOfCpu,
    CandidateOutOfMemory,
    CandidateProcessLimit,
    CandidateTimedOut,
)
from sandbox.limits import MEBIBYTE, Limits

LIMITS = Limits(cpu_seconds=10.0, memory_bytes=100 * MEBIBYTE, n_processes=8, n_files=20, scratch_bytes=5000)
ENDED = {"status": 0, "cpu_seconds": 0.1, "grown_bytes": 0, "reason": {}, "n_left": 0}


def error_of(**ending: Any) -> CandidateError:
    return error_of_end(ENDED | ending, LIMITS, "")


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_an_exit_status_is_a_crash_that_tells_it(status: int) -> None:
    error = error_of(status=status)

    assert type(error) is CandidateCrashed
    assert f"exit status {status} " in error.detail


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGXCPU])
def test_a_signal_is_a_crash_that_names_it(number: signal.Signals) -> None:
    error = error_of(status=-number)

    assert type(error) is CandidateCrashed
    assert number.name in error.detail


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 40" in error_of(status=-40).detail


@pytest.mark.parametrize(
    ("reason", "error", "detail"),
    [
        (
            {"limit": "memory", "used": 130 * MEBIBYTE},
            CandidateOutOfMemory,
            "took 130 MiB of memory, allowed are 100 MiB ([limits] memory_mb)",
        ),
        (
            {"limit": "processes", "used": 9},
            CandidateProcessLimit,
            "ran 9 threads, allowed are 8 ([limits] n_processes)",
        ),
        (
            {"limit": "disk", "used": 8192},
            CandidateDiskLimit,
            "wrote 8192 bytes, allowed are 5000 bytes or 1024 files ([limits] scratch_mb)",
        ),
    ],
)
@pytest.mark.parametrize("status", [-signal.SIGKILL, -signal.SIGSEGV, 0])
def test_what_the_server_saw_goes_before_how_the_process_ended(
    reason: dict[str, Any], error: type[CandidateError], detail: str, status: int
) -> None:
    said = error_of(status=status, reason=reason, cpu_seconds=1000.0, grown_bytes=1 << 40)

    assert type(said) is error
    assert said.detail == detail


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGXCPU])
@pytest.mark.parametrize(
    ("limit", "used", "is_cpu"),
    [(10.0, 7.4, False), (10.0, 7.6, True), (10.0, 10.2, True), (9.1, 7.6, True), (0.2, 0.8, True), (0.2, 0.7, False)],
)
def test_an_end_by_the_kernel_is_for_cpu_time_when_most_of_the_whole_seconds_was_used(
    number: signal.Signals, limit: float, used: float, is_cpu: bool
) -> None:
    ending = ENDED | {"status": -number, "cpu_seconds": used}

    error = error_of_end(ending, Limits(cpu_seconds=limit), "")

    assert type(error) is (CandidateOutOfCpu if is_cpu else CandidateCrashed)
    if is_cpu:
        assert f"than {1 if limit < 1 else 10} s of CPU time" in error.detail


def test_cpu_time_is_not_wall_time() -> None:
    assert not isinstance(error_of(status=-signal.SIGKILL, cpu_seconds=11.0), CandidateTimedOut)


def test_a_segmentation_fault_after_much_time_is_still_a_crash() -> None:
    assert type(error_of(status=-signal.SIGSEGV, cpu_seconds=1000.0)) is CandidateCrashed


@pytest.mark.parametrize(("grown", "error"), [(74, CandidateCrashed), (76, CandidateOutOfMemory)])
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL])
def test_an_end_by_a_signal_with_most_of_the_memory_taken_is_for_memory(
    grown: int, error: type[CandidateError], number: signal.Signals
) -> None:
    said = error_of(status=-number, grown_bytes=grown * MEBIBYTE)

    assert type(said) is error
    assert number.name in said.detail
    if error is CandidateOutOfMemory:
        assert "taking 76 MiB, allowed are 100 MiB" in said.detail


def test_a_forbidden_call_is_forbidden_whatever_else_was_used() -> None:
    said = error_of(status=-signal.SIGSYS, grown_bytes=1 << 40, cpu_seconds=1.0)

    assert type(said) is CandidateForbidden


def test_a_process_that_left_by_itself_crashed_however_much_it_took() -> None:
    assert type(error_of(status=1, grown_bytes=1 << 40, cpu_seconds=1e6)) is CandidateCrashed


@pytest.mark.parametrize("status", [0, -signal.SIGSEGV, -signal.SIGKILL, -signal.SIGSYS])
@pytest.mark.parametrize("reason", [{}, {"limit": "memory", "used": 1}, {"limit": "disk", "used": 1}])
def test_the_last_words_come_last(status: int, reason: dict[str, Any]) -> None:
    ending = ENDED | {"status": status, "reason": reason}

    assert error_of_end(ending, LIMITS, "; last output:\nmine").detail.endswith("; last output:\nmine")


@pytest.mark.parametrize(
    ("kind", "says"),
    [("memory", "100 MiB"), ("processes", "the 8 allowed"), ("files", "the 20 allowed"), ("disk", "the 5000 bytes")],
)
def test_a_limit_that_the_candidate_reports_is_told_with_its_value(kind: str, says: str) -> None:
    assert says in told_limit(kind, LIMITS)


@pytest.mark.parametrize("kind", ["exception", "syntax", "output", "invalid", "not_finite"])
def test_what_is_no_limit_of_the_kernel_is_told_by_the_candidate_alone(kind: str) -> None:
    assert told_limit(kind, LIMITS) == ""

"""The worker process by itself, its frames, and the environment that the local executor gives it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.environment import KEPT_VARIABLES, SINGLE_THREADED
from evolve.executors import LocalExecutor
from evolve.executors.frames import HEADER_BYTES, MAX_FRAME_BYTES, decode, decode_length, encode
from evolve.testing.executor_conformance import HANDLER, run_with
from tests.extent import examples

json_data = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec=None), max_size=8),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)


def serve(handler: str, sent: bytes, *, controller_pid: str = "os.getppid()") -> tuple[int, list[dict[str, Any]], str]:
    """Run a worker over a request stream; its exit status, its answers and what it said on standard error."""
    code = f"import os; from evolve.executors.worker import main; main({handler!r}, {controller_pid})"
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, timeout=60, check=False)
    return done.returncode, frames_in(done.stdout), done.stderr.decode()


def frames_in(stream: bytes) -> list[dict[str, Any]]:
    messages = []
    while stream:
        length = decode_length(stream[:HEADER_BYTES])
        messages.append(decode(stream[HEADER_BYTES : HEADER_BYTES + length]))
        stream = stream[HEADER_BYTES + length :]
    return messages


def ask(task: object, payload: object) -> bytes:
    return encode({"task": task, "payload": payload})


def with_workers(n_workers: int, use: Callable[[LocalExecutor], Awaitable[Any]]) -> Any:
    executor = LocalExecutor(n_workers=n_workers, handler=HANDLER)
    return run_with(executor, lambda _: use(executor))


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.text(max_size=4), json_data, max_size=4))
def test_any_json_message_survives_a_frame(message: dict[str, Any]) -> None:
    frame = encode(message)

    assert decode_length(frame[:HEADER_BYTES]) == len(frame) - HEADER_BYTES
    assert decode(frame[HEADER_BYTES:]) == message
    assert json.loads(frame[HEADER_BYTES:].decode("ascii")) == message


def test_the_longest_frame_is_allowed_and_one_byte_more_is_not() -> None:
    assert decode_length(MAX_FRAME_BYTES.to_bytes(HEADER_BYTES, "big")) == MAX_FRAME_BYTES

    with pytest.raises(ValueError, match=f"a frame of {MAX_FRAME_BYTES + 1} bytes"):
        decode_length((MAX_FRAME_BYTES + 1).to_bytes(HEADER_BYTES, "big"))


def test_a_worker_answers_in_order_and_ends_with_its_input() -> None:
    sent = b"".join(ask(number, 2) for number in (3, 5, 7))

    assert serve("operator:mul", sent) == (0, [{"answer": 6}, {"answer": 10}, {"answer": 14}], "")


@pytest.mark.parametrize("torn", [b"\x00", b"\x00\x00\x00\x09", b"\x00\x00\x00\x09{"], ids=["header", "body", "middle"])
def test_a_request_that_is_cut_off_ends_the_worker_in_order(torn: bytes) -> None:
    assert serve("operator:mul", ask(2, 3) + torn) == (0, [{"answer": 6}], "")


def test_a_worker_lives_on_after_a_task_that_raised() -> None:
    status, answers, _ = serve("operator:truediv", ask(1, 0) + ask(1, 2))

    assert status == 0
    assert "ZeroDivisionError" in answers[0]["error"]
    assert answers[1] == {"answer": 0.5}


@pytest.mark.parametrize(
    ("handler", "task", "payload"),
    [("operator:mul", 1e308, 10.0), ("builtins:complex", 1, 2)],
    ids=["infinity", "no JSON"],
)
def test_an_answer_that_cannot_be_sent_is_the_tasks_error_and_the_worker_lives_on(
    handler: str, task: float, payload: float
) -> None:
    status, answers, _ = serve(handler, ask(task, payload) + ask("no such task", {}))

    assert status == 0
    assert "Error" in answers[0]["error"]
    assert len(answers) == 2


def test_a_request_without_a_task_is_an_error_and_no_death() -> None:
    status, answers, _ = serve("operator:mul", encode({"payload": 1}) + ask(2, 2))

    assert status == 0
    assert "KeyError" in answers[0]["error"]
    assert answers[1] == {"answer": 4}


def test_a_worker_whose_controller_is_gone_does_nothing() -> None:
    assert serve("operator:mul", ask(2, 3), controller_pid="os.getpid()") == (0, [], "")


def test_what_a_task_writes_to_standard_output_is_no_answer_but_can_be_read_on_standard_error() -> None:
    status, answers, said = serve(HANDLER, ask("print", {}) + ask("echo", {"n": 1}))

    assert status == 0
    assert answers[0] == {"answer": {}}
    assert answers[1]["answer"]["payload"] == {"n": 1}
    assert "not a frame" in said


def test_workers_see_only_what_they_need_and_compute_with_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")

    async def use(executor: LocalExecutor) -> dict[str, Any]:
        return await executor.submit("environment", {})

    environment = with_workers(1, use)["environment"]

    assert set(environment) <= {*KEPT_VARIABLES, *SINGLE_THREADED, "LC_CTYPE"}
    assert {environment[name] for name in SINGLE_THREADED} == {"1"}
    assert environment["TZ"] == "Asia/Kathmandu"
    assert environment["PATH"] == os.environ["PATH"]


def test_a_request_that_is_no_json_is_refused_before_a_worker_is_troubled() -> None:
    async def use(executor: LocalExecutor) -> tuple[int, dict[str, Any]]:
        with pytest.raises(ValueError, match="Out of range float"):
            await executor.submit("echo", {"score": float("nan")})
        with pytest.raises(TypeError, match="not JSON serializable"):
            await executor.submit("echo", {"set": {1}})
        return executor.n_lost_workers, await executor.submit("echo", {"still": "here"})

    n_lost, answer = with_workers(1, use)

    assert n_lost == 0
    assert answer["payload"] == {"still": "here"}


def test_a_pool_knows_its_workers_and_forgets_them_when_closed_also_twice() -> None:
    async def use(executor: LocalExecutor) -> tuple[list[int], set[int], list[int]]:
        pids = executor.worker_pids
        seen = {(await executor.submit("echo", {}))["pid"] for _ in range(4)}
        await executor.close()
        await executor.close()
        return pids, seen, executor.worker_pids

    pids, seen, after = with_workers(2, use)

    assert len(pids) == 2
    assert seen <= set(pids)
    assert after == []


def test_more_tasks_than_workers_wait_their_turn() -> None:
    async def use(executor: LocalExecutor) -> list[Any]:
        order: list[int] = []

        async def one(number: int) -> None:
            await executor.submit("echo", {})
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(8)))
        return order

    assert with_workers(1, use) == list(range(8))

"""Figures for Prometheus: the text format, the file, and the port that nobody can hang."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evolve.cli import metrics_server
from evolve.cli.metrics import MAX_LABEL, Gauges
from evolve.cli.metrics_outlets import REWRITE_SECONDS, MetricsFile, outlets
from evolve.cli.metrics_server import MAX_CLIENTS, MetricsServer
from evolve.errors import EvolveEnvironmentError
from evolve.loop import Event, RunSummary
from tests.exposition import parsed
from tests.marked_processes import wait_for
from tests.unit.cli.conftest import Invoke

MODELS = {
    "requests": 7,
    "input_tokens": 100,
    "cached_tokens": 40,
    "output_tokens": 20,
    "reasoning_tokens": 5,
    "cost_usd": 0.125,
    "unpriced": 1,
    "outcomes": {"ok": 6, "rate_limited": 1},
}
PROGRESS: dict[str, Any] = {
    "evaluations": 1200,
    "iterations": 99,
    "elites": 31,
    "coverage": 0.31,
    "qd_score": 12.5,
    "best_score": -1e-20,
    "failures": 3,
    "failures_by_type": {"timeout": 2, "crash": 1},
    "duplicates": 4,
    "in_flight": 8,
    "workers": 2,
    "lost_workers": 1,
    "seconds": 61.5,
    "paused": False,
    "models": None,
}


def heard(*events: tuple[str, dict[str, Any]], run: str = "runs/a", problem: str = "p") -> Gauges:
    gauges = Gauges(now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    for kind, data in [("started", {"run": run, "problem": problem, "rng_seed": 3}), *events]:
        gauges.hear(Event(kind=kind, data=data))
    return gauges


def figures(gauges: Gauges) -> dict[str, float]:
    """Name and own label to value."""
    return {
        " ".join([name, *(value for _, value in labels[2:])]): value
        for (name, labels), value in parsed(gauges.exposition()).items()
    }


def test_every_figure_of_a_run_is_there() -> None:
    assert figures(heard(("progress", {**PROGRESS, "models": MODELS}))) == {
        "evolve_run_info 3": 1,
        "evolve_up": 1,
        "evolve_updated_timestamp_seconds": 1767312000,
        "evolve_evaluations_total": 1200,
        "evolve_iterations_total": 100,
        "evolve_duplicates_total": 4,
        "evolve_failures_total crash": 1,
        "evolve_failures_total timeout": 2,
        "evolve_best_score": -1e-20,
        "evolve_elites": 31,
        "evolve_coverage_ratio": 0.31,
        "evolve_qd_score": 12.5,
        "evolve_in_flight": 8,
        "evolve_workers": 2,
        "evolve_lost_workers_total": 1,
        "evolve_paused": 0,
        "evolve_seconds_total": 61.5,
        "evolve_llm_requests_total ok": 6,
        "evolve_llm_requests_total rate_limited": 1,
        "evolve_llm_tokens_total input": 100,
        "evolve_llm_tokens_total cached": 40,
        "evolve_llm_tokens_total output": 20,
        "evolve_llm_tokens_total reasoning": 5,
        "evolve_llm_cost_usd_total": 0.125,
        "evolve_llm_unpriced_total": 1,
    }


def test_what_a_run_does_not_have_is_left_out() -> None:
    names = set(figures(heard(("progress", {**PROGRESS, "best_score": None, "failures_by_type": {}}))))

    assert not {"evolve_best_score", "evolve_failures_total crash"} & names
    assert not [name for name in names if "llm" in name]


def test_before_and_after_the_search_a_run_is_not_up() -> None:
    assert figures(Gauges())["evolve_up"] == 0
    assert figures(heard())["evolve_up"] == 1
    assert figures(heard(("progress", PROGRESS), ("stopped", {})))["evolve_up"] == 0


@pytest.mark.parametrize("name", ['a"b\\c\nd', 'x"} 1\n# HELP evil no', "\ud800", "ü\x1b[31m", "{},=", "\\n"])
def test_names_of_runs_and_failures_cannot_break_the_format(name: str) -> None:
    told = {**PROGRESS, "failures_by_type": {name: 1}}

    samples = parsed(heard(("progress", told), run=name, problem=name).exposition())

    expected = name.encode("utf-8", "replace").decode()
    assert {dict(labels)["run"] for _, labels in samples} == {expected}
    assert samples["evolve_failures_total", (("problem", expected), ("run", expected), ("type", expected))] == 1


def test_long_names_are_cut() -> None:
    samples = parsed(heard(run="r" * 5000).exposition())

    assert {len(dict(labels)["run"]) for _, labels in samples} == {MAX_LABEL}


@pytest.mark.parametrize(
    ("value", "text"), [(float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"), (1e300, "1e+300")]
)
def test_numbers_of_every_kind_are_written_as_the_format_says(value: float, text: str) -> None:
    written = heard(("progress", {**PROGRESS, "best_score": value})).exposition()

    assert f'evolve_best_score{{problem="p",run="runs/a"}} {text}\n' in written


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_file_is_whole_from_the_start_and_written_anew_now_and_then(tmp_path: Path) -> None:
    path, gauges, clock = tmp_path / "evolve.prom", heard(), Clock()
    file = MetricsFile(path, gauges, clock=clock)

    def written_after(event: Event) -> float | None:
        gauges.hear(event)
        file.hear(event)
        return {name: value for (name, _), value in parsed(path.read_text()).items()}.get("evolve_evaluations_total")

    seen = [written_after(Event(kind="progress", data={**PROGRESS, "evaluations": 1}))]
    seen.append(written_after(Event(kind="progress", data={**PROGRESS, "evaluations": 2})))
    clock.now += REWRITE_SECONDS
    seen.append(written_after(Event(kind="progress", data={**PROGRESS, "evaluations": 3})))
    gauges.hear(Event(kind="progress", data={**PROGRESS, "evaluations": 4}))
    file.write()
    seen.append(written_after(Event(kind="stopped")))

    assert seen == [1, 1, 3, 4]
    assert [each.name for each in tmp_path.iterdir()] == ["evolve.prom"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(EvolveEnvironmentError, match=r"cannot write the metrics file .*: No such file or directory"):
        MetricsFile(tmp_path / "none" / "a.prom", Gauges())


def test_a_file_that_cannot_be_written_later_does_not_stop_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = MetricsFile(folder / "a.prom", heard())
    (folder / "a.prom").unlink()
    folder.rmdir()

    file.write()

    assert not folder.exists()


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    server = MetricsServer(0, heard(("progress", PROGRESS)))
    yield server
    server.close()


def asked(server: MetricsServer, request: bytes) -> tuple[str, dict[str, str], str]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(65536):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    return status, dict(line.split(": ", 1) for line in headers), body


def test_the_port_answers_with_the_figures_of_now(server: MetricsServer) -> None:
    status, headers, body = asked(server, b"GET /metrics HTTP/1.1\r\nHost: localhost:9\r\n\r\n")

    assert status == "HTTP/1.1 200 OK"
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert int(headers["Content-Length"]) == len(body.encode())
    assert ("evolve_elites", (("problem", "p"), ("run", "runs/a"))) in parsed(body)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET / HTTP/1.1", "404 Not Found"),
        ("GET /metrics/../../etc/passwd HTTP/1.1", "404 Not Found"),
        ("POST /metrics HTTP/1.1", "405 Method Not Allowed"),
        ("DELETE /metrics HTTP/1.1", "405 Method Not Allowed"),
        ("\x16\x03\x01 tls?", "405 Method Not Allowed"),
        ("GET /metrics", "405 Method Not Allowed"),
        ("HEAD /metrics HTTP/1.1", "200 OK"),
        ("GET /metrics?name=x HTTP/1.1", "200 OK"),
    ],
)
def test_only_the_figures_can_be_asked_for(server: MetricsServer, request_line: str, status: str) -> None:
    answer, _, body = asked(server, f"{request_line}\r\nHost: 127.0.0.1\r\n\r\n".encode("latin-1"))

    assert answer == f"HTTP/1.1 {status}"
    assert not body or "\n" in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example"])
def test_a_page_that_comes_under_another_name_is_refused(server: MetricsServer, host: str) -> None:
    status, _, body = asked(server, f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    assert status == "HTTP/1.1 403 Forbidden"
    assert "evolve_" not in body


def test_it_listens_on_the_loopback_address_alone(server: MetricsServer) -> None:
    assert [each.getsockname()[0] for each in server._server.sockets] == ["127.0.0.1"]


def flood(server: MetricsServer) -> None:
    """Send a request without an end until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client, suppress(ConnectionError):
        for _ in range(1000):
            client.sendall(b"A" * 65536)
        pytest.fail("the server reads on and on")


def is_cut_off(client: socket.socket) -> bool:
    """Begin a request, never end it: does the server hang up?"""
    with suppress(ConnectionError):
        client.sendall(b"GET /met")
        return client.recv(10) == b""
    return True


def is_served(server: MetricsServer) -> bool:
    """Does the server answer whoever asks as he should, and at once?"""
    with suppress(ConnectionError):
        return asked(server, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == "HTTP/1.1 200 OK"
    return False


def test_slow_clients_and_floods_do_not_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "CLIENT_SECONDS", 0.05)
    server = MetricsServer(0, heard())
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(MAX_CLIENTS + 4)]
    try:
        assert [is_cut_off(client) for client in slow] == [True] * len(slow)

        assert wait_for(lambda: is_served(server))  # on a busy machine we are too slow for it now and then
        flood(server)
        assert wait_for(lambda: is_served(server))
    finally:
        for client in slow:
            client.close()
        server.close()


def test_a_client_that_is_being_served_does_not_keep_the_server_from_ending() -> None:
    server = MetricsServer(0, heard())
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(b"GET")
        server.close()

        assert client.recv(1) == b""


def test_a_taken_port_is_said_before_the_run_begins() -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with (
            pytest.raises(EvolveEnvironmentError, match=f"127.0.0.1:{port}: Address already in use; give another"),
            outlets(None, port, said.append),
        ):
            pytest.fail("the run began")
    assert said == []


def test_what_was_asked_for_is_fed_and_closed(tmp_path: Path) -> None:
    said: list[str] = []
    with outlets(tmp_path / "a.prom", 0, said.append) as hear:
        hear(Event(kind="started", data={"run": "r", "problem": "p", "rng_seed": 1}))
        port = int(said[0].rpartition(":")[2].removesuffix("/metrics"))

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)
    assert parsed((tmp_path / "a.prom").read_text())["evolve_up", (("problem", "p"), ("run", "r"))] == 0


def test_the_guide_lists_every_figure_and_no_other() -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "watching.md").read_text(encoding="utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("| `evolve_")]

    listed = {name for row in rows for name in re.findall(r"`(evolve_\w+)", row.split("|")[1])}
    shown = {name for name, _ in parsed(heard(("progress", {**PROGRESS, "models": MODELS})).exposition())}

    assert listed == shown


@pytest.mark.parametrize("command", ["run", "resume"])
def test_the_commands_feed_what_was_asked_for(
    command: str, invoke: Invoke, toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched(*given: Any, **more: Any) -> RunSummary:
        listener = next(each for each in given if callable(each))
        started = {"run": "r", "problem": "p", "rng_seed": 1, "workers": 1, "window": 1}
        for kind, data in [("started", started), ("progress", PROGRESS)]:
            listener(Event(kind=kind, data=data))
        return RunSummary(
            run="r",
            evaluations=1200,
            elites=1,
            best_score=1.0,
            best_id=1,
            archive_hash="h",
            stopped_by="time",
            signal=None,
            seconds=1.0,
        )

    monkeypatch.setattr("evolve.loop.start_run", searched)
    monkeypatch.setattr("evolve.loop.resume_run", searched)
    file = tmp_path / "a.prom"

    result = invoke(
        command, "exp2" if command == "run" else str(toy_run), "--metrics-file", str(file), "--metrics-port", "0"
    )

    assert result.exit_code == 0, result.output
    assert re.match(r"metrics: http://127\.0\.0\.1:\d+/metrics\n", result.stdout)
    assert parsed(file.read_text())["evolve_evaluations_total", (("problem", "p"), ("run", "r"))] == 1200


def test_a_metrics_file_that_cannot_be_written_stops_the_command_before_anything_is_made(
    invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke("run", "exp2", "--metrics-file", str(tmp_path / "none" / "a.prom"), "--run-dir", "made")

    assert isinstance(result.exception, EvolveEnvironmentError)
    assert list(tmp_path.iterdir()) == []

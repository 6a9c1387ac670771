"""What a Ray worker does, without Ray: it is a plain function over a process below it."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from evolve.executors import ray_worker
from evolve.executors.frames import bodies, decode, encode
from evolve.executors.ray_worker import DIED, serve, serve_parcel
from evolve.executors.shipping import MARK, arrived, departed, hash_of, packed, unpacked
from evolve.testing.executor_conformance import HANDLER


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield
    while ray_worker._children:
        ray_worker._children.popitem()[1].end()


def asked(task: str, **payload: Any) -> dict[str, Any]:
    return decode(serve(HANDLER, task, payload))


def test_work_is_done_in_a_process_below_that_stays_warm_and_sees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    pids = [asked("echo")["answer"]["pid"] for _ in range(2)]
    environment = asked("environment")["answer"]["environment"]

    assert pids[0] == pids[1] != os.getpid()
    assert "sk-secret" not in str(environment)


def test_a_death_below_is_told_and_the_next_task_finds_a_fresh_process() -> None:
    died, after = asked("die"), asked("echo", alive=True)

    assert "exit code -9" in died[DIED]
    assert after["answer"]["payload"] == {"alive": True}


def test_a_process_that_died_while_it_waited_is_replaced_and_no_task_is_blamed() -> None:
    os.kill(asked("echo")["answer"]["pid"], signal.SIGKILL)
    ray_worker._children[HANDLER]._process.wait()

    assert asked("echo", alive=True)["answer"]["payload"] == {"alive": True}


def test_an_interrupt_kills_the_work_below() -> None:
    pid = asked("echo")["answer"]["pid"]

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            asked("sleep", seconds=600)
    finally:
        signal.signal(signal.SIGALRM, before)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def parcel_of(*tasks: tuple[str, dict[str, Any]]) -> bytes:
    return b"".join(encode({"task": task, "payload": payload}) for task, payload in tasks)


def served(parcel: bytes, bundles: dict[str, list[Any]] | None = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The facts and the answers of a parcel."""
    facts, *messages = map(decode, bodies(serve_parcel(HANDLER, parcel, bundles or {}, "board", 1)))
    return facts, messages


def test_a_parcel_is_answered_in_order_with_how_long_each_took() -> None:
    parcel = parcel_of(("echo", {"number": 1}), ("nonsense", {}), ("echo", {"number": 2}))

    cold, messages = served(parcel)
    warm, _ = served(parcel)

    assert [each["answer"]["payload"]["number"] for each in (messages[0], messages[2])] == [1, 2]
    assert "no such task: nonsense" in messages[1]["error"]
    assert (cold["is_cold"], warm["is_cold"]) == (True, False)
    assert len(cold["seconds"]) == 3
    assert "died" not in cold


def test_a_death_ends_a_parcel_and_what_comes_after_it_is_not_begun(tmp_path: Path) -> None:
    marker = {"marker": str(tmp_path / "begun")}
    facts, messages = served(parcel_of(("echo", {}), ("die", {}), ("die once", marker)))

    assert len(messages) == len(facts["seconds"]) == 1
    assert "exit code -9" in facts["died"]
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize("limit", ["STOP_SECONDS", "STOP_BYTES"])
def test_a_parcel_that_is_too_much_is_left_half_done(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_worker, limit, 0.01)

    facts, messages = served(parcel_of(*[("sleep", {"seconds": 0.02})] * 3))

    assert len(messages) == len(facts["seconds"]) == 1
    assert "died" not in facts


def test_a_parcel_finds_the_folders_that_were_sent_before_it(tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path))
    bundle = packed(Path(folder))
    held = unpacked(bundle)
    payload = departed({"judge": {"folder": folder}}, {folder: hash_of(bundle)})

    _, [message] = served(parcel_of(("echo", payload)), {hash_of(bundle): []})

    assert message["answer"]["payload"]["judge"]["folder"] == str(held)


def folder_of(tmp_path: Path, name: str = "problem") -> Path:
    folder = tmp_path / name
    for path, text in {"problem.toml": "a", "deep/data.json": "b", ".git/config": "c", "tried/run.db": "d"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_travels_by_its_content_without_runs_and_hidden_files(tmp_path: Path) -> None:
    bundle = packed(folder_of(tmp_path))

    held = unpacked(bundle)

    assert packed(folder_of(tmp_path, "equal")) == bundle
    assert sorted(str(path.relative_to(held)) for path in held.rglob("*") if path.is_file()) == [
        "deep/data.json",
        "problem.toml",
    ]
    assert held.parent.stat().st_mode & 0o077 == 0


def test_a_payload_names_folders_by_content_and_programs_are_left_alone(tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path))
    bundle = packed(Path(folder))
    payload = {
        "judge": {"folder": folder, "symbolic": {"vocabulary": f"{folder}/words.py"}, "axes": ["x"]},
        "children": [{"files": {"a.py": folder}}],
    }

    sent = departed(payload, {folder: hash_of(bundle)})
    got = arrived(sent, {hash_of(bundle): str(unpacked(bundle))})

    assert sent["judge"]["folder"] == MARK + hash_of(bundle)
    held = str(unpacked(bundle))
    assert got["judge"] == {"folder": held, "symbolic": {"vocabulary": f"{held}/words.py"}, "axes": ["x"]}
    assert got["children"] == payload["children"]

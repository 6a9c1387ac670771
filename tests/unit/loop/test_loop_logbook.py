"""The log file of a run: one object a line, bounded, without keys, and never a reason to stop."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from evolve.loop import Event, RunOptions, start_run
from evolve.loop.logbook import LOG_NAME, MAX_TEXT, OLD_LOG_NAME, PROGRESS_SECONDS, Logbook, known_secrets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def begun(folder: Path, **options: Any) -> Logbook:
    logbook = Logbook(folder, **{"secrets": (), **options})
    logbook.hear(Event(kind="seed", data={"score": 1.0}))
    return logbook


def test_every_event_is_a_line_with_time_kind_and_data(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path, secrets=())
    told: list[tuple[str, dict[str, Any]]] = [("started", {"run": "r"}), ("seed", {"score": 1.0})]
    for kind, data in [*told, ("improved", {"score": float("inf")})]:
        logbook.hear(Event(kind=kind, data=data))

    lines = lines_of(tmp_path / LOG_NAME)

    assert [(line["kind"], line["data"]) for line in lines] == [
        ("started", {"run": "r"}),
        ("seed", {"score": 1.0}),
        ("improved", {"score": None}),
    ]
    assert all(list(line) == ["time", "kind", "data"] and line["time"].endswith("+00:00") for line in lines)


def test_a_run_that_never_began_leaves_no_file(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path, secrets=())
    logbook.hear(Event(kind="started", data={}))
    logbook.hear(Event(kind="warning", data={"text": "x"}))
    logbook.note("failed", {"error": "the seed program is broken"})

    assert list(tmp_path.iterdir()) == []


def test_of_progress_one_report_in_half_a_minute_is_kept_and_the_map_is_not(tmp_path: Path) -> None:
    clock = Clock()
    logbook = begun(tmp_path, clock=clock)
    for number in range(8):
        clock.now = number * PROGRESS_SECONDS / 4
        logbook.hear(Event(kind="progress", data={"evaluations": number, "map_line": [1.0] * 50, "operators": {}}))

    kept = [line["data"] for line in lines_of(tmp_path / LOG_NAME) if line["kind"] == "progress"]

    assert kept == [{"evaluations": 4}]


def test_hostile_text_cannot_make_lines_and_long_text_is_cut(tmp_path: Path) -> None:
    logbook = begun(tmp_path)
    logbook.note("warning", {"text": '\n{"kind": "forged"}\x1b[2J\u202e\ud800', "more": ["a" * 9000, {"b" * 9000: 1}]})

    text = (tmp_path / LOG_NAME).read_bytes()
    last = lines_of(tmp_path / LOG_NAME)[-1]

    assert text.isascii()
    assert b"\x1b" not in text
    assert last["kind"] == "warning"
    assert last["data"]["more"][0] == "a" * MAX_TEXT + "... (9,000 characters)"
    assert [len(name) for name in last["data"]["more"][1]] == [MAX_TEXT]


def test_keys_are_hidden_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "evolve").mkdir()
    keys_file = tmp_path / "evolve" / "keys.toml"
    keys_file.write_text('home = "from-the-file-123"\n')
    keys_file.chmod(0o600)
    environment = {
        "OPENAI_API_KEY": "sk-from-outside",
        "EVOLVE_API_KEY_HOME": " sk-of-ours-4567 ",
        "PATH": "/bin/longer",
    }
    secrets = known_secrets(environment | {"EVOLVE_KEYS_FILE": str(keys_file)})
    logbook = begun(tmp_path, secrets=secrets)

    logbook.note("warning", {"sk-from-outside": "says sk-of-ours-4567, from-the-file-123 and /bin/longer"})

    text = (tmp_path / LOG_NAME).read_text()
    assert not any(each in text for each in ("sk-from-outside", "sk-of-ours", "from-the-file"))
    assert "/bin/longer" in text


def test_a_broken_file_of_keys_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text("= broken")

    found = known_secrets({"EVOLVE_KEYS_FILE": str(tmp_path / "keys.toml"), "A_API_KEY": "0123456789"})

    assert [key.reveal() for key in found] == ["0123456789"]


def test_the_log_is_turned_over_when_it_is_full_so_that_two_files_are_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolve.loop.logbook.MAX_LOG_BYTES", 1000)
    logbook = begun(tmp_path)
    for number in range(60):
        logbook.note("warning", {"number": number})

    both = [*lines_of(tmp_path / OLD_LOG_NAME), *lines_of(tmp_path / LOG_NAME)]
    numbers = [line["data"]["number"] for line in both]
    assert numbers == list(range(numbers[0], 60))
    assert sorted(os.listdir(tmp_path)) == [OLD_LOG_NAME, LOG_NAME]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logbook = begun(tmp_path)
    write = os.write

    def half(handle: int, data: bytes) -> int:
        write(handle, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("evolve.loop.logbook.os.write", half)
        logbook.note("warning", {"text": "lost"})
    logbook.note("warning", {"text": "kept"})

    lines = (tmp_path / LOG_NAME).read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[0])["kind"] == "seed"
    assert json.loads(lines[2])["data"] == {"text": "kept"}


def test_a_line_that_a_killed_session_left_half_written_does_not_swallow_the_next(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).write_text('{"time": "x", "kind": "se')

    begun(tmp_path)

    assert json.loads((tmp_path / LOG_NAME).read_text().splitlines()[1])["kind"] == "seed"


def test_a_link_in_the_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / LOG_NAME).symlink_to(tmp_path / "precious")

    begun(tmp_path)

    assert (tmp_path / "precious").read_text() == "mine"


def test_a_run_writes_its_log_from_start_to_end(python_problem: Path, tmp_path: Path) -> None:
    from evolve.config.problem import load_problem

    options = RunOptions(rng_seed=3, workers=1, durability="fast", evaluations=6, unsafe_sandbox=True)
    start_run(load_problem(python_problem), tmp_path / "run", options, lambda event: None)

    kinds = [line["kind"] for line in lines_of(tmp_path / "run" / LOG_NAME)]

    assert kinds[0] == "started"
    assert "seed" in kinds
    assert kinds[-1] == "stopped"

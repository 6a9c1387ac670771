"""What people read about graphics cards: of a run, and of the machine."""

from pathlib import Path

import pytest

from evolve.cli.cards import cards_table, devices_line
from evolve.cli.conduct import conduct
from evolve.cli.isolation import problem_notices, stored_notices, uses_cards
from evolve.cli.machine_cards import card_lines, machine_cards
from evolve.cli.output import Output
from evolve.loop.events import Event, Listener, RunSummary
from tests.unit.sandbox.made_up_cards import CUT, CUT_LIST, CUT_REPORT, DRIVER, H200, MadeUpCards

ON_CPU = {"session": 1, "kind": "processors", "cards": [], "share": 1.0, "notice": "NO GRAPHICS CARD: none\x1b[2J"}
ON_CARDS = {"session": 2, "kind": "cards", "cards": ["NVIDIA H200", "NVIDIA H200"], "share": 0.25, "notice": ""}


def test_a_run_tells_what_its_candidates_were_judged_on() -> None:
    assert devices_line([]) == ""
    assert devices_line(["rubbish", 3]) == ""
    assert devices_line([ON_CPU]) == "judged on processors"
    assert devices_line([ON_CARDS]) == "judged on 2 x NVIDIA H200 (0.25 for each evaluation)"


def test_a_run_that_changed_its_cards_says_so() -> None:
    line = devices_line([ON_CPU, ON_CARDS])

    assert line.startswith("judged on different things, so that speed and rounding cannot be compared: session 1: proc")
    assert line.endswith("session 2: 2 x NVIDIA H200 (0.25 for each evaluation)")


def test_the_last_sessions_fall_back_is_a_notice() -> None:
    assert stored_notices({"devices": [ON_CARDS, ON_CPU]}) == (ON_CPU["notice"],)
    assert stored_notices({"devices": [ON_CPU, ON_CARDS]}) == ()
    assert stored_notices({"devices": "rubbish"}) == ()
    assert problem_notices({"devices": [ON_CPU]}) == ()


@pytest.mark.parametrize(("gpus", "uses"), [("auto", True), ([0], True), ("none", False), ([], False)])
def test_whether_a_run_uses_cards_stands_in_its_problem(gpus: object, *, uses: bool) -> None:
    assert uses_cards({"problem": {"tables": {"sandbox": {"gpus": gpus}}}}) is uses
    assert not uses_cards({"problem": {"tables": {}}})


def test_the_cards_of_a_run_are_a_table() -> None:
    row = {"index": "0:1", "name": "NVIDIA \x1b[31mH200", "memory_used_mb": 70000, "memory_total_mb": 143771}

    _, rows = cards_table([{**row, "slots": "3 of 4"}, {**row, "memory_used_mb": None, "note": "gone"}])

    assert rows[0] == ["0:1", r"NVIDIA \x1b[31mH200", "70,000 MiB", "143,771 MiB", "3 of 4"]
    assert rows[1][2:] == ["?", "143,771 MiB", "gone"]


def test_the_nodes_of_a_cluster_have_cards_too() -> None:
    assert cards_table([{"node": "b7", "cards": 2.0, "share": 0.25}])[1] == [["b7", "2.0 cards", "?", "?", "0.25 each"]]


def lines_of(folder: Path, monkeypatch: pytest.MonkeyPatch, cards: str, **more: str) -> list[str]:
    monkeypatch.setenv("PATH", f"{MadeUpCards(folder, cards, **more).folder}:/usr/bin:/bin")
    return list(card_lines({**machine_cards(), "is_watched": True}))


def test_the_doctor_shows_a_card_and_how_many_can_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of(tmp_path, monkeypatch, H200) == [
        f"card 0    NVIDIA H200, 143,771 MiB, 4 used, driver {DRIVER}",
        "shares    --gpus 1: 1 evaluation at a time; 0.25: 4, each with 34,918 MiB beside what CUDA takes",
    ]


def test_the_doctor_shows_the_parts_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(tmp_path, monkeypatch, CUT, listed=CUT_LIST, report=CUT_REPORT)

    assert lines[1:3] == [
        "  part 0:0  3g.71gb, 71,424 MiB, 60 processors",
        "  part 0:1  1g.18gb, 18,000 MiB, 16 processors",
    ]
    assert lines[-1].startswith("shares    --gpus 1: 3 evaluations at a time; 0.25: 12, each with 3,476 MiB")


def test_the_doctor_says_why_a_card_is_of_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(tmp_path, monkeypatch, H200.replace("Disabled", "Enabled"), listed="")

    assert lines == [
        f"card 0    NVIDIA H200, 143,771 MiB, 4 used, driver {DRIVER}",
        "  set to be cut (MIG) and without parts: no program can use it",
    ]


def test_the_doctor_says_that_there_is_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert list(card_lines(machine_cards())) == ["cards     none: there is no 'nvidia-smi', so no NVIDIA driver"]


def test_the_doctor_warns_where_memory_cannot_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{MadeUpCards(tmp_path, H200).folder}:/usr/bin:/bin")

    lines = list(card_lines({**machine_cards(), "is_watched": False}))

    assert lines[-1].endswith("cannot be watched in this container (start it with --pid=host)")


@pytest.mark.parametrize(("as_json", "said"), [(False, "note: NO GRAPHICS CARD: none\n"), (True, "")])
def test_what_is_loud_is_on_standard_error_too(capsys: pytest.CaptureFixture[str], said: str, *, as_json: bool) -> None:
    summary = RunSummary(
        run="r",
        evaluations=0,
        elites=0,
        best_score=None,
        best_id=None,
        archive_hash="",
        stopped_by="time",
        signal=None,
        seconds=0.0,
    )

    def run(listener: Listener) -> RunSummary:
        listener(Event(kind="warning", data={"text": "quiet"}))
        listener(Event(kind="warning", data={"text": "NO GRAPHICS CARD: none", "loud": True}))
        return summary

    conduct(run, Output(as_json=as_json), plain=True)

    notes = [line for line in capsys.readouterr().err.splitlines(keepends=True) if line.startswith("note:")]
    assert "".join(notes) == said

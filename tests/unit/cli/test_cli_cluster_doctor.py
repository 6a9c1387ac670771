"""What `evolve doctor --ray` makes of the words of nodes; asking them is in tests/integration/ray."""

from pathlib import Path
from typing import Any

import pytest

from evolve.cli.cluster_check import clock_difference, here, lines, row_of
from evolve.cli.cluster_verdict import complaints, notices, told
from evolve.cli.node_facts import CLOCK, answer
from evolve.cli.source_hash import PACKAGES, source_hash

GIBIBYTE = 1 << 30
HERE = {"python": "3.12.1", "ray": "2.60.0", "evolve": "0.1.0", "source": "abc"}
SAID: dict[str, Any] = {
    **HERE,
    "user": "root",
    "cores": 8,
    "memory_bytes": 32 * GIBIBYTE,
    "cards": None,
    "shared_memory_bytes": 16 * GIBIBYTE,
    "disk_bytes": 100 * GIBIBYTE,
    "level": "FULL",
    "sandbox_error": "",
    "word": "swordfish",
    "bundle_error": "",
}
ON_TIME = {"answer": {"time": 100.5}, "sent": 100.0, "received": 101.0}
SILENT: dict[str, Any] = {"answer": {}}
NODE: dict[str, Any] = {
    "id": "n1",
    "address": "10.0.0.2",
    "host": "one",
    "resources": {"CPU": 8.0, "object_store_memory": float(GIBIBYTE)},
    "clock": ON_TIME,
}


def saying(said: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**NODE, "facts": {"answer": said, "error": ""}, **changes}


def silent(error: str, **changes: Any) -> dict[str, Any]:
    return {**NODE, "facts": {"answer": {}, "error": error}, "clock": SILENT, **changes}


def facts_of(*nodes: dict[str, Any], departed: int = 0) -> dict[str, Any]:
    rows = [row_of({**node, "id": f"n{n}"}, word="swordfish") for n, node in enumerate(nodes, start=1)]
    return {"address": "10.0.0.1:6379", "here": HERE, "nodes": rows, "departed": departed}


def test_a_cluster_like_this_machine_has_no_complaints_and_nothing_to_note() -> None:
    facts = facts_of(saying(SAID), saying(SAID))
    assert complaints(facts) == {}
    assert notices(facts) == []
    text = list(lines(facts, {}))
    assert text[0] == "cluster   10.0.0.1:6379, 2 nodes, 16 CPUs"
    assert text[-1].split() == [
        *("one", "10.0.0.2", "same", "8", "32.0", "GiB", "0", "16.0", "GiB"),
        *("1.0", "GiB", "100.0", "GiB", "FULL", "same", "ok"),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"evolve": "0.2.0"}, "has evolve 0.2.0, and here is evolve 0.1.0"),
        ({"source": "xyz", "python": None}, "has python unknown, source xyz, and here is python 3.12.1, source abc"),
        ({"level": "WEAK"}, "only WEAK"),
        ({"level": None, "sandbox_error": "no seccomp"}, "the sandbox does not start: no seccomp"),
        ({"level": "BEST"}, "the sandbox does not start: it did not say why"),
        ({"word": "", "bundle_error": "OSError: read-only"}, "cannot be unpacked there: OSError: read-only"),
        ({"word": "another"}, "it arrived changed"),
        ({"disk_bytes": 5}, "less than 1 GiB"),
    ],
)
def test_each_thing_that_is_wrong_with_a_node_is_told_with_its_name(change: dict[str, Any], words: str) -> None:
    facts = facts_of(saying(SAID), saying({**SAID, **change}))
    wrong = complaints(facts)
    assert list(wrong) == ["n2"]
    [line] = told(facts, wrong)
    assert line.startswith("node one (10.0.0.2): ")
    assert words in line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("it did not answer within 3 s", "it did not answer within 3 s (`ray status`"),
        ("ModuleNotFoundError: No module named 'evolve'", "install Evolve there"),
    ],
)
def test_a_node_without_an_answer_is_told_as_such_and_has_a_line(error: str, words: str) -> None:
    facts = facts_of(silent(error))
    [line] = told(facts, complaints(facts))
    assert words in line
    assert list(lines(facts, {"n1": 1}))[-1].endswith("no answer")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shared_memory_bytes": 1 << 20}, "/dev/shm"),
        ({"cards": 2}, "graphics cards that Ray does not offer"),
        ({"level": "STRONG"}, "nodes reach FULL and STRONG"),
    ],
)
def test_what_only_deserves_a_note_is_no_complaint(change: dict[str, Any], words: str) -> None:
    facts = facts_of(saying(SAID), saying({**SAID, **change}))
    assert complaints(facts) == {}
    [note] = notices(facts)
    assert words in note


def test_a_cluster_without_processors_is_wrong_as_a_whole() -> None:
    facts = facts_of(saying(SAID, resources={"GPU": 1.0}), departed=3)
    assert "no CPU" in told(facts, complaints(facts))[0]
    assert [note for note in notices(facts) if note.startswith("3 of the nodes")]
    assert [note for note in notices(facts) if "nvidia-smi does not answer" in note]


@pytest.mark.parametrize(
    ("time", "sent", "received", "apart"),
    [(100.5, 100.0, 101.0, 0.0), (107.0, 100.0, 101.0, 6.0), (90.0, 100.0, 101.0, -10.0), (True, 0.0, 1.0, None)],
)
def test_a_clock_is_off_by_what_the_way_of_the_question_does_not_explain(
    time: Any, sent: float, received: float, apart: float | None
) -> None:
    assert clock_difference({"answer": {"time": time}, "sent": sent, "received": received}) == apart


def test_a_clock_that_is_far_off_is_noted() -> None:
    clock = {"answer": {"time": 0.0}, "sent": 60.0, "received": 61.0}
    [note] = notices(facts_of(saying(SAID, clock=clock)))
    assert "its clock is -60.0 s off" in note


def test_a_hostile_node_says_nothing_that_a_terminal_obeys_and_nothing_of_another_kind() -> None:
    hostile = "\x1b]0;owned\x07\nover\u202e" * 100
    said = {**SAID, **dict.fromkeys(("python", "evolve", "source", "level", "sandbox_error", "bundle_error"), hostile)}
    said |= {"memory_bytes": 1e300, "disk_bytes": [1], "cores": "many", "cards": True, "word": ["swordfish"]}
    named = {"host": hostile, "address": hostile}
    facts = facts_of(saying(said, clock={"answer": {"time": "now"}}, **named), silent(hostile, **named))
    row = facts["nodes"][0]
    text = [*lines(facts, {"n1": 1}), *told(facts, complaints(facts)), *notices(facts)]
    assert [row[name] for name in ("memory_bytes", "disk_bytes", "cores", "cards", "level", "bundle")] == [
        *[None] * 5,
        False,
    ]
    assert not [line for line in text if "\x1b" in line or "\x07" in line or "\n" in line or "\u202e" in line]
    assert max(map(len, text)) < 3000


def test_a_node_answers_with_this_machines_facts_and_removes_what_came_along(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "word.txt").write_text("swordfish")
    said = answer("facts", {"judge": str(folder)})
    row = row_of(saying(said), word="swordfish")
    assert isinstance(answer(CLOCK, {})["time"], float)
    assert row["bundle"]
    assert not folder.exists()
    assert (row["source"], row["python"], row["evolve"]) == (source_hash(), here()["python"], here()["evolve"])


def test_a_folder_that_did_not_arrive_is_said_to(tmp_path: Path) -> None:
    said = answer("facts", {"judge": str(tmp_path / "nowhere")})
    assert said["word"] == ""
    assert "FileNotFoundError" in said["bundle_error"]


def test_the_hash_is_of_names_and_contents_wherever_the_packages_lie(tmp_path: Path) -> None:
    def hash_of(folder: str, name: str, text: str) -> str:
        for package in PACKAGES:
            (tmp_path / folder / package).mkdir(parents=True)
            (tmp_path / folder / package / name).write_text(text)
        return source_hash(tmp_path / folder)

    assert hash_of("one", "a.py", "x = 1\n") == hash_of("two", "a.py", "x = 1\n")
    assert (
        len({hash_of("three", "a.py", "x = 2\n"), hash_of("four", "b.py", "x = 1\n"), source_hash(tmp_path / "one")})
        == 3
    )

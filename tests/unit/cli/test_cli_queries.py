import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolve.cli.program_commands import unified_diff, write_program
from evolve.errors import EvolveEnvironmentError, UsageError

Invoke = Callable[..., Any]
QUERIES = [("ls",), ("status", "RUN"), ("best", "RUN", "-n", "9"), ("show", "RUN", "2"), ("diff", "RUN", "4"),
           ("diff", "RUN", "1", "2"), ("lineage", "RUN", "4", "--all"), ("frontier", "RUN"), ("version",)]  # fmt: skip


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 1
    document: dict[str, Any] = json.loads(lines[0])
    return document


@pytest.mark.parametrize("query", QUERIES, ids=" ".join)
def test_a_query_answers_people_in_clean_text_and_scripts_in_one_document(
    query: tuple[str, ...], toy_run: Path, invoke: Invoke
) -> None:
    arguments = [str(toy_run) if word == "RUN" else word for word in query]

    for_people = invoke(*arguments)
    for_scripts = invoke(*arguments, "--json")

    assert for_people.exit_code == 0
    assert for_people.stdout
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(for_people.stdout)
    assert answer(for_scripts)["schema"] == f"evolve.{query[0]}/1"
    assert for_scripts.stderr == ""


def test_best_lists_elites_best_first_with_all_that_scripts_read(toy_run: Path, invoke: Invoke) -> None:
    document = answer(invoke("best", str(toy_run), "-n", "2", "--json"))

    first, second = document["elites"]
    assert (first["id"], second["id"]) == (4, 3)
    assert first["score"] == 4.0
    assert first["metrics"] == {"operations": 4.0, "max_relative_error": 1e-4}
    assert first["descriptor"] == {"operations": 4.0}
    assert first["source"] == first["files"]["seed.py"] == "def f(x):\n    return x * 4.0\n"
    assert document["problem"] == "toy"


def test_best_shows_one_program_unless_asked_for_more(toy_run: Path, invoke: Invoke) -> None:
    result = invoke("best", str(toy_run))

    assert "candidate 4  score 4" in result.stdout
    assert "    return x * 4.0" in result.stdout
    assert "candidate 3" not in result.stdout


def test_best_writes_the_program_to_a_file(toy_run: Path, invoke: Invoke, tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.py"

    result = invoke("best", str(toy_run), "-o", str(target))

    assert target.read_text(encoding="utf-8") == "def f(x):\n    return x * 4.0\n"
    assert f"wrote candidate 4 to {target}" in result.stdout


def test_a_program_of_several_files_becomes_a_folder(tmp_path: Path) -> None:
    write_program({"a.py": "1", "sub/b.py": "2"}, tmp_path / "out")

    assert (tmp_path / "out" / "a.py").read_text(encoding="utf-8") == "1"
    assert (tmp_path / "out" / "sub" / "b.py").read_text(encoding="utf-8") == "2"


def test_a_program_cannot_write_outside_the_folder_that_was_named(tmp_path: Path) -> None:
    with pytest.raises(EvolveEnvironmentError, match="would be outside"):
        write_program({"a.py": "1", "../b.py": "2"}, tmp_path / "out")

    assert not (tmp_path / "b.py").exists()


def test_a_place_that_cannot_be_written_is_an_environment_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EvolveEnvironmentError, match="cannot write"):
        write_program({"a.py": "1"}, tmp_path / "file" / "out.py")


def test_show_tells_why_a_candidate_failed(toy_run: Path, invoke: Invoke) -> None:
    document = answer(invoke("show", str(toy_run), "2", "--json"))
    text = invoke("show", str(toy_run), "2").stdout

    assert document["failure"] == "exception"
    assert document["score"] is None
    assert "ValueError" in document["detail"]
    assert "failed (exception)" in text
    assert r"\x1b[31mred" in text


def test_show_best_names_the_relatives(toy_run: Path, invoke: Invoke) -> None:
    assert answer(invoke("show", str(toy_run), "best", "--json"))["parents"] == [3, 1]
    assert answer(invoke("show", str(toy_run), "1", "--json"))["children"] == [2, 3, 4]


def test_diff_without_a_second_candidate_compares_with_the_first_parent(toy_run: Path, invoke: Invoke) -> None:
    document = answer(invoke("diff", str(toy_run), "4", "--json"))

    assert (document["a"], document["b"]) == (3, 4)
    assert "-    return x * 3.0\n+    return x * 4.0\n" in document["diff"]


def test_diff_of_the_seed_program_alone_asks_for_a_second(toy_run: Path, invoke: Invoke) -> None:
    result = invoke("diff", str(toy_run), "1")

    assert isinstance(result.exception, UsageError)
    assert "name the two candidates" in str(result.exception)


def test_equal_programs_are_said_to_be_equal(toy_run: Path, invoke: Invoke) -> None:
    assert "the programs are equal" in invoke("diff", str(toy_run), "3", "3").stdout


def test_a_diff_covers_files_that_came_and_went() -> None:
    text = unified_diff({"a.py": "x\n", "b.py": "y\n"}, {"a.py": "x\n", "c.py": "z\n"}, "old", "new")

    assert "-y\n" in text
    assert "+z\n" in text
    assert "a.py" not in text


def test_lineage_follows_first_parents_and_all_on_request(toy_run: Path, invoke: Invoke) -> None:
    line = answer(invoke("lineage", str(toy_run), "best", "--json"))["line"]

    assert [step["id"] for step in line] == [4, 3, 1]
    assert [step["score"] for step in line] == [4.0, 2.0, 0.5]
    assert answer(invoke("lineage", str(toy_run), "2", "--all", "--json"))["line"][0]["failure"] == "exception"


def test_status_counts_what_happened(toy_run: Path, invoke: Invoke) -> None:
    document = answer(invoke("status", str(toy_run), "--json"))

    counted = {name: document[name] for name in ("evaluations", "failures", "iterations", "duplicates", "elites")}
    assert counted == {"evaluations": 4, "failures": 1, "iterations": 4, "duplicates": 4, "elites": 3}
    assert document["best_score"] == 4.0
    assert document["state"] == "stopped (time)"
    assert {each["operator"] for each in document["operators"]} == {"seed", "mutate"}


def test_ls_lists_runs_and_survives_a_damaged_one(toy_run: Path, invoke: Invoke) -> None:
    damaged = toy_run.parent / "damaged"
    damaged.mkdir()
    (damaged / "run.db").write_bytes(b"not a database at all" * 100)

    document = answer(invoke("ls", "--json"))

    assert {run["run"].rsplit("/", 1)[1]: run["state"] for run in document["runs"]} == {
        "20260102T030405Z-0": "stopped (time)",
        "damaged": "unreadable",
    }
    assert invoke("ls").exit_code == 0


def test_a_database_damaged_inside_is_an_environment_error(toy_run: Path, invoke: Invoke) -> None:
    database = toy_run / "run.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(database.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    database.write_bytes(content)

    assert isinstance(invoke("status", str(toy_run)).exception, EvolveEnvironmentError)
    assert answer(invoke("ls", "--json"))["runs"][0]["state"] == "unreadable"


def test_ls_without_runs_says_how_to_start_one(invoke: Invoke) -> None:
    result = invoke("ls")

    assert result.exit_code == 0
    assert "evolve run PROBLEM" in result.stdout
    assert answer(invoke("ls", "--json"))["runs"] == []


def test_last_means_the_run_started_last(toy_run: Path, invoke: Invoke) -> None:
    assert answer(invoke("best", "last", "--json"))["run"].endswith(toy_run.name)


@pytest.mark.parametrize("identifier", ["-1", "x", "1.5", "٣", "9" * 30])
def test_what_is_no_candidate_is_a_usage_error(toy_run: Path, invoke: Invoke, identifier: str) -> None:
    result = invoke("show", str(toy_run), "--", identifier)

    assert result.exit_code == 2
    assert "neither the number of a candidate" in result.stderr


def test_a_candidate_that_does_not_exist_gets_the_range(toy_run: Path, invoke: Invoke) -> None:
    result = invoke("show", str(toy_run), "99")

    assert isinstance(result.exception, UsageError)
    assert "ids run from 1 to 4" in str(result.exception)


def test_version_says_which(invoke: Invoke) -> None:
    assert answer(invoke("version", "--json"))["version"] in invoke("version").stdout


def test_the_version_is_said_in_the_usual_place_too(invoke: Invoke) -> None:
    assert invoke("--version").stdout == invoke("version").stdout


@pytest.mark.parametrize("command", ["show", "diff", "lineage"])
def test_without_a_candidate_the_best_is_meant(toy_run: Path, invoke: Invoke, command: str) -> None:
    assert invoke(command, str(toy_run)).stdout == invoke(command, str(toy_run), "best").stdout != ""


def test_lineage_writes_numbers_as_commands_take_them(long_run: Path, invoke: Invoke) -> None:
    assert invoke("lineage", str(long_run)).stdout.splitlines()[1].split()[0] == "1001"

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.errors import EvolveEnvironmentError, ResumableError, UsageError
from evolve.store import CandidateRecord, IterationRecord, RunReader, RunWriter
from evolve.store.lock import filesystem_of
from evolve.store.records import pack_files, source_hash, unpack_files
from evolve.store.schema import connect_writer


def a_candidate(identifier: int, *, parents: tuple[int, ...] = (), iteration: int = 0) -> Candidate:
    return Candidate(
        id=identifier,
        files={"seed.py": f"def f(x):\n    return x * {identifier}\n"},
        fingerprint=f"print-{identifier}",
        parent_ids=parents,
        operator="mutate" if parents else "seed",
        generation=1 if parents else 0,
        iteration=iteration,
        metrics={"operations": 1.0},
    )


def a_row(
    identifier: int, *, score: float | None = 1.0, parents: tuple[int, ...] = (), iteration: int = 0
) -> CandidateRecord:
    evaluation = (
        Evaluation.failed(Failure.TIMEOUT, detail="too slow")
        if score is None
        else Evaluation(score=score, descriptor={"operations": 1.0}, metrics={"operations": 1.0})
    )
    return CandidateRecord(
        candidate=a_candidate(identifier, parents=parents, iteration=iteration),
        evaluation=evaluation,
        island=0,
        status="failed" if score is None else "new",
        cell=None if score is None else 3,
    )


def an_iteration(number: int, *rows: CandidateRecord) -> IterationRecord:
    return IterationRecord(
        number=number, operator="mutate", island=0, cost=1.0, reward=0.5, seconds=0.1, n_duplicates=2, candidates=rows
    )


def without_metrics(row: CandidateRecord) -> tuple[object, ...]:
    return (row.candidate.id, dict(row.candidate.files), row.candidate.parent_ids, row.evaluation.score, row.status)


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {"problem": {"name": "p"}})
    records = [
        an_iteration(0, a_row(1)),
        an_iteration(1, a_row(2, parents=(1,), iteration=1), a_row(3, score=None, iteration=1)),
    ]

    writer.append(records, elites=[(0, 3, [2, 1])], curve=[(1, 0.5, 1.0, 1)], events=[("improved", {"id": 1})])

    reader = RunReader(tmp_path / "run")
    read = list(reader.iterations())
    assert [each.number for each in read] == [0, 1]
    assert [without_metrics(row) for each in read for row in each.candidates] == [
        without_metrics(row) for each in records for row in each.candidates
    ]
    assert reader.elite_ids() == [(0, 3, 0, 2), (0, 3, 1, 1)]
    assert reader.counts()["failures"] == 1
    assert reader.meta() == {"problem": {"name": "p"}}
    assert reader.events()[0]["data"] == {"id": 1}
    assert reader.iteration_operators() == ["mutate", "mutate"]
    reader.close()
    writer.close()


def test_a_reader_sees_commits_of_a_living_writer(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    reader = RunReader(tmp_path / "run")
    assert reader.counts()["evaluations"] == 0
    writer.append([an_iteration(0, a_row(1))])
    assert reader.counts()["evaluations"] == 1
    reader.close()
    writer.close()


def test_lineage_leads_to_the_seed_and_children_are_found(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.append(
        [
            an_iteration(0, a_row(1)),
            an_iteration(1, a_row(2, parents=(1,), iteration=1), a_row(3, parents=(2, 1), iteration=1)),
        ]
    )
    reader = RunReader(tmp_path / "run")
    assert reader.ancestors_of(3) == [3, 2, 1]
    assert reader.children_of(1) == [2, 3]
    assert reader.candidate(3).candidate.parent_ids == (2, 1)
    reader.close()
    writer.close()


def test_an_unknown_candidate_is_named_with_the_range_of_ids(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.append([an_iteration(0, a_row(1))])
    reader = RunReader(tmp_path / "run")
    with pytest.raises(UsageError, match=r"no candidate 7 .* ids run from 1 to 1"):
        reader.candidate(7)
    reader.close()
    writer.close()


def test_a_second_controller_is_refused_and_told_who_holds_the_run(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    with pytest.raises(EvolveEnvironmentError, match=f"another controller .*{os.getpid()}"):
        RunWriter.open(tmp_path / "run")
    writer.close()
    RunWriter.open(tmp_path / "run").close()


def test_a_folder_with_a_run_is_not_started_again(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {}).close()
    with pytest.raises(UsageError, match="already holds a run: continue it with `evolve resume"):
        RunWriter.create(tmp_path / "run", {})


@pytest.mark.parametrize("born", [False, True], ids=["an empty file", "a database without tables"])
def test_a_run_that_was_killed_at_its_birth_is_no_run_and_can_be_started(tmp_path: Path, *, born: bool) -> None:
    (tmp_path / "run.db").touch()
    if born:
        connect_writer(tmp_path / "run.db", durability="full").close()
    with pytest.raises(UsageError, match="killed before it began"):
        RunWriter.open(tmp_path)
    with pytest.raises(UsageError, match="killed before it began"):
        RunReader(tmp_path)
    RunWriter.create(tmp_path, {"a": 1}).close()
    assert RunReader(tmp_path).meta() == {"a": 1}


def test_a_damaged_database_is_told_by_reader_and_writer(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path, {})
    writer.append([an_iteration(0, *(a_row(number) for number in range(1, 300)))])
    writer.close()
    size = (tmp_path / "run.db").stat().st_size
    with (tmp_path / "run.db").open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (size - 4096))
    with pytest.raises(EvolveEnvironmentError, match="malformed"):
        RunReader(tmp_path).counts()
    writer = RunWriter.open(tmp_path)
    with pytest.raises(ResumableError, match="malformed"):
        writer.start_session()
    writer.close()


@pytest.mark.parametrize("name", ["a?b", "a#b", "50%41", "a b"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    RunWriter.create(tmp_path / name, {"a": 1}).close()
    reader = RunReader(tmp_path / name)
    assert reader.meta() == {"a": 1}
    reader.close()


def test_a_run_that_lost_its_wal_file_is_still_a_run(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {"a": 1})
    writer.append([an_iteration(0, a_row(1))])
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "run.db").write_bytes((tmp_path / "run" / "run.db").read_bytes())
    writer.close()

    RunWriter.open(tmp_path / "copy").close()
    reader = RunReader(tmp_path / "copy")
    assert reader.meta() == {"a": 1}
    assert [each.number for each in reader.iterations()] in ([], [0])
    reader.close()


def test_a_folder_without_a_run_cannot_be_resumed_or_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run in"):
        RunWriter.open(tmp_path)
    with pytest.raises(UsageError, match="no run in"):
        RunReader(tmp_path)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "run.db").write_bytes(b"not a database at all" * 200)
    with pytest.raises(UsageError, match="cannot read"):
        RunReader(tmp_path)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {}).close()
    connection = sqlite3.connect(tmp_path / "run" / "run.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(UsageError, match="schema version 99"):
        RunReader(tmp_path / "run")
    with pytest.raises(UsageError, match="schema version 99"):
        RunWriter.open(tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_an_environment_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EvolveEnvironmentError, match="cannot make the run directory"):
        RunWriter.create(tmp_path / "file" / "run", {})


def test_a_failed_append_leaves_nothing_and_the_writer_usable(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.append([an_iteration(0, a_row(1))])
    with pytest.raises(sqlite3.IntegrityError):
        writer.append([an_iteration(1, a_row(2)), an_iteration(1, a_row(3))])
    writer.append([an_iteration(1, a_row(2))])
    reader = RunReader(tmp_path / "run")
    assert reader.counts()["evaluations"] == 2
    reader.close()
    writer.close()


def test_discard_leaves_no_file_and_no_folder(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.discard(folders=[writer.run_dir])
    writer.close()
    assert not (tmp_path / "run").exists()


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from evolve.errors import ResumableError
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from evolve.store import RunWriter
import importlib.util
spec = importlib.util.spec_from_file_location("rows", {module!r})
rows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rows)
writer = RunWriter.create(Path({run!r}), {{}})
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
done = 0
try:
    while done < 100_000:
        writer.append([rows.an_iteration(done, rows.a_row(done + 1))])
        done += 1
except ResumableError as error:
    print(done, error, flush=True)
"""


def test_a_full_disk_stops_with_a_clear_word_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    run = tmp_path / "run"
    script = FILL_THE_DISK.format(module=__file__, run=str(run))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    acknowledged, _, text = done.stdout.partition(" ")
    assert "nothing acknowledged is lost" in text
    reader = RunReader(run)
    assert reader.counts()["evaluations"] == int(acknowledged) > 0
    reader.close()


KILL_ME = """
import importlib.util
from pathlib import Path
from evolve.store import RunWriter
spec = importlib.util.spec_from_file_location("rows", {module!r})
rows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rows)
writer = RunWriter.create(Path({run!r}), {{}})
done = 0
while True:
    writer.append([rows.an_iteration(done, rows.a_row(done + 1))])
    done += 1
    print(done, flush=True)
"""


def test_every_acknowledged_iteration_survives_kill_nine(tmp_path: Path) -> None:
    run = tmp_path / "run"
    script = KILL_ME.format(module=__file__, run=str(run))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = int([line for line in lines if line.strip()][-1])
    reader = RunReader(run)
    assert reader.counts()["evaluations"] >= acknowledged
    reader.close()
    RunWriter.open(run).close()


def test_files_survive_packing_whatever_they_hold() -> None:
    files = {"seed.py": "x = '\ud800 é \x00'\n", "other.py": ""}
    assert unpack_files(pack_files(files)) == files
    assert source_hash(files) != source_hash({**files, "other.py": " "})


def test_the_filesystem_of_a_folder_is_known_on_linux(tmp_path: Path) -> None:
    assert filesystem_of(tmp_path) != ("unknown" if sys.platform == "linux" else "")

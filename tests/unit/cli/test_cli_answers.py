"""What every query says, to people letter by letter and to scripts field by field, and against plain recounting."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.cli.program_commands import unified_diff
from evolve.errors import UsageError
from evolve.store import CandidateRecord, IterationRecord, RunWriter
from evolve.view.frontier import frontier_of, read_baselines, tally
from tests.extent import examples

Invoke = Callable[..., Any]

BEST_TEXT = """\
candidate 4  score 4  operations 4  max_relative_error 0.0001
    def f(x):
        return x * 4.0
candidate 3  score 2  operations 2  max_relative_error 0.01
    def f(x):
        return x * 3.0
"""
SHOW_FAILED_TEXT = r"""candidate 2  failed (exception)
made      by mutate in iteration 1, generation 1, judged in 0 s
sandbox   STRONG
archive   failed, island 0, cell -
parents   1
children  none
detail (stage full):
    Traceback
    ValueError: \x1b]0;owned\x07\x1b[31mred\x9b2J\rover\u202eevil
program:
    # \x1b]0;owned\x07\x1b[31mred\x9b2J\rover\u202eevil
    def f(x):
        return x
"""
SHOW_SCORED_TEXT = """\
candidate 1  score 0.5  operations 1  max_relative_error 0.316228
made      by seed in iteration 0, generation 0, judged in 0.01 s
sandbox   STRONG
archive   new, island 0, cell 1
place     operations 1
parents   none
children  2 3 4
program:
    def f(x):
        return x * 1.0
"""
DIFF_TEXT = """\
candidate 3  score 2  operations 2  max_relative_error 0.01
candidate 4  score 4  operations 4  max_relative_error 0.0001
--- seed.py (candidate 3)
+++ seed.py (candidate 4)
@@ -1,2 +1,2 @@
 def f(x):
-    return x * 3.0
+    return x * 4.0
"""
LINEAGE_TEXT = """\
id  generation  score  operator  parents
 4           3      4  mutate    3 1
 3           2      2  mutate    1
 1           0    0.5  seed      none
"""
FRONTIER_TEXT = """\
toy: max_relative_error with at most so many operations

operations  discovered  candidate  polynomial   rational
         1   3.162e-01          1           -          -
         2   1.000e-02          3   3.000e-02  2.000e-02  below both
         3   1.000e-02          3   3.000e-02  1.000e-03  at or below polynomial
         4   1.000e-04          4   1.000e-05  1.000e-05  above polynomial

at or below the polynomial at 2, 3 operations
above the polynomial at 4 operations
below the better of polynomial and rational at 2 operations
"""
TEXTS = [
    (("best", "-n", "2"), BEST_TEXT),
    (("show", "2"), SHOW_FAILED_TEXT),
    (("show", "1"), SHOW_SCORED_TEXT),
    (("diff", "4"), DIFF_TEXT),
    (("diff", "3", "4"), DIFF_TEXT),
    (("lineage",), LINEAGE_TEXT),
    (("lineage", "4", "--all"), LINEAGE_TEXT),
    (("frontier", "--no-programs"), FRONTIER_TEXT),
]


@pytest.mark.parametrize(("query", "text"), TEXTS, ids=lambda part: " ".join(part) if isinstance(part, tuple) else "")
def test_people_read_exactly_this(query: tuple[str, ...], text: str, toy_run: Path, invoke: Invoke) -> None:
    command, *rest = query

    assert invoke(command, str(toy_run), *rest).stdout == text


def test_people_read_the_status_with_its_operators_and_failures(toy_run: Path, invoke: Invoke) -> None:
    lines = invoke("status", str(toy_run)).stdout.splitlines()

    assert lines[0] == f"toy  {toy_run}  stopped (time)"
    assert lines[1] == (
        "best score 4, 3 elites, 4 evaluations (1 failed, 4 known before), 4 iterations, 3.0s in 1 session"
    )
    assert lines[2] == "sandbox: STRONG"
    assert lines[4:7] == [
        "operator  iterations  evaluations  kept  cost",
        "mutate             3            3     2   1.5",
        "seed               1            1     1   0.5",
    ]
    assert lines[8:] == ["failure    count  latest  an example", r"exception      1       2  over\u202eevil"]


def test_people_read_the_list_of_runs_as_a_table(toy_run: Path, invoke: Invoke) -> None:
    assert invoke("ls").stdout.splitlines() == [
        "run                          problem  state           evaluations  elites  best score",
        "runs/toy/20260102T030405Z-0  toy      stopped (time)            4       3           4",
    ]


ELITE_FIELDS = (
    "id score metrics descriptor level status cell island operator generation iteration parents fingerprint "
    "source files"
)
FIELDS = {
    "ls": "schema runs",
    "status": "schema run problem state evaluations failures duplicates elites best_score seconds levels options "
    "notices devices gpus operators failures_by_kind models calls_by_model sessions iterations",
    "best": "schema run problem elites written_to",
    "show": f"schema run {ELITE_FIELDS} children failure stage detail artifacts seconds verified",
    "diff": "schema run a b score_a score_b diff",
    "lineage": "schema run id line",
    "frontier": "schema run problem error_metric rows at_most_polynomial above_polynomial "
    "below_polynomial_and_rational",
    "version": "schema version python platform executable",
    "problems": "schema problems",
}


def document(invoke: Invoke, *arguments: str) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


@pytest.mark.parametrize("command", FIELDS)
def test_scripts_find_these_fields_in_this_order(command: str, toy_run: Path, invoke: Invoke) -> None:
    takes_run = command not in ("ls", "version", "problems")

    answer = document(invoke, command, *([str(toy_run)] if takes_run else []))

    assert list(answer) == FIELDS[command].split()
    assert answer["schema"] == f"evolve.{command}/1"


def test_what_lies_inside_the_documents_has_its_fields_too(toy_run: Path, invoke: Invoke) -> None:
    run = str(toy_run)

    assert list(document(invoke, "best", run)["elites"][0]) == ELITE_FIELDS.split()
    assert list(document(invoke, "ls")["runs"][0]) == [
        "run",
        "problem",
        "state",
        "evaluations",
        "elites",
        "best_score",
        "started",
    ]
    assert list(document(invoke, "lineage", run)["line"][0]) == (
        ["id", "generation", "score", "failure", "metrics", "operator", "iteration", "parents"]
    )
    assert list(document(invoke, "frontier", run)["rows"][0]) == (
        ["operations", "error", "baselines", "at_most_polynomial", "below_polynomial_and_rational", "elite"]
    )
    fields = list(document(invoke, "problems")["problems"][0])
    assert fields[:-4] == (
        ["name", "title", "language", "statement", "score", "tags", "axes", "budget", "known", "folder", "notices"]
    )
    assert fields[-4:] == ["area", "tier", "parameters", "family"]


def random_records(rng: random.Random, n: int) -> list[CandidateRecord]:
    """Candidates with random parents, a third of them failed, every score different."""
    records = []
    scores = rng.sample(range(1, 10 * n), n)
    for number in range(1, n + 1):
        parents = tuple(sorted(rng.sample(range(1, number), min(number - 1, rng.randint(1, 2))), reverse=True))
        is_scored = number == 1 or rng.random() > 0.33
        metrics = {"operations": float(rng.randint(1, 9)), "max_relative_error": 10.0 ** -rng.uniform(1, 8)}
        evaluation = (
            Evaluation(score=float(scores[number - 1]), metrics=metrics)
            if is_scored
            else Evaluation(failure=rng.choice(list(Failure)), detail="no")
        )
        records.append(
            CandidateRecord(
                candidate=Candidate(
                    id=number,
                    files={"f.py": f"# {number}\n"},
                    fingerprint=f"f{number}",
                    parent_ids=parents,
                    operator="seed" if number == 1 else rng.choice(["mutate", "cross", "tidy"]),
                    generation=0 if number == 1 else 1,
                    iteration=number - 1,
                    metrics=metrics if is_scored else {},
                ),
                evaluation=evaluation,
                island=0,
                status="new" if is_scored else "failed",
                cell=number if is_scored else None,
            )
        )
    return records


def written(folder: Path, records: Sequence[CandidateRecord]) -> Path:
    """A run of these candidates, each scored one the elite of its own cell."""
    meta = {"problem": {"tables": {"problem": {"name": "many"}}, "baselines": {}}, "options": {}}
    writer = RunWriter.create(folder, meta, durability="fast", network_fs_allowed=True)
    writer.start_session()
    iterations, elites = [], []
    for record in records:
        iterations.append(
            IterationRecord(
                number=record.candidate.iteration,
                operator=record.candidate.operator,
                island=0,
                cost=0.25,
                reward=0.0,
                seconds=0.1,
                n_duplicates=2,
                candidates=(record,),
            )
        )
        if record.cell is not None:
            elites.append((0, record.cell, [record.candidate.id]))
    writer.append(iterations, elites=elites, seconds=1.0)
    writer.end_session(5.0, "evaluations")
    writer.close()
    return folder


@pytest.fixture(params=[1, 2, 3])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[CandidateRecord]]:
    """A random run of sixty candidates, and the records it was written from."""
    records = random_records(random.Random(request.param), 60)
    return written(tmp_path / "runs" / "many", records), records


def test_status_counts_what_a_recount_counts(many: tuple[Path, list[CandidateRecord]], invoke: Invoke) -> None:
    run, records = many
    scored = [record for record in records if record.evaluation.score is not None]
    failures = Counter(str(record.evaluation.failure) for record in records if record.evaluation.failure)
    operators = Counter(record.candidate.operator for record in records)
    kept = Counter(record.candidate.operator for record in scored)

    status = document(invoke, "status", str(run))

    assert (status["evaluations"], status["failures"], status["elites"]) == (60, 60 - len(scored), len(scored))
    assert status["best_score"] == max(record.evaluation.score or 0.0 for record in scored)
    assert {each["failure"]: each["n"] for each in status["failures_by_kind"]} == failures
    assert {each["operator"]: each["iterations"] for each in status["operators"]} == operators
    assert {each["operator"]: each["kept"] for each in status["operators"] if each["kept"]} == kept
    assert sum(each["cost"] for each in status["operators"]) == 60 * 0.25
    assert status["duplicates"] == 120


def test_best_orders_all_elites_by_score(many: tuple[Path, list[CandidateRecord]], invoke: Invoke) -> None:
    run, records = many
    ranked = sorted(
        (record for record in records if record.evaluation.score is not None),
        key=lambda record: -(record.evaluation.score or 0.0),
    )

    elites = document(invoke, "best", str(run), "-n", "100")["elites"]

    assert [elite["id"] for elite in elites] == [record.candidate.id for record in ranked]
    assert [elite["metrics"] for elite in elites] == [record.evaluation.metrics for record in ranked]


def test_relatives_agree_in_both_directions(many: tuple[Path, list[CandidateRecord]], invoke: Invoke) -> None:
    run, records = many
    chosen = [record.candidate for record in records[:: max(1, len(records) // 8)]]

    for candidate in chosen:
        shown = document(invoke, "show", str(run), str(candidate.id))
        assert shown["parents"] == list(candidate.parent_ids)
        assert shown["children"] == [
            record.candidate.id for record in records if candidate.id in record.candidate.parent_ids
        ]


def test_a_lineage_holds_all_ancestors_and_the_line_of_first_parents_among_them(
    many: tuple[Path, list[CandidateRecord]], invoke: Invoke
) -> None:
    run, records = many
    parents_of = {record.candidate.id: record.candidate.parent_ids for record in records}
    ancestors, waiting = set(), [60]
    while waiting:
        each = waiting.pop()
        if each not in ancestors:
            ancestors.add(each)
            waiting += parents_of[each]
    first_line = [60]
    while parents_of[first_line[-1]]:
        first_line.append(parents_of[first_line[-1]][0])

    everyone = document(invoke, "lineage", str(run), "60", "--all")["line"]
    line = document(invoke, "lineage", str(run), "60")["line"]

    assert [step["id"] for step in everyone] == sorted(ancestors, reverse=True)
    assert [step["id"] for step in line] == first_line


def found(number: int, operations: int, error: float) -> CandidateRecord:
    metrics = {"operations": float(operations), "max_relative_error": error}
    candidate = Candidate(id=number, files={"f.py": ""}, fingerprint=str(number), metrics=metrics)
    evaluation = Evaluation(score=1.0, metrics=metrics)
    return CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="new", cell=1)


# few values, so that found and stored errors often agree in the five digits that are stored, or to the last bit
found_errors = st.sampled_from([0.012345, 0.0123449, 0.01234549, 0.0123451, 0.01, 0.03])
stored_errors = st.sampled_from([0.012345, 0.012344, 0.012346, 0.01, 0.03])


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), found_errors), min_size=1, max_size=15),
    st.dictionaries(
        st.integers(1, 12),
        st.dictionaries(st.sampled_from(["polynomial", "rational", "series"]), stored_errors, max_size=3),
        max_size=6,
    ),
)
def test_frontier_rows_and_verdicts_agree_with_a_recount(
    points: list[tuple[int, float]], methods_at: dict[int, dict[str, float]]
) -> None:
    stored = {
        "operations": {str(n): {name: {"error": e} for name, e in each.items()} for n, each in methods_at.items()}
    }
    records = [found(number, *point) for number, point in enumerate(points, 1)]

    _, rows = frontier_of(records, read_baselines(stored))

    counts = [n for n, _ in points] + list(methods_at)
    assert [row.operations for row in rows] == list(range(min(counts), max(counts) + 1))
    expected: dict[str, list[int]] = {name: [] for name in tally([])}
    for row in rows:
        reachable = [error for n, error in points if n <= row.operations]
        assert row.error == min(reachable, default=None)
        methods = methods_at.get(row.operations, {})
        assert row.baselines == methods
        if row.error is None:
            continue
        shown = float(f"{row.error:.4e}")  # the five digits that baselines are stored with
        if "polynomial" in methods:
            verdict = "at_most_polynomial" if shown <= methods["polynomial"] else "above_polynomial"
            expected[verdict].append(row.operations)
        classical = [methods[name] for name in ("polynomial", "rational") if name in methods]
        if classical and shown < min(classical):
            expected["below_polynomial_and_rational"].append(row.operations)
    assert tally(rows) == expected


def test_of_equal_errors_the_older_candidate_is_shown_and_fewer_operations_win() -> None:
    _, rows = frontier_of([found(9, 3, 0.1), found(2, 3, 0.1), found(1, 4, 0.1)], {})

    assert [row.record.candidate.id for row in rows if row.record] == [2, 2]


lines_of_text = st.lists(st.text(st.sampled_from("ab c"), max_size=4), max_size=6)


@given(lines_of_text, lines_of_text)
def test_a_difference_read_line_by_line_gives_back_both_programs(old: list[str], new: list[str]) -> None:
    text = unified_diff({"f.py": "\n".join(old)}, {"f.py": "\n".join(new)}, "one", "two")

    old_lines, new_lines = "\n".join(old).splitlines(), "\n".join(new).splitlines()
    body = [line for line in text.splitlines()[2:] if not line.startswith("@@")]
    assert (text == "") == (old_lines == new_lines)
    if len(old_lines) <= 4 and len(new_lines) <= 4 and text:  # short enough that every line is in the context
        assert [line[1:] for line in body if line[0] in " -"] == old_lines
        assert [line[1:] for line in body if line[0] in " +"] == new_lines


def test_a_run_without_elites_says_so_where_a_best_is_needed(tmp_path: Path, invoke: Invoke) -> None:
    run = written(tmp_path / "runs" / "empty", [])

    for command in ("best", "show", "diff", "lineage"):
        result = invoke(command, str(run))
        assert isinstance(result.exception, UsageError)
        assert "has no elites yet" in str(result.exception)
    assert document(invoke, "status", str(run))["best_score"] is None
    assert invoke("ls").exit_code == 0


def test_many_children_are_counted_rather_than_listed(tmp_path: Path, invoke: Invoke) -> None:
    seed, *others = random_records(random.Random(0), 25)
    children = [
        CandidateRecord(
            candidate=Candidate(
                id=each.candidate.id,
                files={"f.py": ""},
                fingerprint=each.candidate.fingerprint,
                parent_ids=(1,),
                operator="mutate",
                generation=1,
                iteration=each.candidate.iteration,
            ),
            evaluation=each.evaluation,
            island=0,
            status=each.status,
            cell=each.cell,
        )
        for each in others
    ]
    run = written(tmp_path / "runs" / "wide", [seed, *children])

    text = invoke("show", str(run), "1").stdout

    shown = " ".join(str(number) for number in range(2, 22))
    assert f"children  {shown} and 4 more\n" in text
    assert len(document(invoke, "show", str(run), "1")["children"]) == 24

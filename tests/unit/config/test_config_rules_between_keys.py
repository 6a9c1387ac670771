"""Rules of a problem that need two keys, two tables or the folder, at their boundaries and with hostile files."""

import json
from pathlib import Path
from typing import Any

import pytest

from evolve.config.folder import MAX_SEED_BYTES, file_hashes, read_seed
from evolve.config.problem import Problem, load_problem
from evolve.config.validation import read_tables
from evolve.errors import ProblemError

HEAD = '[problem]\nname = "small"\ntitle = "Small"\nstatement = "Return a number."\nlanguage = "python"\n'
JUDGE = '[evaluator]\nfile = "evaluate.py"\n'
AXIS = '[[archive.axes]]\nname = "size"\nlow = 0\nhigh = 1\ncells = 4\n'
SEED = "# EVOLVE-BLOCK-START\nx = 1.0\n# EVOLVE-BLOCK-END\n"
FORMULA = "def f(x):\n    return x\n"


def problem_folder(folder: Path, toml: str = HEAD + JUDGE + AXIS, **files: str | bytes) -> Path:
    """A folder with a right problem in it, but for what the arguments say."""
    texts: dict[str, str | bytes] = {"seed.py": SEED, "evaluate.py": "def evaluate(candidate): ...\n", **files}
    for name, text in {"problem.toml": toml, **texts}.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        load_problem(folder)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def archive_mistakes(archive: dict[str, Any]) -> list[str]:
    raw = {
        "problem": {"name": "small", "title": "Small", "statement": "Return a number.", "language": "python"},
        "evaluator": {"file": "evaluate.py"},
        "archive": archive,
    }
    return [str(mistake) for mistake in read_tables(raw)[1]]


def axis(**changes: Any) -> dict[str, Any]:
    return {"name": "size", "low": 0.0, "high": 1.0, "cells": 4, **changes}


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.999), (0, -1)])
def test_an_axis_ends_above_its_start(low: float, high: float) -> None:
    (line,) = archive_mistakes({"axes": [axis(low=low, high=high)]})

    assert line == f"archive.axes[0].high: got {json.dumps(high)}, expected more than low = {float(low)}"


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_a_log_axis_starts_above_zero_and_a_linear_one_anywhere(low: float) -> None:
    assert archive_mistakes({"axes": [axis(low=low)]}) == []
    assert archive_mistakes({"axes": [axis(kind="log", low=low)]}) == [
        f"archive.axes[0].low: got {low}, expected a positive number on a log axis"
    ]


@pytest.mark.parametrize(
    ("edges", "is_right"),
    [([0.0, 1.0], True), ([0.0], False), ([], False), ([0.0, 0.0], False), ([2, 1], False), ([-1, 0, 0.5, 9], True)],
)
def test_edges_are_two_numbers_or_more_that_rise(edges: list[float], *, is_right: bool) -> None:
    lines = archive_mistakes({"axes": [{"name": "size", "kind": "edges", "edges": edges}]})

    assert (lines == []) == is_right
    assert all(line.startswith("archive.axes[0].edges: ") for line in lines)


def test_a_word_names_one_category_only() -> None:
    (line,) = archive_mistakes({"axes": [{"name": "colour", "kind": "categories", "categories": ["red", "red"]}]})

    assert line == 'archive.axes[0].categories: got ["red", "red"], expected different words'


def test_a_category_cannot_be_clipped() -> None:
    axes = [{"name": "colour", "kind": "categories", "categories": ["red"], "out_of_range": "clip"}]

    assert archive_mistakes({"axes": axes}) == [
        'archive.axes[0].out_of_range: got "clip", expected "reject" or "overflow"'
    ]


def test_two_axes_cannot_have_one_name() -> None:
    (line,) = archive_mistakes({"axes": [axis(), axis(cells=2)]})

    assert line.endswith("expected axes with different names")


@pytest.mark.parametrize(
    ("cell", "metrics", "is_right"),
    [
        ("pareto", ["min:operations"], True),
        ("pareto", ["min:operations", "max:margin of error"], True),
        ("pareto", [], False),
        ("best", ["min:operations"], False),
        ("top", ["max:operations"], False),
        ("pareto", ["operations"], False),
        ("pareto", ["least:operations"], False),
        ("pareto", ["min:"], False),
    ],
)
def test_metrics_go_with_a_pareto_cell_and_say_which_way_is_better(
    cell: str, metrics: list[str], *, is_right: bool
) -> None:
    lines = archive_mistakes({"cell": cell, "metrics": metrics, "axes": [axis()]})

    assert (lines == []) == is_right
    assert all(line.startswith("archive.metrics: ") for line in lines)


@pytest.mark.parametrize(("centroids", "is_right"), [(None, False), (1, False), (2, True)])
def test_a_cvt_archive_has_two_centroids_or_more(centroids: int | None, *, is_right: bool) -> None:
    given = {} if centroids is None else {"centroids": centroids}

    lines = archive_mistakes({"kind": "cvt", "axes": [axis()], **given})

    assert (lines == []) == is_right
    assert all(line.startswith("archive.centroids: ") for line in lines)


@pytest.mark.parametrize(
    "judge", ["[evaluator]\n", '[evaluator]\nfile = "evaluate.py"\nfamily = "function_approximation"\n']
)
def test_a_problem_has_exactly_one_judge(tmp_path: Path, judge: str) -> None:
    (line,) = mistakes_in(problem_folder(tmp_path, HEAD + judge + AXIS))

    assert line.startswith("evaluator.file: ")
    assert line.endswith("expected exactly one of evaluator.family and evaluator.file")


OUTSIDE = ["/seed.py", "../seed.py", "parts/../../seed.py", "parts\\\\seed.py"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize(
    ("key", "toml"),
    [
        ("seed.files", HEAD + '[seed]\nfiles = ["NAME"]\n' + JUDGE + AXIS),
        ("evaluator.file", HEAD + '[evaluator]\nfile = "NAME"\n' + AXIS),
        ("baselines.file", HEAD + JUDGE + AXIS + '[baselines]\nfile = "NAME"\n'),
        ("symbolic.vocabulary", HEAD + JUDGE + AXIS + '[symbolic]\nvocabulary = "NAME"\n'),
    ],
)
def test_no_file_of_a_problem_lies_outside_of_its_folder(tmp_path: Path, key: str, toml: str, name: str) -> None:
    lines = mistakes_in(problem_folder(tmp_path, toml.replace("NAME", name)))

    assert any(line.startswith(f"{key}: ") and "expected paths inside the problem's folder" in line for line in lines)


def test_a_seed_file_cannot_be_named_twice(tmp_path: Path) -> None:
    toml = HEAD + '[seed]\nfiles = ["seed.py", "seed.py"]\n' + JUDGE + AXIS

    assert mistakes_in(problem_folder(tmp_path, toml)) == [
        'seed.files: got ["seed.py", "seed.py"], expected different names'
    ]


def test_one_block_in_one_of_several_seed_files_is_enough(tmp_path: Path) -> None:
    toml = HEAD + '[seed]\nfiles = ["seed.py", "fixed.py"]\n' + JUDGE + AXIS
    folder = problem_folder(tmp_path, toml, **{"fixed.py": "y = 2\n"})

    problem = load_problem(folder)

    assert list(problem.seed_files) == ["seed.py", "fixed.py"]
    assert problem.judge_spec_mapping()["entry"] == "seed.py"


def test_a_python_problem_has_no_symbolic_table(tmp_path: Path) -> None:
    (line,) = mistakes_in(problem_folder(tmp_path, HEAD + JUDGE + AXIS + '[symbolic]\ninputs = ["x"]\n'))

    assert line == '[symbolic]: got this table, expected it only with problem.language = "symbolic"'


def test_a_symbolic_problem_has_no_sandbox_to_preload_modules_in(tmp_path: Path) -> None:
    toml = HEAD.replace('"python"', '"symbolic"') + JUDGE + AXIS + '[sandbox]\npreload = ["scipy"]\n'

    (line,) = mistakes_in(problem_folder(tmp_path, toml, **{"seed.py": FORMULA}))

    assert line == '[sandbox]: got this table, expected it only with problem.language = "python"'


def test_a_limit_of_a_cards_memory_needs_cards(tmp_path: Path) -> None:
    toml = HEAD + JUDGE + AXIS + "[limits]\ngpu_memory_mb = 9\n"

    assert mistakes_in(problem_folder(tmp_path, toml)) == [
        "limits.gpu_memory_mb: got 9, expected it only with graphics cards: [sandbox] gpus = [0]"
    ]
    spec = load_problem(problem_folder(tmp_path, toml + "[sandbox]\ngpus = [1]\n")).judge_spec_mapping()
    assert (spec["limits"]["gpu_memory_mb"], spec["gpus"]) == (9, [1])


def test_memory_shared_on_a_card_needs_a_card_and_memory_shared_beside_it(tmp_path: Path) -> None:
    toml = HEAD + JUDGE + AXIS + "[limits]\ngpu_shared_mb = 9\n"

    assert mistakes_in(problem_folder(tmp_path, toml)) == [
        "limits.gpu_shared_mb: got 9, expected it only with graphics cards: [sandbox] gpus = [0]",
        "limits.gpu_shared_mb: got 9, expected it only with limits.shared_mb: "
        "who is timed shares memory of the machine, too",
    ]
    whole = toml + 'shared_mb = 1\n[sandbox]\ngpus = "auto"\n'
    assert load_problem(problem_folder(tmp_path, whole)).tables.limits.gpu_shared_mb == 9


def test_triton_needs_a_scratch_folder(tmp_path: Path) -> None:
    toml = HEAD + JUDGE + AXIS + '[sandbox]\npreload = ["numpy", "triton"]\n'

    assert mistakes_in(problem_folder(tmp_path, toml)) == [
        "limits.scratch_mb: got none, expected a scratch folder, such as 64: "
        "a compiled kernel of Triton's is kept in files"
    ]
    whole = toml + "[limits]\nscratch_mb = 64\n"
    assert load_problem(problem_folder(tmp_path, whole)).tables.sandbox.preload == ("numpy", "triton")


def test_a_symbolic_candidate_is_one_file(tmp_path: Path) -> None:
    toml = HEAD.replace('"python"', '"symbolic"') + '[seed]\nfiles = ["seed.py", "more.py"]\n' + JUDGE + AXIS
    folder = problem_folder(tmp_path, toml, **{"seed.py": FORMULA, "more.py": FORMULA})

    assert mistakes_in(folder) == [
        "seed.files: got seed.py, more.py, expected one file: a symbolic candidate is one function"
    ]


def test_a_symbolic_seed_may_not_be_larger_than_a_child_may_be(tmp_path: Path) -> None:
    toml = HEAD.replace('"python"', '"symbolic"') + "[symbolic]\nmax_operations = LIMIT\n" + JUDGE + AXIS
    seed = "def f(x):\n    t1 = x * x\n    t2 = t1 * x\n    return t2 + 1.0\n"

    fits = load_problem(problem_folder(tmp_path, toml.replace("LIMIT", "3"), **{"seed.py": seed}))
    assert fits.tables.symbolic.max_operations == 3
    (line,) = mistakes_in(problem_folder(tmp_path, toml.replace("LIMIT", "2"), **{"seed.py": seed}))

    assert line.startswith("seed.py: expected a program of the symbolic language; ")


def test_a_vocabulary_file_of_the_folder_is_found_and_named_by_its_full_path(tmp_path: Path) -> None:
    toml = HEAD.replace('"python"', '"symbolic"') + '[symbolic]\nvocabulary = "words.py"\n' + JUDGE + AXIS
    words = "def half(a: float) -> float:\n    return a / 2\n"

    problem = load_problem(problem_folder(tmp_path, toml, **{"seed.py": FORMULA, "words.py": words}))

    assert problem.symbolic_mapping()["vocabulary"] == str(tmp_path / "words.py")
    assert problem.tables.symbolic.vocabulary == "words.py"
    assert "words.py" in problem.judge_hashes


BAD_BASELINES = [
    (b"", "expected a JSON file"),
    (b"\xff", "expected a JSON file"),
    (b"[" * 100_000, "expected a JSON file"),
    (b"[1, 2]", "got baselines.json without names in it, expected a JSON object"),
    (b"null", "got baselines.json without names in it, expected a JSON object"),
]


@pytest.mark.parametrize(("data", "what"), BAD_BASELINES, ids=["empty", "latin", "deep", "list", "null"])
def test_baselines_are_a_json_object(tmp_path: Path, data: bytes, what: str) -> None:
    toml = HEAD + JUDGE + AXIS + '[baselines]\nfile = "baselines.json"\n'

    (line,) = mistakes_in(problem_folder(tmp_path, toml, **{"baselines.json": data}))

    assert line.startswith("baselines.file: ")
    assert what in line


def test_baselines_are_read_and_do_not_belong_to_the_judge(tmp_path: Path) -> None:
    toml = HEAD + JUDGE + AXIS + '[baselines]\nfile = "baselines.json"\n'

    problem = load_problem(problem_folder(tmp_path, toml, **{"baselines.json": '{"old": {"score": 2.5}}'}))

    assert problem.baselines == {"old": {"score": 2.5}}
    assert set(problem.judge_hashes) == {"evaluate.py"}


def test_baselines_that_are_missing_are_answered_with_the_nearest_file(tmp_path: Path) -> None:
    toml = HEAD + JUDGE + AXIS + '[baselines]\nfile = "baselines.json"\n'

    (line,) = mistakes_in(problem_folder(tmp_path, toml, **{"baseline.json": "{}"}))

    assert line.endswith('did you mean "baseline.json"?')


@pytest.mark.parametrize("name", ["a\\u0000b", "a" * 300], ids=["zero byte", "long"])
@pytest.mark.parametrize("key", ["seed.files", "evaluator.file", "baselines.file"])
def test_a_name_that_no_file_can_have_is_a_mistake_and_no_crash(tmp_path: Path, key: str, name: str) -> None:
    tables = {
        "seed.files": HEAD + f'[seed]\nfiles = ["{name}"]\n' + JUDGE + AXIS,
        "evaluator.file": HEAD + f'[evaluator]\nfile = "{name}"\n' + AXIS,
        "baselines.file": HEAD + JUDGE + AXIS + f'[baselines]\nfile = "{name}"\n',
    }

    (line,) = mistakes_in(problem_folder(tmp_path, tables[key]))

    assert line.startswith(key)


HOSTILE_TOML = [b"x = " + b"[" * 50_000, b"x = " + b"9" * 5000, b"\xff\xfe", b"x = 1\r\rx"]


@pytest.mark.parametrize("data", HOSTILE_TOML, ids=["deep", "digits", "utf-16", "old line ends"])
def test_a_file_that_cannot_be_read_as_toml_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "problem.toml").write_bytes(data)

    with pytest.raises(ProblemError, match=r"cannot read .*problem\.toml") as caught:
        load_problem(tmp_path)
    assert caught.value.hint == "it must be TOML, written in UTF-8"


def test_a_seed_that_is_no_utf_8_or_too_long_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "long.py").write_bytes(b"#" * (MAX_SEED_BYTES + 1))
    (tmp_path / "fits.py").write_bytes(b"#" * MAX_SEED_BYTES)
    (tmp_path / "folder.py").mkdir()

    texts, mistakes = read_seed(tmp_path, ["latin.py", "long.py", "fits.py", "folder.py"])

    assert list(texts) == ["fits.py"]
    assert [mistake.key for mistake in mistakes] == ["seed.files[0]", "seed.files[1]", "seed.files[3]"]
    assert "utf-8" in mistakes[0].hint
    assert mistakes[1].hint == f"it has {MAX_SEED_BYTES + 1} bytes"
    assert mistakes[2].expected == f"a file in {tmp_path}"


def test_a_seed_keeps_its_line_ends_and_its_spaces(tmp_path: Path) -> None:
    text = "# EVOLVE-BLOCK-START\r\nx = 1.0  \r\n# EVOLVE-BLOCK-END\r\n\t\n"

    assert load_problem(problem_folder(tmp_path, **{"seed.py": text})).seed_files["seed.py"] == text


def test_the_hashes_leave_out_what_is_hidden_cached_or_a_run(tmp_path: Path) -> None:
    for name in ("data/a.csv", ".git/b", "data/.hidden", "runs/c", "__pycache__/d", "data/run1/run.db", "e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")

    hashes = file_hashes(tmp_path, except_for=frozenset({"e"}))

    assert list(hashes) == ["data/a.csv"]
    assert len(bytes.fromhex(hashes["data/a.csv"])) == 32


def test_a_link_that_leads_nowhere_or_into_a_circle_is_left_out_of_the_hashes(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "data").write_text("1", encoding="utf-8")

    assert list(file_hashes(tmp_path, except_for=frozenset())) == ["data"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("wall_seconds", -1.0), ("memory_mb", "much"), ("unknown", 1)],
)
def test_a_stored_problem_that_was_tampered_with_is_refused_with_the_key(tmp_path: Path, key: str, value: Any) -> None:
    data = load_problem(problem_folder(tmp_path)).to_json()
    data["tables"]["limits"][key] = value

    with pytest.raises(ProblemError, match=rf"the stored problem is damaged:\n  limits\.{key}: "):
        Problem.from_json(data)


def test_one_mistake_is_announced_as_one_and_two_as_two(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    problem_folder(one, HEAD + JUDGE + AXIS + "[budget]\nseconds = 0\n")
    problem_folder(two, HEAD + JUDGE + AXIS + "[budget]\nseconds = 0\nevaluations = 0\n")

    with pytest.raises(ProblemError, match="has one mistake:"):
        load_problem(one)
    with pytest.raises(ProblemError, match="has 2 mistakes:"):
        load_problem(two)

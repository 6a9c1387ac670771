import json
import re
from pathlib import Path

import pytest

from archive.build import build_archive
from evaluators.spec import JudgeSpec
from evolve.config.locate import find_problem, shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.errors import ProblemError

TOML = """
[problem]
name = "small"
title = "small"
statement = "Return a number."
language = "python"

[seed]
files = ["seed.py"]

[evaluator]
file = "evaluate.py"

[[archive.axes]]
name = "size"
kind = "linear"
low = 0
high = 1
cells = 4

[budget]
evaluations = 30
"""
SEED = "# EVOLVE-BLOCK-START\nx = 1.0\n# EVOLVE-BLOCK-END\n"


def folder_with(path: Path, toml: str = TOML, seed: str = SEED) -> Path:
    path.mkdir(exist_ok=True)
    (path / "problem.toml").write_text(toml, encoding="utf-8")
    (path / "seed.py").write_text(seed, encoding="utf-8")
    (path / "evaluate.py").write_text("def evaluate(candidate): ...\n", encoding="utf-8")
    return path


def mistakes_of(folder: Path) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        load_problem(folder)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


@pytest.mark.parametrize("name", sorted(shipped_problems()))
def test_every_shipped_problem_loads_and_its_parts_can_be_built(name: str) -> None:
    problem = load_problem(name)

    assert problem.name == name
    build_archive(problem.archive_mapping())
    JudgeSpec.from_mapping(problem.judge_spec_mapping())
    assert Problem.from_json(json.loads(json.dumps(problem.to_json()))) == problem


def test_a_problem_is_found_by_folder_by_file_and_by_name(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "small")

    assert find_problem(folder) == find_problem(folder / "problem.toml") == folder
    assert find_problem("small", search_path=[tmp_path]) == folder


def test_an_unknown_name_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    folder_with(tmp_path / "small")

    with pytest.raises(ProblemError, match=r'no problem "smal"; did you mean "small"\?'):
        load_problem("smal", search_path=[tmp_path])


def test_a_misspelt_folder_here_is_answered_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_with(tmp_path / "my-problem")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ProblemError, match=r'no problem "my-probelm"; did you mean "my-problem"\?'):
        load_problem("my-probelm")


def test_a_folder_without_a_problem_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"has no problem\.toml"):
        load_problem(tmp_path)


def test_a_problem_survives_json(tmp_path: Path) -> None:
    problem = load_problem(folder_with(tmp_path))

    again = Problem.from_json(json.loads(json.dumps(problem.to_json())))

    assert again == problem
    assert again.content_hash == problem.content_hash


def test_a_problem_of_another_schema_is_refused(tmp_path: Path) -> None:
    data = load_problem(folder_with(tmp_path)).to_json()

    with pytest.raises(ProblemError, match="schema"):
        Problem.from_json({**data, "schema": "evolve.problem/0"})


def test_the_content_hash_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    here, there = folder_with(tmp_path / "here"), folder_with(tmp_path / "there")
    other = folder_with(tmp_path / "other", seed=SEED.replace("1.0", "2.0"))

    assert load_problem(here).content_hash == load_problem(there).content_hash
    assert load_problem(here).content_hash != load_problem(other).content_hash


def test_a_judge_that_has_changed_is_noticed(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    problem = load_problem(folder)
    problem.require_unchanged_judge()

    (folder / "evaluate.py").write_text("def evaluate(candidate): return 1\n", encoding="utf-8")
    (folder / "table.csv").write_text("1,2\n", encoding="utf-8")
    (folder / "README.md").write_text("words\n", encoding="utf-8")

    assert problem.changed_judge_files() == ("evaluate.py", "table.csv")
    with pytest.raises(ProblemError, match=r"evaluate\.py, table\.csv"):
        problem.require_unchanged_judge()


def test_all_mistakes_are_reported_at_once_each_with_its_key(tmp_path: Path) -> None:
    toml = """
    [problem]
    name = "Not Good"
    title = 3
    statment = "s"
    language = "pyton"
    [seed]
    files = ["sed.py"]
    [evaluator]
    file = "evaluat.py"
    family = "function_approximation"
    [limits]
    wall_seconds = -1
    memory_mb = "1"
    [archive]
    kind = "gird"
    cell = "pareto"
    [[archive.axes]]
    name = "a"
    low = 1
    high = 0
    cells = 1.5
    [[archive.axes]]
    name = "b"
    kind = "lgo"
    [[archive.axes]]
    name = "c"
    kind = "edges"
    edges = [1, 1]
    [budget]
    migrants = 3
    [evaluatr]
    x = 1
    """

    lines = mistakes_of(folder_with(tmp_path, toml=toml))

    expected = [
        r"problem\.name: got \"Not Good\", expected lower case, digits",
        r"problem\.title: got 3, expected text",
        r"problem\.statement: got nothing, expected this key",
        r"problem\.statment: got an unknown key, .*did you mean \"statement\"\?",
        r"problem\.language: got \"pyton\", expected \"symbolic\" or \"python\"; did you mean \"python\"\?",
        r"evaluator\.file: .* exactly one of evaluator\.family and evaluator\.file",
        r"evaluator\.file: got \"evaluat\.py\", expected a file in .*; did you mean \"evaluate\.py\"\?",
        r"limits\.wall_seconds: got -1, expected more than 0",
        r"limits\.memory_mb: got \"1\", expected a whole number",
        r"archive\.kind: got \"gird\", expected \"grid\" or \"cvt\"; did you mean \"grid\"\?",
        r"archive\.metrics: got \[\], expected a list such as",
        r"archive\.axes\[0\]\.high: got 0, expected more than low = 1\.0",
        r"archive\.axes\[0\]\.cells: got 1\.5, expected a whole number",
        r"archive\.axes\[1\]\.kind: got \"lgo\", expected .*; did you mean \"log\"\?",
        r"archive\.axes\[2\]\.edges: got \[1, 1\], expected strictly increasing numbers",
        r"budget\.migrants: got an unknown key, .*migrants is a key of \[islands\]",
        r"seed\.files\[0\]: got \"sed\.py\", expected a file in .*; did you mean \"seed\.py\"\?",
        r"evaluatr: got an unknown key, .*did you mean \"evaluator\"\?",
    ]
    missing = [pattern for pattern in expected if not any(re.match(pattern, line) for line in lines)]
    assert not missing, lines
    assert len(lines) == len(expected)


@pytest.mark.parametrize("text", ["[problem\n", "a = 1\na = 2\n", '[problem]\nname = "\\q"'])
def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProblemError, match=r"problem\.toml: .*line \d"):
        load_problem(folder_with(tmp_path, toml=text))


@pytest.mark.parametrize(
    ("seed", "what"),
    [
        ("x = \n", r"seed\.py: expected Python that parses; line 1"),
        ("x = 1\n", r"seed\.files: got no evolve block, expected at least one pair"),
        (
            "# EVOLVE-BLOCK-START\nx = 1\n",
            r"seed\.py: expected evolve blocks in pairs of markers; line 1: .* never closed",
        ),
    ],
)
def test_a_python_seed_that_cannot_evolve_is_reported(tmp_path: Path, seed: str, what: str) -> None:
    assert re.match(what, mistakes_of(folder_with(tmp_path, seed=seed))[0])


SYMBOLIC = TOML.replace('"python"', '"symbolic"')


@pytest.mark.parametrize(
    ("seed", "what"),
    [
        ("def f(x):\n    return x.y\n", r"seed\.py: expected a program of the symbolic language; line 2"),
        ("def g(x):\n    return x\n", r"seed\.py: got def g, expected def f"),
        ("def f(z):\n    return z\n", r"seed\.py: expected a program of the symbolic language"),
    ],
)
def test_a_symbolic_seed_outside_of_its_language_is_reported(tmp_path: Path, seed: str, what: str) -> None:
    assert re.match(what, mistakes_of(folder_with(tmp_path, toml=SYMBOLIC, seed=seed))[0])


def test_an_unknown_vocabulary_is_reported(tmp_path: Path) -> None:
    toml = SYMBOLIC + '[symbolic]\nvocabulary = "arithmetics"\n'

    assert (
        "did you mean arithmetic" in mistakes_of(folder_with(tmp_path, toml=toml, seed="def f(x):\n    return x\n"))[0]
    )


def test_a_seed_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    lines = mistakes_of(folder_with(tmp_path, toml=TOML.replace('"seed.py"', '"../seed.py"')))

    assert lines == [
        "seed.files: got [\"../seed.py\"], expected paths inside the problem's folder; '../seed.py' leaves it"
    ]


def test_baselines_that_are_no_json_are_reported(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, toml=TOML + '[baselines]\nfile = "baselines.json"\n')
    (folder / "baselines.json").write_text("{", encoding="utf-8")

    assert re.match(r"baselines\.file: .*expected a JSON file", mistakes_of(folder)[0])


def test_the_problem_names_the_settings_it_sets_and_no_others(tmp_path: Path) -> None:
    assert load_problem(folder_with(tmp_path)).settings_mapping() == {"evaluations": 30}


CVT = TOML.replace("[[archive.axes]]", '[archive]\nkind = "cvt"\ncentroids = 4\n[[archive.axes]]', 1)
EDGES = '[[archive.axes]]\nname = "other"\nkind = "edges"\nedges = [0.0, 1.0]\n'
OVERFLOW = '[[archive.axes]]\nname = "other"\nlow = 0\nhigh = 1\ncells = 2\nout_of_range = "overflow"\n'


@pytest.mark.parametrize("axis", [EDGES, OVERFLOW])
def test_an_axis_on_which_no_centroid_can_lie_is_a_mistake_of_the_file(tmp_path: Path, axis: str) -> None:
    (line,) = mistakes_of(folder_with(tmp_path, toml=CVT + axis))

    assert re.match(r"archive\.axes: .*expected with kind = \"cvt\" only axes .*; change other, or use a grid", line)
    assert load_problem(folder_with(tmp_path, toml=CVT)).tables.archive.kind == "cvt"


def test_a_vocabulary_file_that_is_missing_is_answered_with_the_nearest_file(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path, toml=SYMBOLIC + '[symbolic]\nvocabulary = "word.py"\n', seed="def f(x):\n    return x\n"
    )
    (folder / "words.py").write_text("def half(a: float) -> float:\n    return a / 2\n", encoding="utf-8")

    (line,) = mistakes_of(folder)

    assert line == f'symbolic.vocabulary: got "word.py", expected a file in {folder}; did you mean "words.py"?'


def test_a_run_inside_the_problems_folder_does_not_change_the_judge(tmp_path: Path) -> None:
    problem = load_problem(folder_with(tmp_path))

    (tmp_path / "first try" / "certificates").mkdir(parents=True)
    for name in ("run.db", "controller.lock", "certificates/1.json"):
        (tmp_path / "first try" / name).touch()

    assert problem.changed_judge_files() == ()


def test_a_judge_that_is_gone_and_files_that_are_new_are_told_apart(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "here")
    problem = load_problem(folder)

    (folder / "evaluate.py").unlink()
    (folder / "notes.txt").touch()
    with pytest.raises(ProblemError, match=r"evaluate\.py \(gone\), notes\.txt \(new\)"):
        problem.require_unchanged_judge()

    folder.rename(tmp_path / "there")
    with pytest.raises(ProblemError, match="the folder of small is gone"):
        problem.require_unchanged_judge()


@pytest.mark.parametrize(("name", "what"), [("./nowhere", "there is no folder nowhere"), ("seed.py", "is a file")])
def test_a_path_that_is_no_folder_is_not_taken_for_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    monkeypatch.chdir(folder_with(tmp_path))

    with pytest.raises(ProblemError, match=what):
        find_problem(name)

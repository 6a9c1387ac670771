"""Which engine a folder belongs to, what becomes of its settings, and what is refused before anything runs."""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archive.axes import MAX_CELLS
from archive.build import build_archive
from evaluators.errors import EvaluatorError
from evaluators.peers.folder import MAX_FILES, files_of
from evaluators.peers.spec import PeerSpec
from evolve.config.peer_plan import metric_edges, slug
from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveEnvironmentError, ProblemError
from evolve.loop.setup import build_search
from tests.unit.peers.conftest import CONFIG, EVALUATOR, OPENEVOLVE, PROGRAM, SHINKA_MAIN, Write

ALPHAEVOLVE = {
    "initial_program.py": PROGRAM,
    "evaluator.py": "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--output-file')\n",
    "problem_description.md": "Find more.",
}
SHINKA = {"initial.py": PROGRAM, "evaluate.py": f"def main(program_path, results_dir): ...\n{SHINKA_MAIN}"}
GEPA = {
    "main.py": "from gepa.optimize_anything import optimize_anything\nfrom texts import GOAL\nSEED = 'x' + ' = 1\\n'\n"
    "optimize_anything(seed_candidate=SEED.strip(), evaluator=abs, objective=GOAL, config=dict(max_evals=9))\n",
    "texts.py": 'GOAL = "Be good."\n',
}
FOLDERS: Mapping[str, Mapping[str, str]] = {
    "openevolve": OPENEVOLVE,
    "shinka": SHINKA,
    "gepa": GEPA,
    "alphaevolve": ALPHAEVOLVE,
}


def spec_of(problem: Problem) -> PeerSpec:
    return PeerSpec.from_options(problem.tables.evaluator.options)


def with_config(text: str) -> dict[str, str]:
    return {**OPENEVOLVE, "config.yaml": text}


@pytest.mark.parametrize("contract", FOLDERS)
def test_a_folder_is_recognised_and_nothing_is_written_into_it(contract: str, write: Write) -> None:
    home = write(FOLDERS[contract])
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}

    problem = load_problem(home)

    assert spec_of(problem).contract == contract
    assert problem.language == "python"
    assert "EVOLVE-BLOCK-START" in next(iter(problem.seed_files.values()))
    assert "forged" in problem.notices[0]
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before
    assert Problem.from_json(problem.to_json()) == problem


def test_our_own_problem_file_goes_before_every_other_format(write: Write, python_problem: Path) -> None:
    home = write({**OPENEVOLVE, **{path.name: path.read_text() for path in python_problem.glob("*.*")}})

    assert load_problem(home).name == "toy"
    assert spec_of(load_problem(f"openevolve:{home}")).contract == "openevolve"


def test_a_folder_of_two_engines_is_refused_unless_one_is_said(write: Write) -> None:
    home = write({**OPENEVOLVE, **SHINKA})

    with pytest.raises(ProblemError, match=r"(?s)OpenEvolve .*ShinkaEvolve .*openevolve:.* or shinka:"):
        load_problem(home)
    assert spec_of(load_problem(f"shinka:{home}")).contract == "shinka"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("openevolve:{}/missing", "there is no folder"),
        ("shinka:{}", "no folder of ShinkaEvolve"),
        ("gepa:{}", "0 scripts that call optimize_anything"),
        ("alphaevolve:{}", "no folder of AlphaEvolve's client"),
        ("{}/missing", "there is no folder"),
    ],
)
def test_what_is_not_there_is_said(said: str, expected: str, write: Write) -> None:
    with pytest.raises(ProblemError, match=expected):
        load_problem(said.format(write(OPENEVOLVE)))


def test_a_folder_of_nobody_tells_the_formats(write: Write) -> None:
    with pytest.raises(ProblemError, match=r"(?s)has no problem.toml.*OpenEvolve \(initial_program.py"):
        load_problem(write({"readme.txt": "x"}))


def test_settings_of_openevolve_become_ours(write: Write) -> None:
    problem = load_problem(
        write(
            with_config(
                "max_iterations: 70\nrandom_seed: 5\nprompt: {system_message: Do it., num_top_programs: 3}\n"
                "llm: {primary_model: m}\ncheckpoint_interval: 3\nevaluator: {timeout: 7.5, memory_limit_mb: 300}\n"
                "database: {num_islands: 3, migration_interval: 4, feature_dimensions: [complexity, size],\n"
                "  feature_bins: {complexity: 6, size: 4}, population_size: 9}\n"
            )
        )
    )

    tables = problem.tables
    assert tables.problem.statement == "Do it."
    assert problem.settings_mapping() == {"evaluations": 70, "rng_seed": 5}
    assert (tables.limits.wall_seconds, tables.limits.memory_mb) == (7.5, 300)
    assert (tables.islands.count, tables.islands.migrate_every) == (3, 12)
    complexity, size = problem.archive_mapping()["axes"]
    assert (complexity["kind"], complexity["cells"]) == ("log", 6)
    assert (size["kind"], [edge for edge in size["edges"] if 0 <= edge <= 1]) == ("edges", [0.0, 0.25, 0.5, 0.75, 1.0])
    assert "not honoured: prompt.num_top_programs, database.population_size" in problem.notices
    assert any("--model" in notice for notice in problem.notices)
    assert not any("checkpoint_interval" in notice for notice in problem.notices)


def test_no_text_of_a_folder_can_move_a_terminal(write: Write) -> None:
    text = 'prompt: {system_message: "a\\e[2Jb"}\n"k\\e[31m": 1\n'

    problem = load_problem(write(with_config(text)))

    assert problem.tables.problem.statement == "a\N{REPLACEMENT CHARACTER}[2Jb"
    assert "\x1b" not in "".join(problem.notices)
    assert any("k\N{REPLACEMENT CHARACTER}[31m" in notice for notice in problem.notices)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_iterations: many\n", 'max_iterations: got "many", expected a whole number, 1 or more'),
        ("evaluator: {timeout: -1}\n", "evaluator.timeout: got -1, expected a number above 0"),
        ("evaluator: {cascade_thresholds: [a]}\n", "evaluator.cascade_thresholds: .* expected a list of numbers"),
        ("evaluator: {cascade_evaluation: 3}\n", "evaluator.cascade_evaluation: got 3, expected true or false"),
        ("prompt: {system_message: 3}\n", "prompt.system_message: got 3, expected text"),
        ("database: {feature_bins: 0}\n", "database.feature_bins: got 0, expected a whole number from 1 to 1000"),
        ("database: {feature_dimensions: [a, a]}\n", "expected a list of different names"),
        ("a: [\n", "cannot read .*config.yaml"),
        ("- 1\n", "holds list, expected keys with values"),
        ("!!python/object/apply:os.system ['true']\n", "cannot read .*config.yaml"),
        ("a: &a [1, 1, 1, 1]\nb: &b [*a, *a, *a]\nmax_iterations: &c [*b, *b]\n", "max_iterations: got a list of 2"),
        ("language: rust\n", "not Python: initial_program.py, language 'rust'"),
    ],
)
def test_wrong_settings_are_refused_with_their_key(text: str, expected: str, write: Write) -> None:
    with pytest.raises(ProblemError, match=expected):
        load_problem(write(with_config(text)))


def test_all_wrong_settings_are_told_at_once(write: Write) -> None:
    with pytest.raises(ProblemError, match=r"(?s)2 mistakes.*random_seed.*max_iterations"):
        load_problem(write(with_config("max_iterations: 0\nrandom_seed: -1\n")))


def test_a_file_of_settings_can_be_chosen(write: Write) -> None:
    files = {name: text for name, text in OPENEVOLVE.items() if name != "config.yaml"}
    home = write({**files, "config_a.yaml": "max_iterations: 3\n", "config_b.yaml": "max_iterations: 4\n"})

    assert load_problem(home).tables.budget.evaluations == 3
    assert any("config_a.yaml, the first of" in notice for notice in load_problem(home).notices)
    assert load_problem(home / "config_b.yaml").tables.budget.evaluations == 4


def test_settings_of_shinka_come_from_its_script_and_its_yaml_file(write: Write) -> None:
    script = (
        "MESSAGE = 'Do it ' + 'well.'\njob = LocalJobConfig(time='00:01:30')\n"
        "evo = EvolutionConfig(task_sys_msg=MESSAGE, num_generations=7, patch_types=['diff'], language='python')\n"
    )
    yaml = "evo_config: {num_generations: 9, llm_models: [m]}\ndb_config: {num_islands: 3}\n"

    problem = load_problem(write({**SHINKA, "run_evo.py": script, "shinka_small.yaml": yaml}))

    tables = problem.tables
    assert (tables.problem.statement, tables.budget.evaluations) == ("Do it well.", 7)
    assert (tables.limits.wall_seconds, tables.islands.count) == (90.0, 3)
    assert "not honoured: evo_config.patch_types" in problem.notices


def test_gepas_texts_are_found_without_running_its_script(write: Write) -> None:
    problem = load_problem(write(GEPA))

    assert problem.tables.problem.statement == "Be good."
    assert problem.seed_files == {"candidate.py": "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n"}
    assert problem.tables.budget.evaluations == 9


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ("open('x').read()", "is not written out as text"),
        ("'You are a helpful assistant.'", "is no Python"),
        ("{'a-b': 'x = 1'}", "is not written out as text"),
    ],
)
def test_a_seed_of_gepa_that_is_no_known_program_is_refused(seed: str, expected: str, write: Write) -> None:
    script = f"from gepa.optimize_anything import optimize_anything\noptimize_anything({seed}, evaluator=abs)\n"

    with pytest.raises(ProblemError, match=expected):
        load_problem(write({"main.py": script}))


def test_components_of_gepa_become_files(write: Write) -> None:
    script = (
        "from gepa.optimize_anything import optimize_anything\n"
        "optimize_anything({'a': 'x = 1', 'b': 'y = 2'}, evaluator=abs)\n"
    )

    assert list(load_problem(write({"main.py": script})).seed_files) == ["a.py", "b.py"]


@pytest.mark.parametrize(
    ("name", "line", "error", "expected"),
    [
        ("evaluator.py", "import no_such_package.part", EvolveEnvironmentError, "evaluator.py, line .*not installed"),
        ("initial_program.py", "import no_such_package", EvolveEnvironmentError, "pip install no_such_package"),
        ("evaluator.py", "from openevolve.llm import x", ProblemError, "openevolve.llm, a part of OpenEvolve"),
    ],
)
def test_a_module_that_is_missing_is_named_before_anything_runs(
    name: str, line: str, error: type[Exception], expected: str, write: Write
) -> None:
    with pytest.raises(error, match=f"(?s){expected}"):
        load_problem(write({**OPENEVOLVE, name: f"{line}\n{OPENEVOLVE[name]}"}))


def test_modules_that_may_be_missing_or_lie_beside_are_no_mistake(write: Write) -> None:
    lines = "import beside.part\ntry:\n    import no_such_package\nexcept ImportError:\n    pass\n"

    problem = load_problem(write({**OPENEVOLVE, "evaluator.py": lines + EVALUATOR, "beside/part.py": "import json\n"}))

    assert not {name for name in problem.tables.sandbox.preload if "beside" in name or "no_such" in name}


def test_without_yaml_the_error_says_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write(OPENEVOLVE)
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)

    with pytest.raises(EvolveEnvironmentError, match=r"evolve-discovery\[yaml\]"):
        load_problem(home)


@pytest.mark.parametrize(
    ("text", "blocks", "told"),
    [
        ("#EVOLVE-BLOCK-START\nx = 1\n#EVOLVE-BLOCK-END\n", 1, False),
        ("## evolve_block_start: here\nx = 1\n## EVOLVE BLOCK END\n", 1, False),
        ("x = 1\n", 1, True),
    ],
)
def test_markers_are_read_as_people_write_them(text: str, blocks: int, told: bool, write: Write) -> None:
    problem = load_problem(write({**OPENEVOLVE, "initial_program.py": text}))

    assert problem.seed_files["initial_program.py"].count("# EVOLVE-BLOCK-START") == blocks
    assert any("no evolve block" in notice for notice in problem.notices) is told


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("initial_program.py", "# EVOLVE-BLOCK-START\nx = 1\n", "never closed"),
        ("initial_program.py", "def f(:\n", "line 1"),
        ("evaluator.py", "def evaluate(:\n", "has no problem.toml"),
        ("evaluator.py", "def other(): ...\n", "has no problem.toml"),
    ],
)
def test_files_that_cannot_be_used_are_refused(name: str, text: str, expected: str, write: Write) -> None:
    with pytest.raises(ProblemError, match=expected):
        load_problem(write({**OPENEVOLVE, name: text}))


def test_a_program_of_another_language_is_refused(write: Write) -> None:
    files = {name: text for name, text in OPENEVOLVE.items() if name != "initial_program.py"}

    with pytest.raises(ProblemError, match=r"(?s)not Python: initial_program.rs.*compilers"):
        load_problem(write({**files, "initial_program.rs": "fn main() {}"}))


def test_links_out_of_the_folder_special_files_and_results_are_not_copied(write: Write, tmp_path: Path) -> None:
    home = write({**OPENEVOLVE, "runs/x.txt": "x", ".git/y": "y", "old/run.db": "z", "data/kept.txt": "k"})
    (tmp_path / "secret").write_text("s")
    os.symlink(tmp_path / "secret", home / "out.txt")
    os.symlink(tmp_path, home / "away")
    os.symlink("data/kept.txt", home / "inside.txt")
    os.mkfifo(home / "pipe")

    found = files_of(home)

    assert set(found.paths) == {*OPENEVOLVE, "data/kept.txt", "inside.txt"}
    assert [each.partition(":")[0] for each in found.left_out] == ["away", "out.txt", "pipe"]
    assert any("not copied: out.txt" in notice for notice in load_problem(home).notices)


def test_an_evaluator_that_is_a_link_out_of_the_folder_is_refused(write: Write, tmp_path: Path) -> None:
    home = write(OPENEVOLVE)
    (home / "evaluator.py").rename(tmp_path / "evaluator.py")
    os.symlink(tmp_path / "evaluator.py", home / "evaluator.py")

    with pytest.raises(ProblemError, match="lies outside of the folder"):
        load_problem(home)


def test_an_evaluator_that_is_a_pipe_stops_nobody(write: Write) -> None:
    home = write({name: text for name, text in OPENEVOLVE.items() if name != "evaluator.py"})
    os.mkfifo(home / "evaluator.py")

    with pytest.raises(ProblemError, match=r"has no problem.toml"):
        load_problem(home)


def test_a_folder_of_too_many_files_is_refused(write: Write) -> None:
    home = write({**OPENEVOLVE, **{f"data/{i}.txt": "" for i in range(MAX_FILES)}})

    with pytest.raises(ProblemError, match="at most 800 files and 32 MiB"):
        load_problem(home)


def test_expressions_without_end_are_no_crash(write: Write) -> None:
    files = {
        "main.py": "from gepa.optimize_anything import optimize_anything\nSEED = " + "+".join(["'x'"] * 3000) + "\n"
    }
    files["main.py"] += "optimize_anything(SEED, evaluator=abs)\n"

    with pytest.raises(ProblemError, match=r"nested too deeply|has no problem.toml"):
        load_problem(write(files))


def test_the_family_cannot_be_written_by_hand(python_problem: Path) -> None:
    text = (python_problem / "problem.toml").read_text().replace('file = "evaluate.py"', 'family = "peer"')
    (python_problem / "problem.toml").write_text(text)
    mapping: dict[str, Any] = load_problem(python_problem).judge_spec_mapping()

    with pytest.raises(EvaluatorError, match=r"cannot be written in problem.toml"):
        PeerSpec.from_options(mapping["options"])


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/a/Circle packing", "circle_packing"),
        ("/heilbronn/13", "heilbronn_13"),
        ("/x/größe", "groe"),
        ("/问题", "problem"),
    ],
)
def test_names_of_problems_come_from_their_folders(folder: str, name: str) -> None:
    assert slug(Path(folder)) == name


def test_edges_of_a_metric_increase_and_have_the_asked_cells_between_0_and_1() -> None:
    edges = metric_edges(10)

    assert all(low < high for low, high in pairwise(edges))
    assert sum(0.0 <= edge < 1.0 for edge in edges) == 10


@pytest.mark.parametrize("n_metrics", [1, 2, 4, 5])
def test_an_archive_of_many_metrics_is_not_too_large(write: Write, n_metrics: int) -> None:
    names = ", ".join(f"metric_{k}" for k in range(n_metrics))

    problem = load_problem(write({**OPENEVOLVE, "config.yaml": f"database: {{feature_dimensions: [{names}]}}\n"}))

    assert build_archive(problem.archive_mapping()).n_cells <= MAX_CELLS


def test_prompts_of_another_engine_are_files_like_others(write: Write) -> None:
    problem = load_problem(write({**OPENEVOLVE, "prompts/diff.md": "nothing of ours"}))

    assert "prompts/diff.md" in problem.judge_hashes


def test_what_the_other_engine_writes_beside_does_not_change_the_judge(write: Write) -> None:
    problem = load_problem(write(OPENEVOLVE))
    write({"openevolve_output/best/best_program.py": "x = 1", "evolve.log": "x", "data/log/y.txt": "y"})

    assert problem.changed_judge_files() == ("data/log/y.txt",)


def test_a_changed_evaluator_is_noticed(write: Write) -> None:
    home = write(OPENEVOLVE)
    problem = load_problem(home)
    (home / "evaluator.py").write_text(EVALUATOR + "\n")

    assert problem.changed_judge_files() == ("evaluator.py",)
    assert CONFIG in (home / "config.yaml").read_text()


@pytest.mark.parametrize("number", ["1" + "0" * 400, ".inf", ".nan", "true"])
def test_a_timeout_that_no_float_can_be_is_a_mistake_with_its_key(number: str, write: Write) -> None:
    home = write(with_config(f"evaluator:\n  timeout: {number}\n"))

    with pytest.raises(ProblemError, match=r"evaluator.timeout: got .*, expected a number above 0"):
        load_problem(home)


def test_merges_that_grow_without_end_are_refused_at_once(write: Write) -> None:
    lines = ["a0: &a0 {b: 1, c: 2, d: 3}"]
    lines += [f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    home = write(with_config("\n".join(lines)))

    with pytest.raises(ProblemError, match="merges by `<<`"):
        load_problem(home)


def test_a_plain_merge_is_read(write: Write) -> None:
    home = write(with_config("a: &a {timeout: 7}\nevaluator:\n  <<: *a\n"))

    assert load_problem(home).tables.limits.wall_seconds == 7


def test_a_seed_program_that_is_a_link_out_of_the_folder_is_refused(write: Write, tmp_path: Path) -> None:
    home = write(OPENEVOLVE)
    secret = tmp_path / "secret.py"
    secret.write_text("key = 'hidden'\n", encoding="utf-8")
    (home / "initial_program.py").unlink()
    (home / "initial_program.py").symlink_to(secret)

    with pytest.raises(ProblemError, match=r"initial_program.py lies outside of the folder"):
        load_problem(home)


@pytest.mark.parametrize("name", ["initial_program.py", "evaluator.py"])
def test_the_path_of_a_program_names_its_folder(name: str, write: Write) -> None:
    home = write(OPENEVOLVE)

    assert load_problem(home / name) == load_problem(home)


def test_more_islands_than_fit_into_memory_are_a_mistake(write: Write) -> None:
    home = write(with_config("database: {num_islands: 1000000000}\n"))

    with pytest.raises(ProblemError, match=r"islands.count: got 1000000000, expected 1024 or less"):
        load_problem(home)


def test_an_archive_with_too_many_cells_is_no_bug_of_ours(write: Write) -> None:
    config = "database: {feature_dimensions: [a, b, c], feature_bins: 1000}\n"
    problem = load_problem(write(with_config(config)))

    with pytest.raises(ProblemError, match=r"the archive of peer: the grid has .* cells"):
        build_search(problem, 0)


@pytest.mark.parametrize(("contract", "linked"), [("alphaevolve", "problem_description.md"), ("gepa", "texts.py")])
def test_no_text_that_lies_outside_of_the_folder_gets_into_the_problem(
    contract: str, linked: str, write: Write, tmp_path: Path
) -> None:
    home = write(FOLDERS[contract])
    secret = tmp_path / "secret"
    secret.write_text('GOAL = "my key"', encoding="utf-8")
    (home / linked).unlink()
    (home / linked).symlink_to(secret)

    problem = load_problem(home)

    assert "my key" not in str(problem.to_json())

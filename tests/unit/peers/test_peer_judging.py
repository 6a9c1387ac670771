"""Evaluators of other engines at work: what they answer, what they do wrong, and what a program can do to them."""

import os
from pathlib import Path

import pytest

from evaluators.contract import Failure
from evaluators.judge import Judge
from evolve.config.problem import load_problem
from sandbox.errors import SandboxError
from sandbox.layers import Level
from tests.sandboxes import sandbox_at
from tests.unit.peers.conftest import CONFIG, LOAD, OPENEVOLVE, PROGRAM, SHINKA_MAIN, Judged, Write, spec_of

pytestmark = pytest.mark.xdist_group("peers")  # one sandbox for all tests


def evaluator(body: str, *, above: str = "") -> dict[str, str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return {**OPENEVOLVE, "evaluator.py": f"{LOAD}\n{above}\n\ndef evaluate(program_path):\n{lines}"}


def shinka(body: str, *, above: str = "") -> dict[str, str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    script = f"import json\nimport os\n{above}\n\ndef main(program_path, results_dir):\n{lines}{SHINKA_MAIN}"
    return {"initial.py": PROGRAM, "evaluate.py": script}


def test_metrics_become_a_score_metrics_and_artifacts(judged: Judged) -> None:
    evaluation = judged(
        evaluator(
            "print('at work')\n"
            "return EvaluationResult(metrics={'combined_score': np.float64(1.5), 'exact': True, 'note': 'near'},\n"
            "    artifacts={'raw': b'ab', 'log': 'x'})",
            above="import numpy as np\nfrom openevolve.evaluation_result import EvaluationResult",
        )
    )

    assert evaluation.score == 1.5
    assert evaluation.metrics == {"combined_score": 1.5, "exact": 1.0}
    assert dict(evaluation.artifacts) == {"note": "near", "raw": "ab", "log": "x", "output": "at work\n"}
    assert evaluation.descriptor == {"complexity": float(len(PROGRAM)), "diversity": 0.0}


def test_without_a_combined_score_the_mean_of_what_is_no_dimension_counts(judged: Judged) -> None:
    files = evaluator("return {'a': 1.0, 'b': 3.0, 'size': 100, 'flag': True}")
    files["config.yaml"] = f"{CONFIG}database: {{feature_dimensions: [size]}}\n"

    evaluation = judged(files)

    assert evaluation.score == 2.0
    assert evaluation.descriptor == {"size": 100.0}


@pytest.mark.parametrize(
    ("thresholds", "score", "reached"),
    [("[0.5]", 2.0, "evaluate_stage2"), ("[0.5, 1.5]", 3.0, "evaluate_stage3"), ("[1.5]", 1.0, "evaluate_stage1")],
)
def test_a_program_keeps_the_score_of_the_last_stage_that_it_reached(
    thresholds: str, score: float, reached: str, judged: Judged
) -> None:
    stages = "".join(
        f"def evaluate_stage{n}(program_path):\n    return {{'combined_score': {n}.0, 'm{n}': {n}}}\n\n\n"
        for n in (1, 2, 3)
    )
    files = evaluator("raise AssertionError", above=stages)
    files["config.yaml"] = f"evaluator: {{cascade_thresholds: {thresholds}}}\n"

    evaluation = judged(files)

    assert (evaluation.score, evaluation.artifacts["stage reached"]) == (score, reached)
    assert {name for name in evaluation.metrics if name.startswith("m")} == {f"m{n}" for n in range(1, int(score) + 1)}


def test_a_stage_that_raises_fails_the_program_by_name(judged: Judged) -> None:
    stages = "def evaluate_stage1(program_path):\n    return {'combined_score': 1.0}\n\n\n"
    stages += "def evaluate_stage2(program_path):\n    raise ValueError('two is too much')\n"
    files = evaluator("return {}", above=stages)
    files["config.yaml"] = "evaluator: {cascade_thresholds: [0.5]}\n"

    evaluation = judged(files)

    assert evaluation.failure is Failure.EXCEPTION
    assert "evaluate_stage2: " in evaluation.detail
    assert "two is too much" in evaluation.detail


@pytest.mark.parametrize(
    ("body", "failure", "told"),
    [
        ("return {'combined_score': float('nan')}", Failure.NOT_FINITE, "combined_score is nan"),
        ("return {'combined_score': float('-inf')}", Failure.NOT_FINITE, "combined_score is -inf"),
        ("return {'combined_score': 0.0, 'error': 'no function'}", Failure.INVALID, "no function"),
        ("return {'error': 0.0}", Failure.INVALID, "no metric but an error"),
        ("return {}", Failure.INVALID, "no metric but an error"),
        ("return [1.0]", Failure.EXCEPTION, "returned a list, expected a dict"),
        ("return None", Failure.EXCEPTION, "returned nothing, expected a dict"),
        ("raise SystemExit(3)", Failure.EXCEPTION, "sys.exit(3)"),
        ("import os\nos._exit(0)", Failure.CRASH, "exit"),
        ("import os\nos.abort()", Failure.CRASH, ""),
        ("import os\nos.fork()", Failure.EXCEPTION, "PermissionError"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", Failure.EXCEPTION, "Operation not permitted"),
        ("open('/etc/passwd')", Failure.EXCEPTION, "FileNotFoundError"),
        ("open('/usr/lib/evil', 'w')", Failure.EXCEPTION, "Error"),
        ("open(__file__, 'w')", Failure.EXCEPTION, "PermissionError"),
        ("import subprocess\nsubprocess.run(['rustc', 'x.rs'])", Failure.EXCEPTION, "it has Python only"),
        ("import openevolve.llm", Failure.EXCEPTION, "No module named 'openevolve.llm'"),
        ("from openevolve import Config", Failure.EXCEPTION, "Config"),
        ("return {'combined_score': 'text', 'error': 'no'}", Failure.INVALID, "no"),
    ],
)
def test_what_an_evaluator_does_wrong_is_a_failure_that_says_so(
    body: str, failure: Failure, told: str, judged: Judged
) -> None:
    evaluation = judged(evaluator(body))

    assert (evaluation.failure, evaluation.score) == (failure, None)
    assert told in evaluation.detail


def test_an_evaluator_that_hangs_is_ended(judged: Judged) -> None:
    evaluation = judged(evaluator("while True:\n    pass"), wall_seconds=0.3)

    assert evaluation.failure is Failure.TIMEOUT


def test_an_evaluator_that_prints_without_end_is_ended(judged: Judged) -> None:
    evaluation = judged(evaluator("while True:\n    print('x' * 100000)"))

    assert evaluation.failure is Failure.OUTPUT


def test_an_evaluator_that_eats_memory_is_ended(judged: Judged) -> None:
    evaluation = judged(evaluator("x = []\nwhile True:\n    x.append(bytearray(1 << 24))"), memory_mb=128)

    assert evaluation.failure is Failure.MEMORY


def test_a_folder_that_fills_up_is_a_failure(judged: Judged) -> None:
    evaluation = judged(evaluator("with open('big', 'wb') as file:\n    file.write(bytes(64 << 20))"))

    assert evaluation.failure in (Failure.DISK, Failure.CRASH, Failure.MEMORY)


def test_thousands_of_metrics_and_artifacts_are_bounded(judged: Judged) -> None:
    evaluation = judged(
        evaluator("return {'combined_score': 1.0} | {f'm{i}': i for i in range(5000)} | {'t' * 500: 'x' * 10**6}")
    )

    assert evaluation.score == 1.0
    assert len(evaluation.metrics) <= 400
    assert sum(map(len, evaluation.artifacts.values())) < 10_000


def test_names_and_texts_cannot_move_a_terminal(judged: Judged) -> None:
    evaluation = judged(evaluator("return {'combined_score': 1.0, 'a\\x1b[2J\\nb': 2.0, 'note': '\\x1b[31mred'}"))

    told = "".join([*evaluation.metrics, *evaluation.artifacts.values()])
    assert "\x1b" not in told


def test_a_folder_beside_the_evaluator_is_there_and_the_original_stays_as_it_was(judged: Judged, write: Write) -> None:
    files = evaluator(
        "import os\nfrom größe import factor\n"
        "os.unlink('data/äpfel.txt')\nopen('made.txt', 'w').write('x')\n"
        "return {'combined_score': factor * apples}",
        above="apples = len(open('data/äpfel.txt', encoding='utf-8').read())",
    )
    files |= {"data/äpfel.txt": "drei", "größe.py": "factor = 2.0\n", "mit leer zeichen.txt": "x"}

    evaluation = judged(files)

    home = write({})
    assert evaluation.score == 8.0
    assert (home / "data/äpfel.txt").read_text() == "drei"
    assert not (home / "made.txt").exists()


def test_a_program_can_forge_its_score_and_nothing_more(judged: Judged, write: Write) -> None:
    forger = (
        "import sys\n\n\ndef value():\n"
        "    sys.modules['evaluation_module'].evaluate = lambda path: {'combined_score': 0.0}\n"
        "    frame = sys._getframe(1)\n"
        "    import os\n    os.unlink('evaluator.py')\n"
        "    return 1e9\n"
    )

    evaluation = judged(OPENEVOLVE, forger)

    assert evaluation.score == 1e9
    assert (write({}) / "evaluator.py").read_text() == OPENEVOLVE["evaluator.py"]


@pytest.mark.parametrize(
    "answer",
    [
        '["ok", {"metrics": [["combined_score", "number", "x"]], "artifacts": []}]',
        '["ok", {"metrics": 3, "artifacts": []}]',
        '["ok", [1, 2]]',
        '["ok", {"errand": {"kind": "code", "what": "1", "arguments": [], "cwd": "/", "env": {}}}]',
        '["ok", {"errand": 7}]',
        "nonsense",
    ],
)
def test_an_answer_that_a_program_writes_by_itself_is_no_score(answer: str, judged: Judged) -> None:
    forger = (
        "import os\nimport struct\n\n\ndef value():\n"
        f"    text = {answer!r}.encode()\n"
        "    os.write(4, struct.pack('<IB', len(text) + 1, ord('J')) + text)\n    return 1.0\n"
    )

    evaluation = judged(OPENEVOLVE, forger)

    assert evaluation.failure is not None


def test_errands_without_end_are_cut_off(judged: Judged) -> None:
    forger = "import subprocess\nimport sys\n\n\ndef value():\n"
    forger += "    while True:\n        subprocess.run([sys.executable, '-c', '1'])\n"

    evaluation = judged(OPENEVOLVE, forger, wall_seconds=0.1)

    assert evaluation.failure is Failure.TIMEOUT


def test_a_script_that_an_evaluator_starts_runs_in_a_process_of_its_own(judged: Judged) -> None:
    body = (
        "import os, subprocess, sys, tempfile\n"
        "script = os.path.join(tempfile.mkdtemp(), 'run.py')\n"
        "open(script, 'w').write('import sys, os\\nprint(sys.argv[1:], input())\\nprint(\"bad\", file=sys.stderr)\\n'\n"
        '    \'open(sys.argv[1], "w").write(str(os.environ["MINE"]))\\nsys.exit(7)\')\n'
        "done = subprocess.run([sys.executable, '-u', script, 'out.txt'], capture_output=True, text=True,\n"
        "    input='hello', env={'MINE': '4.5'}, timeout=50)\n"
        "return {'combined_score': float(open('out.txt').read()), 'status': done.returncode, 'a': done.stdout,\n"
        "    'b': done.stderr}"
    )

    evaluation = judged(evaluator(body))

    assert (evaluation.score, evaluation.metrics["status"]) == (4.5, 7.0)
    assert evaluation.artifacts["a"] == "['out.txt'] hello\n"
    assert evaluation.artifacts["b"] == "bad\n"


def test_a_script_that_hangs_ends_at_the_time_limit_of_the_evaluator(judged: Judged) -> None:
    body = (
        "import subprocess, sys\n"
        "try:\n    subprocess.run([sys.executable, '-c', 'while True: pass'], timeout=0.2)\n"
        "except subprocess.TimeoutExpired as late:\n    return {'combined_score': late.timeout}"
    )

    assert judged(evaluator(body)).score == 0.2


def test_a_script_that_crashes_leaves_its_exit_status(judged: Judged) -> None:
    body = (
        "import subprocess, sys\n"
        "crashed = subprocess.run([sys.executable, '-c', 'import os; os.abort()'], capture_output=True)\n"
        "raised = subprocess.run([sys.executable, '-c', '1 / 0'], capture_output=True, text=True)\n"
        "inner = 'import os; os.system(\"python -c 1\")'\n"
        "nested = subprocess.run([sys.executable, '-c', inner], capture_output=True)\n"
        "return {'combined_score': 1.0, 'a': crashed.returncode, 'b': raised.returncode, 'c': raised.stderr[-40:],\n"
        "    'd': nested.returncode}"
    )

    evaluation = judged(evaluator(body))

    assert [evaluation.metrics[name] for name in "abd"] == [1.0, 1.0, 1.0]
    assert "ZeroDivisionError" in evaluation.artifacts["c"]


def test_pools_of_processes_work(judged: Judged) -> None:
    body = (
        "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(max_workers=2) as pool:\n    total = sum(pool.map(abs, [-1, -2]))\n"
        "with multiprocessing.Pool(2) as pool:\n    total += sum(pool.map(abs, [-3]))\n"
        "queue = multiprocessing.Queue()\n"
        "child = multiprocessing.Process(target=queue.put, args=(4.0,))\nchild.start()\nchild.join(2)\n"
        "return {'combined_score': total + queue.get()}"
    )

    assert judged(evaluator(body)).score == 10.0


def test_shinkas_results_are_read_and_private_ones_are_marked(judged: Judged) -> None:
    body = (
        "json.dump({'combined_score': 2, 'public': {'size': 3, 'shape': 'round'},\n"
        "    'private': {'key': 4, 'word': 'no'}, 'text_feedback': 'go on'},\n"
        "    open(os.path.join(results_dir, 'metrics.json'), 'w'))\n"
        "json.dump({'correct': True, 'error': None}, open(os.path.join(results_dir, 'correct.json'), 'w'))"
    )

    evaluation = judged(shinka(body))

    assert evaluation.score == 2.0
    assert evaluation.metrics == {"combined_score": 2.0, "size": 3.0, "private.key": 4.0}
    assert dict(evaluation.artifacts) == {"text_feedback": "go on", "shape": "round"}


@pytest.mark.parametrize(
    ("metrics", "correct", "told"),
    [
        ("{'combined_score': 5.0}", "{'correct': False, 'error': 'too heavy'}", "too heavy"),
        ("{'combined_score': float('nan')}", "{'correct': True}", "combined_score is nan"),
        ("{}", "{'correct': True}", "no number combined_score"),
        ("[1]", "{'correct': True}", "holds no keys"),
        ("None", "{'correct': True}", "wrote no metrics.json"),
        ("{'combined_score': 5.0}", "None", "wrote no correct.json"),
    ],
)
def test_what_a_shinka_script_leaves_undone_is_a_failure(metrics: str, correct: str, told: str, judged: Judged) -> None:
    body = (
        f"for name, value in (('metrics', {metrics}), ('correct', {correct})):\n"
        "    if value is not None:\n"
        "        json.dump(value, open(os.path.join(results_dir, name + '.json'), 'w'))"
    )

    evaluation = judged(shinka(body))

    assert evaluation.failure in (Failure.INVALID, Failure.NOT_FINITE)
    assert told in evaluation.detail


def test_shinkas_helper_runs_checks_and_sums_up(judged: Judged) -> None:
    body = (
        "run_shinka_eval(program_path=program_path, results_dir=results_dir, experiment_fn_name='value', num_runs=3,\n"
        "    get_experiment_kwargs=lambda i: {}, validate_fn=lambda value: (value < 3, 'too much'),\n"
        "    aggregate_metrics_fn=lambda results: {'combined_score': sum(results), 'extra_data': object()})"
    )
    files = shinka(body, above="from shinka.core import run_shinka_eval")

    good, bad = judged(files), judged(files, PROGRAM.replace("2.0", "4.0"))

    assert (good.score, good.metrics["num_valid_runs"]) == (6.0, 3.0)
    assert bad.failure is Failure.INVALID
    assert "Validation failed: too much" in bad.detail


def test_a_program_that_writes_shinkas_results_and_leaves_has_no_score(judged: Judged) -> None:
    body = "from importlib.machinery import SourceFileLoader\nSourceFileLoader('p', program_path).load_module().value()"
    forger = (
        "import json, os, sys\n\n\ndef value():\n    place = sys.argv[-1]\n"
        "    json.dump({'combined_score': 999}, open(os.path.join(place, 'metrics.json'), 'w'))\n"
        "    json.dump({'correct': True}, open(os.path.join(place, 'correct.json'), 'w'))\n    os._exit(0)\n"
    )

    evaluation = judged(shinka(body), forger)

    assert evaluation.failure is Failure.CRASH


def test_gepas_examples_are_averaged_and_its_log_is_kept(judged: Judged) -> None:
    script = (
        "import gepa.optimize_anything as oa\nfrom gepa.optimize_anything import GEPAConfig, optimize_anything\n"
        "from gepa.utils.code_execution import execute_code\n\nSEED = 'def value(x):\\n    return x\\n'\n\n\n"
        "def main():\n    def evaluate(candidate, example, opt_state=None):\n"
        "        oa.log('example', example, opt_state.best_example_evals)\n"
        "        done = execute_code(candidate, 5, entry_point='value', entry_point_args=(example,))\n"
        "        return done.variables['__return__'], {'scores': {'twice': 2 * example}, 'why': 'because'}\n\n"
        "    optimize_anything(seed_candidate=SEED, evaluator=evaluate, dataset=[1, 3], config=GEPAConfig())\n\n\n"
        "if __name__ == '__main__':\n    main()\n"
    )

    evaluation = judged({"main.py": script})

    assert evaluation.score == 2.0
    assert evaluation.metrics == {"example 1": 1.0, "example 2": 3.0, "twice": 2.0}
    assert dict(evaluation.artifacts) == {"why": "because", "log": "example 1 []\n"}


@pytest.mark.parametrize(
    ("result", "failure"),
    [("float('nan'), {}", Failure.NOT_FINITE), ("'good', {}", Failure.EXCEPTION), ("1 / 0", Failure.EXCEPTION)],
)
def test_gepas_evaluators_can_fail(result: str, failure: Failure, judged: Judged) -> None:
    script = (
        "from gepa.optimize_anything import optimize_anything\n\n\ndef evaluate(candidate):\n"
        f"    return {result}\n\n\noptimize_anything('x = 1', evaluator=evaluate)\n"
    )

    assert judged({"main.py": script}).failure is failure


@pytest.mark.parametrize(
    ("written", "score", "failure"),
    [
        ("{'score': 2.5, 'insights': [{'label': 'a', 'text': 'b'}]}", 2.5, None),
        ("{'scores': [{'metric': 'm', 'score': 1.5}, {'metric': 'n', 'score': 9}]}", 1.5, None),
        ("{'score': None, 'insights': [{'label': 'error', 'text': 'broken'}]}", None, Failure.INVALID),
        ("{'score': -1e12}", None, Failure.INVALID),
        ("{'score': float('nan')}", None, Failure.NOT_FINITE),
        ("{'scores': []}", None, Failure.INVALID),
        ("[1]", None, Failure.EXCEPTION),
    ],
)
def test_alphaevolves_first_score_counts(
    written: str, score: float | None, failure: Failure | None, judged: Judged
) -> None:
    script = (
        "import argparse, json, os\nparser = argparse.ArgumentParser()\nparser.add_argument('--output-file')\n"
        "parser.add_argument('--program-dir')\ngiven = parser.parse_args()\n"
        "assert os.path.exists(os.path.join(given.program_dir, 'initial_program.py'))\n"
        f"json.dump({written}, open(given.output_file, 'w'))\n"
    )

    evaluation = judged({"evaluator.py": script, "initial_program.py": PROGRAM})

    assert (evaluation.score, evaluation.failure) == (score, failure)


def test_alphaevolves_function_may_be_a_coroutine_with_flat_metrics(judged: Judged) -> None:
    files = {
        "program.py": PROGRAM,
        "evaluate.py": "async def judge(program):\n    names = {}\n"
        "    exec(program['content']['files'][0]['content'], names)\n    return {'size': names['value']()}\n",
        "run_experiment.py": "from evaluate import judge\n\nAlphaEvolveExperiment(None, judge, 5)\n",
    }

    assert judged(files).score == 2.0


def test_two_evaluations_of_one_program_are_equal(judged: Judged) -> None:
    files = evaluator("import random\nreturn {'combined_score': random.random(), 'hash': hash('text')}")

    first, second = judged(files), judged(files)

    assert (first.score, dict(first.metrics)) == (second.score, dict(second.metrics))


def test_a_link_out_of_the_folder_is_not_followed(judged: Judged, write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("key")
    home = write(OPENEVOLVE)
    os.symlink(secret, home / "link.txt")
    os.symlink("initial_program.py", home / "again.py")

    evaluation = judged(
        evaluator(
            "import os\nreturn {'combined_score': float(os.path.exists('again.py')) - os.path.lexists('link.txt')}"
        )
    )

    assert evaluation.score == 1.0


def test_an_event_loop_works(judged: Judged) -> None:
    body = (
        "import asyncio\n"
        "async def both():\n    await asyncio.sleep(0.01)\n    return await asyncio.to_thread(float, 3)\n"
        "return {'combined_score': asyncio.run(asyncio.wait_for(both(), 5))}"
    )

    assert judged(evaluator(body)).score == 3.0


@pytest.mark.parametrize("level", [Level.STRONG, Level.WEAK])
def test_folders_work_at_other_levels_with_scripts_too(level: Level, write: Write) -> None:
    files = evaluator(
        "import subprocess, sys, tempfile\n"
        "place = tempfile.mkdtemp()\n"
        "open(f'{place}/run.py', 'w').write(f\"open('{place}/out.txt', 'w').write('3.0'); print('{place}')\")\n"
        "done = subprocess.run([sys.executable, f'{place}/run.py'], capture_output=True, text=True, cwd=place)\n"
        "return {'combined_score': float(open(f'{place}/out.txt').read()), 'same': done.stdout.strip() == place}"
    )
    problem = load_problem(write(files))
    with sandbox_at(level) as sandbox:
        evaluation = Judge(spec_of(problem), sandbox).evaluate(problem.seed_files)

    assert (evaluation.score, evaluation.metrics["same"]) == (3.0, 1.0)


def test_a_sandbox_without_files_is_refused(write: Write) -> None:
    problem = load_problem(write(OPENEVOLVE))

    with sandbox_at(Level.NOOPEN) as sandbox, pytest.raises(SandboxError, match="level NOOPEN"):
        Judge(spec_of(problem), sandbox).evaluate(problem.seed_files)

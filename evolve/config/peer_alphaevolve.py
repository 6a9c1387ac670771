"""AlphaEvolve's client: a script `evaluator.py` with `--output-file`, or a function given to an experiment."""

import ast
from collections.abc import Iterator
from pathlib import Path

from evaluators.peers.alphaevolve import OPTIONS
from evaluators.peers.spec import ALPHAEVOLVE
from evolve.config.peer_plan import DEFAULT_DIMENSIONS, PeerPlan
from evolve.config.peer_python import Source, argument, calls_of, is_inside, text_value, texts_at_top, try_source
from evolve.config.peer_seeds import python_seed, seed_file
from evolve.errors import ProblemError

EVALUATOR, PROGRAMS = "evaluator.py", ("initial_program", "program")
SCRIPTS = ("run_evolution.py", "run_experiment.py", "src/run_evolution.py")
DESCRIPTIONS = ("problem_description.md", "instructions.md")
EXPERIMENT = "AlphaEvolveExperiment"
TIMEOUT = 60.0
STAND_INS = frozenset({"alpha_evolve", "alpha_evolve.models"})


def recognise(folder: Path) -> str:
    """Why this is such a folder; empty if it is not."""
    source = try_source(folder / EVALUATOR)
    if source is not None and "--output-file" in source.text and seed_file(folder, PROGRAMS) is not None:
        return f"{EVALUATOR} takes --output-file"
    script = _script(folder)
    return f"{script.path.name} makes an {EXPERIMENT}" if script is not None else ""


def read(folder: Path, chosen: str = "") -> PeerPlan:
    """The plan of such a folder.

    Raises:
        ProblemError: it is no such folder, or has mistakes.
    """
    del chosen
    source = try_source(folder / EVALUATOR)
    if source is not None and "--output-file" in source.text:
        return _of_script(folder, source)
    script = _script(folder)
    if script is None:
        raise ProblemError(
            f"{folder} is no folder of AlphaEvolve's client",
            hint=f"it has an {EVALUATOR} with --output-file, or a script that makes an {EXPERIMENT}",
        )
    return _of_function(folder, script)


def _of_script(folder: Path, source: Source) -> PeerPlan:
    seed, text, notes = _seed(folder)
    return PeerPlan(
        folder=folder,
        contract=ALPHAEVOLVE,
        evaluator=EVALUATOR,
        seeds={seed: text},
        statement=_description(folder) or source.summary,
        timeout=TIMEOUT,
        dimensions=DEFAULT_DIMENSIONS,
        options=tuple(option for option in OPTIONS if option in source.text),
        warnings=tuple(notes),
    )


def _of_function(folder: Path, script: Source) -> PeerPlan:
    experiment = next(calls_of(script.tree, EXPERIMENT))
    function = argument(experiment, "evaluator_function", 1) or argument(experiment, "evaluator")
    if not isinstance(function, ast.Name):
        raise ProblemError(f"{script.path}: the evaluator of {EXPERIMENT} is not the name of a function")
    home = script.path.parent
    evaluator = _module_of(function.id, script, home)
    seed, text, notes = _seed(home)
    known = texts_at_top(script.tree)
    inside = home.relative_to(folder).as_posix()
    return PeerPlan(
        folder=folder,
        contract=ALPHAEVOLVE,
        evaluator=evaluator.relative_to(folder).as_posix(),
        seeds={seed: text},
        evaluations=_budget(script),
        statement=_in_dicts(script, "problem_description", known) or _description(folder) or script.summary,
        title=_in_dicts(script, "title", known),
        timeout=TIMEOUT,
        dimensions=DEFAULT_DIMENSIONS,
        search=(".",) if inside == "." else (".", inside),
        function=function.id,
        warnings=(*notes, "not honoured: settings of the experiment but for max_programs; give models with --model"),
    )


def _script(folder: Path) -> Source | None:
    for name in SCRIPTS:
        source = try_source(folder / name)
        if source is not None and next(calls_of(source.tree, EXPERIMENT), None) is not None:
            return source
    return None


def _module_of(function: str, script: Source, home: Path) -> Path:
    """The file that a function comes from."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.ImportFrom) and node.module and any(each.name == function for each in node.names):
            path = home / f"{node.module.rpartition('.')[2]}.py"
            if path.is_file():
                return path
    raise ProblemError(
        f"{script.path}: the function {function} is not imported from a file beside it",
        hint="Evolve runs the evaluator's file alone: move the function into one, such as evaluate.py",
    )


def _seed(home: Path) -> tuple[str, str, list[str]]:
    seed = seed_file(home, PROGRAMS)
    if seed is None or not seed.endswith(".py"):
        raise ProblemError(
            f"{home} has no {PROGRAMS[0]}.py or {PROGRAMS[1]}.py",
            hint="the seed program must be Python; other languages need compilers in the sandbox",
        )
    text, notes = python_seed(home / seed)
    return seed, text, notes


def _description(folder: Path) -> str:
    for path in (folder / name for name in DESCRIPTIONS):
        try:
            if is_inside(path, folder):
                return path.read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError):
            continue
    return ""


def _in_dicts(script: Source, key: str, known: dict[str, str]) -> str:
    """The text that stands for a key in a dict of the script."""
    return next((text for value in _values(script, key) if (text := text_value(value, known))), "")


def _budget(script: Source) -> int | None:
    for value in _values(script, "max_programs"):
        if isinstance(value, ast.Constant) and type(value.value) is int and value.value > 0:
            return value.value
    return None


def _values(script: Source, key: str) -> Iterator[ast.expr]:
    """What stands for a key in the dicts of the script."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Dict):
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    yield value

"""From a problem and options to the parts of a run: archive islands, operators, search. Runs no evaluator."""

import symtable
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from archive.build import build_archive
from archive.errors import ArchiveSpecError
from archive.islands import Islands
from evaluators.errors import EvaluatorError
from evaluators.judge import JudgeSpec
from evaluators.process import open_judge
from evaluators.spec import OPTIMIZER_FAMILY
from evolve.config.problem import Problem
from evolve.errors import ProblemError, SeedError
from evolve.loop.behaviour import behaviour_for
from evolve.loop.briefings import MAP_ELITES
from evolve.loop.lessons import Lessons
from evolve.loop.manner import Manner
from evolve.loop.search import Search
from evolve.operators.contract import EVERYONE, Operator
from evolve.operators.enumeration import enumeration
from evolve.operators.float32 import Float32Climb
from evolve.operators.python_crossover import PythonCrossover
from evolve.operators.python_knobs import knob_turns
from evolve.operators.python_literals import PythonLiteralEdit
from evolve.operators.python_tree import PythonTreeEdit
from evolve.operators.screening import screen_rows, screens
from evolve.operators.strategy import StrategyChange, StrategyCrossover
from evolve.operators.symbolic import SymbolicBurst, SymbolicCrossover, SymbolicMutation
from evolve.operators.update_rules import rule_openers, update_rule_operators
from evolve.operators.writing.setup import LEARNING_KINDS, language_model_operators
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB, load_vocabulary

BURST_CHILDREN = 32
FLOAT32_FAMILY = "float32"
OPERATOR_GROUP = "evolve.operators"
REFIT = "refit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How a run searches: which language models take part, who breeds, whether others may make candidates.

    The `device` is where screens run; it changes nothing else.
    """

    models: tuple[str, ...] = ()
    strategy: str = MAP_ELITES
    symbolic: bool = True
    device: str = "cpu"


PLAIN_APPROACH = Approach()


def build_search(problem: Problem, rng_seed: int, approach: Approach = PLAIN_APPROACH) -> Search:
    """The empty search of a problem: nothing told yet.

    Raises:
        ProblemError: an operator, a prompt or the archive of the problem is wrong.
        UsageError: no operator is left.
    """
    tables = problem.tables
    spec = problem.archive_mapping()
    try:
        islands = Islands([build_archive(spec) for _ in range(tables.islands.count)])
    except ArchiveSpecError as error:
        raise ProblemError(f"the archive of {problem.name}: {'; '.join(error.mistakes)}") from error
    plain = build_operators(problem)
    writers, learners = build_model_operators(problem, approach)
    operators = [*plain, *writers] if approach.symbolic or not approach.models else writers
    openers = build_openers(problem, operators, approach.device)
    if approach.strategy != MAP_ELITES:
        # With a single parent there is nothing to cross, and the exhaustive search has no parent at all.
        operators = [each for each in operators if each.n_parents in (1, EVERYONE)]
        openers = []
    return Search(
        islands,
        operators,
        rng_seed=rng_seed,
        migrate_every=tables.islands.migrate_every,
        n_migrants=tables.islands.migrants,
        manner=Manner(
            openers=tuple(openers),
            lessons=Lessons(writers, learners) if approach.models else None,
            strategy=approach.strategy,
            # Training is dear enough to ask of every child what it does.
            signature_of=_signatures(problem) if approach.models or is_about_rules(problem) else None,
        ),
    )


def is_about_rules(problem: Problem) -> bool:
    """Whether candidates are update rules."""
    return problem.tables.evaluator.family == OPTIMIZER_FAMILY


def _signatures(problem: Problem) -> Callable[[Mapping[str, str]], str | None] | None:
    behaviour = behaviour_for(problem)
    return None if behaviour is None else behaviour.signature_of


def build_model_operators(problem: Problem, approach: Approach) -> tuple[list[Operator], list[Operator]]:
    """The operators that ask language models: those that make children, and those that learn.

    The baselines have nothing to learn from and nothing to repair.
    """
    if not approach.models:
        return [], []
    table = problem.tables.llm
    bursts = [each for each in build_operators(problem) if isinstance(each, SymbolicBurst)]
    made = language_model_operators(
        problem,
        approach.models,
        kinds=table.operators,
        refit=next((each for each in bursts if each.kind == REFIT), None),
        prompt_tokens=table.prompt_tokens,
        max_output_tokens=table.max_output_tokens,
        idea_threshold=table.idea_threshold,
    )
    kinds = {each.name: str(getattr(each, "kind", "")) for each in made}
    writers = [each for each in made if kinds[each.name] not in LEARNING_KINDS]
    if approach.strategy != MAP_ELITES:
        return [each for each in writers if kinds[each.name] != "repair"], []
    return writers, [each for each in made if kinds[each.name] in LEARNING_KINDS]


def build_operators(problem: Problem) -> list[Operator]:
    """The operators of a problem's language, or those that `[search].operators` names.

    A name may also be an entry point of the group `evolve.operators` in an installed package: a callable that takes
    the problem and returns an operator. Such operators work only where they are named, so that installing a package
    never changes a search.

    Raises:
        ProblemError: `[search].operators` names one that is neither.
    """
    available = _python_operators(problem) if problem.language == "python" else _symbolic_operators(problem)
    by_name = {operator.name: operator for operator in available}
    wanted = problem.tables.search.operators or tuple(by_name)
    installed = metadata.entry_points(group=OPERATOR_GROUP)
    unknown = [name for name in wanted if name not in by_name and name not in installed.names]
    if unknown:
        known = ", ".join([*by_name, *sorted(installed.names)])
        raise ProblemError(
            f"[search].operators names {', '.join(unknown)}, but a {problem.language} problem has "
            f"{known}: choose among these or leave the key out"
        )
    return [by_name[name] if name in by_name else _installed(installed[name], problem) for name in wanted]


def build_openers(problem: Problem, operators: Sequence[Operator], device: str = "cpu") -> Sequence[Operator]:
    """Screens, and the shards of the exhaustive search, where there are bursts and the problem does not refuse.

    The exhaustive search is over + - * /; screens are for vocabularies that have more. Python programs with annotated
    choices open with a turn for each; searches over update rules look at all single edits of the seed rule.
    """
    if any(isinstance(operator, PythonLiteralEdit) for operator in operators):
        return knob_turns(problem.seed_files)
    burst = next((operator for operator in operators if isinstance(operator, SymbolicBurst)), None)
    if burst is None:
        return rule_openers(operators, problem.seed_files)
    opcodes = {function.opcode for function in load_vocabulary(burst.vocabulary).functions}
    screening = screens(burst, rows=screen_rows(problem.tables.symbolic.screen, opcodes), device=device)
    if not {OP_ADD, OP_SUB, OP_MUL, OP_DIV} <= opcodes:
        return screening
    return screening + enumeration(burst, largest=problem.tables.symbolic.enumerate)


def _installed(entry_point: metadata.EntryPoint, problem: Problem) -> Operator:
    try:
        make = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise ProblemError(
            f"the operator {entry_point.name} ({entry_point.value}) cannot be loaded: {error}"
        ) from error
    operator: Operator = make(problem)
    if operator.name != entry_point.name:
        raise ProblemError(
            f"the entry point {entry_point.name} ({entry_point.value}) made an operator called {operator.name}: "
            "both need the same name"
        )
    return operator


def _python_operators(problem: Problem) -> list[Operator]:
    general: list[Operator] = [PythonLiteralEdit(), PythonTreeEdit(), PythonCrossover()]
    toolbox = problem.tables.search.toolbox
    if not toolbox:
        return general
    # Its solvers take a second or two to import.
    from sandbox.toolbox.catalog import MODULES, steps_named

    if toolbox not in MODULES:
        raise ProblemError(f"[search].toolbox is {toolbox!r}, expected one of {', '.join(sorted(MODULES))}")
    steps = steps_named(toolbox)
    return [StrategyChange(steps), StrategyCrossover(steps), *general[:1]]


def _symbolic_operators(problem: Problem) -> list[Operator]:
    symbolic = problem.symbolic_mapping()
    inputs = tuple(symbolic["inputs"])
    entry = problem.tables.seed.files[0]
    spec = problem.judge_spec_mapping()
    vocabulary = load_vocabulary(symbolic["vocabulary"])
    compiled = all(function.opcode >= 0 for function in vocabulary.functions)
    if compiled and _has_fit_target(spec):
        return [_burst(problem, spec, kind) for kind in ("mutate", "crossover", REFIT)]
    plain: dict[str, Any] = {
        "vocabulary": vocabulary,
        "inputs": inputs,
        "entry": entry,
        "max_operations": symbolic["max_operations"],
    }
    if vocabulary.signature is not None:
        return list[Operator](update_rule_operators(problem))
    climbs: list[Operator] = []
    if problem.tables.evaluator.family == FLOAT32_FAMILY:
        common = {key: plain[key] for key in ("inputs", "entry", "max_operations")}
        climbs = [Float32Climb(kind=kind, judge=spec, **common) for kind in ("polish", "cores", "mirror")]
    return [SymbolicMutation(**plain), SymbolicCrossover(**plain), *climbs]


def _has_fit_target(spec: Mapping[str, Any]) -> bool:
    try:
        judged = JudgeSpec.from_mapping(spec)
        if judged.file is None:
            with open_judge(judged) as judge:
                return judge.fit_target() is not None
        return _defines_fit_target(Path(judged.folder) / judged.file)
    except (EvaluatorError, OSError, SyntaxError, ValueError) as error:
        raise SeedError(f"the evaluator cannot be used: {error}") from error


def _defines_fit_target(path: Path) -> bool:
    """Whether a problem's own evaluator has that function, as its text tells: it runs in workers only."""
    names = symtable.symtable(path.read_text(encoding="utf-8"), str(path), "exec")
    if "fit_target" not in names.get_identifiers():
        return False
    symbol = names.lookup("fit_target")
    return symbol.is_assigned() or symbol.is_imported()


def _burst(problem: Problem, spec: Mapping[str, Any], kind: str) -> SymbolicBurst:
    symbolic = problem.symbolic_mapping()
    return SymbolicBurst(
        name=kind,
        n_parents=EVERYONE,
        kind=kind,
        judge=spec,
        vocabulary=symbolic["vocabulary"],
        inputs=tuple(symbolic["inputs"]),
        entry=problem.tables.seed.files[0],
        settings={
            "work": problem.tables.search.burst_work,
            "max_operations": symbolic["max_operations"],
            "max_constants": symbolic["max_constants"],
            "n_children": BURST_CHILDREN,
            "strategy": problem.tables.symbolic.strategy,
        },
    )

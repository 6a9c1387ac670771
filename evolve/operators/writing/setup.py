"""From a problem and the names of models to language-model operators."""

from collections.abc import Sequence
from pathlib import Path

from evolve.config.problem import Problem
from evolve.errors import UsageError
from evolve.operators.contract import Operator
from evolve.operators.symbolic import SymbolicBurst
from evolve.operators.writing.idea import IdeaOperator
from evolve.operators.writing.language import Language
from evolve.operators.writing.learning import AdviceOperator, InsightOperator
from evolve.operators.writing.operators import Craft, LanguageModelOperator
from evolve.operators.writing.prompt import Writer
from evolve.operators.writing.prompt_task import task_text
from evolve.operators.writing.prompt_templates import load_templates
from evolve.operators.writing.python import PythonLanguage
from evolve.operators.writing.refit import Refit
from evolve.operators.writing.symbolic import SymbolicLanguage
from sandbox.symbolic.vocabulary import load_vocabulary

CODE_KINDS = ("diff", "rewrite", "crossover", "repair", "idea")
LEARNING_KINDS = ("insight", "advice")
PYTHON_ONLY = frozenset({"diff"})
"""A symbolic program of a few lines is always written in full."""

PROMPT_TOKENS = 24_000
MAX_OUTPUT_TOKENS = 8192
IDEA_THRESHOLD = 6


def language_model_operators(  # noqa: PLR0913  all but the first two have defaults
    problem: Problem,
    models: Sequence[str],
    *,
    kinds: Sequence[str] = (),
    refit: SymbolicBurst | None = None,
    prompt_tokens: int = PROMPT_TOKENS,
    max_output_tokens: int = MAX_OUTPUT_TOKENS,
    idea_threshold: int = IDEA_THRESHOLD,
) -> list[Operator]:
    """The operators `kind@model` of a problem, model by model; none if there are no models.

    `kinds` are all if empty; those that do not suit the problem's language are left out. `refit` fits the constants of
    the programs that models write. A first question has at most `prompt_tokens` tokens (characters / 4).

    Raises:
        UsageError: there is no such kind.
        ProblemError: a prompt template in the problem's folder is wrong.
    """
    wanted = tuple(kinds) or (*CODE_KINDS, *LEARNING_KINDS)
    unknown = [kind for kind in wanted if kind not in CODE_KINDS + LEARNING_KINDS]
    if unknown:
        raise UsageError(
            f"there is no language-model operator {', '.join(unknown)}",
            hint=f"choose among {', '.join(CODE_KINDS + LEARNING_KINDS)}",
        )
    if problem.language != "python":
        wanted = tuple(kind for kind in wanted if kind not in PYTHON_ONLY)
    language = language_of(problem, refits=refit is not None)
    # What another engine's folder has in `prompts/` is not for us.
    templates = load_templates(None if problem.notices else Path(problem.folder))
    writer = Writer(
        templates=templates,
        task=task_text(problem, language, templates),
        prompt_tokens=prompt_tokens,
        max_output_tokens=max_output_tokens,
    )
    fitting = None if refit is None else Refit(burst=refit)
    craft = Craft(writer=writer, language=language, refit=fitting)
    return [_operator(kind, model, craft, idea_threshold) for model in dict.fromkeys(models) for kind in wanted]


def language_of(problem: Problem, *, refits: bool) -> Language:
    """How models read and write the candidates of a problem."""
    if problem.language == "python":
        return PythonLanguage(modules=problem.tables.sandbox.preload, names=tuple(problem.seed_files))
    symbolic = problem.symbolic_mapping()
    return SymbolicLanguage(
        vocabulary=load_vocabulary(symbolic["vocabulary"]),
        inputs=tuple(symbolic["inputs"]),
        function=symbolic["function"],
        entry=problem.tables.seed.files[0],
        max_operations=symbolic["max_operations"],
        max_constants=symbolic["max_constants"],
        refits=refits,
    )


def _operator(kind: str, model: str, craft: Craft, idea_threshold: int) -> Operator:
    if kind == "idea":
        return IdeaOperator(model=model, craft=craft, threshold=idea_threshold)
    if kind == "insight":
        return InsightOperator(model=model, craft=craft)
    if kind == "advice":
        return AdviceOperator(model=model, craft=craft)
    return LanguageModelOperator(kind=kind, model=model, craft=craft)

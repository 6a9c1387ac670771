"""OpenEvolve's folders: a program, `evaluator.py` with `evaluate(program_path)`, and a YAML file of settings."""

from pathlib import Path
from typing import Any

from evaluators.peers.descriptor import COMPLEXITY, DIVERSITY
from evaluators.peers.spec import OPENEVOLVE
from evolve.config.mistakes import one_of
from evolve.config.peer_plan import MAX_BINS, MEMORY_MB, PeerPlan
from evolve.config.peer_python import Source, read_source, try_source
from evolve.config.peer_seeds import python_seed, seed_file
from evolve.config.peer_settings import PeerSettings, read_yaml
from evolve.errors import ProblemError

EVALUATOR = "evaluator.py"
PROGRAMS = ("initial_program", "init_program")
CONFIGS = ("config.yaml", "config.yml")
TIMEOUT = 300.0
THRESHOLDS = (0.5, 0.75, 0.9)
STAND_INS = frozenset({"openevolve", "openevolve.evaluation_result"})
BOOKKEEPING = frozenset(
    {
        "checkpoint_interval", "log_level", "log_dir", "evolution_trace", "max_tasks_per_child",
        "database.db_path", "database.in_memory", "database.log_prompts", "database.artifacts_base_path",
        "database.artifact_size_threshold", "database.cleanup_old_artifacts", "database.artifact_retention_days",
        "database.max_snapshot_artifacts", "evaluator.enable_artifacts", "evaluator.max_artifact_storage",
        "prompt.include_artifacts", "prompt.max_artifact_bytes", "evaluator.distributed",
    }
)  # fmt: skip
"""Keys about how OpenEvolve keeps its own books: nothing is lost without them."""


def recognise(folder: Path) -> str:
    """Why this is such a folder; empty if it is not."""
    source = try_source(folder / EVALUATOR)
    if source is None or "evaluate" not in source.functions or seed_file(folder, PROGRAMS) is None:
        return ""
    return f"{EVALUATOR} has evaluate(program_path)"


def read(folder: Path, chosen: str = "") -> PeerPlan:
    """The plan of such a folder; `chosen` names its file of settings, if there are several.

    Raises:
        ProblemError: it is no such folder, or has mistakes.
    """
    seed = seed_file(folder, PROGRAMS)
    if seed is None or not (folder / EVALUATOR).is_file():
        raise ProblemError(
            f"{folder} is no folder of OpenEvolve", hint=f"it has an {EVALUATOR} and an initial_program.py"
        )
    config, notes = _config_file(folder, chosen)
    settings = PeerSettings({} if config is None else read_yaml(config), str(config or folder))
    _require_python(settings, seed)
    source = _evaluator(folder / EVALUATOR)
    text, more = python_seed(folder / seed)
    plan = _plan(folder, settings, source, {seed: text})
    settings.require_right()
    warnings = [*notes, *more, *settings.not_honoured(known=BOOKKEEPING, models=("llm",))]
    return PeerPlan(**{**plan, "warnings": tuple(warnings)})


def _plan(folder: Path, settings: PeerSettings, source: Source, seeds: dict[str, str]) -> dict[str, Any]:
    first_seed = settings.whole("random_seed", 42)
    return {
        "folder": folder,
        "contract": OPENEVOLVE,
        "evaluator": EVALUATOR,
        "seeds": seeds,
        "statement": _statement(settings, source),
        "timeout": settings.number("evaluator.timeout", TIMEOUT, above=0.0),
        "evaluations": settings.whole("max_iterations", 10_000, least=1),
        "dimensions": _dimensions(settings),
        "memory_mb": settings.whole("evaluator.memory_limit_mb", MEMORY_MB, least=1),
        "islands": _islands(settings),
        "cascade": settings.truth("evaluator.cascade_evaluation", default=True),
        "thresholds": settings.numbers("evaluator.cascade_thresholds", THRESHOLDS),
        "rng_seed": settings.whole("database.random_seed", first_seed),
    }


def _config_file(folder: Path, chosen: str) -> tuple[Path | None, list[str]]:
    named = chosen if chosen.endswith((".yaml", ".yml")) else ""  # a program of the folder only names the folder
    names = [named] if named else [name for name in CONFIGS if (folder / name).is_file()]
    if names:
        return folder / names[0], []
    others = sorted(path.name for path in folder.glob("config*.y*ml"))
    if not others:
        return None, ["there is no config.yaml: the values that OpenEvolve starts from are taken"]
    return folder / others[0], [
        f"settings come from {others[0]}, the first of {', '.join(others)}: give the path of another one to take that"
    ]


def _require_python(settings: PeerSettings, seed: str) -> None:
    language = settings.text("language", "python")
    suffix = settings.text("file_suffix", ".py")
    if language.lower() != "python" or suffix != ".py" or not seed.endswith(".py"):
        raise ProblemError(
            f"the program of {settings.where} is not Python: {seed}, language {language!r}, suffix {suffix!r}",
            hint="Evolve runs Python candidates only: programs of other languages need compilers in the sandbox",
        )


def _evaluator(path: Path) -> Source:
    try:
        source = read_source(path)
    except (OSError, ValueError) as error:
        raise ProblemError(f"cannot read {path}: {error}", hint="it must be Python, written in UTF-8") from error
    if "evaluate" not in source.functions:
        found = one_of(source.functions[:8]) if source.functions else "no function"
        raise ProblemError(f"{path} has no function evaluate(program_path), it has {found}")
    return source


def _statement(settings: PeerSettings, source: Source) -> str:
    message = settings.text("prompt.system_message")
    is_name = message in ("", "system_message") or message.endswith(".txt")
    return source.summary if is_name else message


def _dimensions(settings: PeerSettings) -> dict[str, int]:
    names = settings.texts("database.feature_dimensions", (COMPLEXITY, DIVERSITY))
    bins = settings.anything("database.feature_bins")
    found = {}
    for name in names or (COMPLEXITY,):
        value = bins.get(name, 10) if isinstance(bins, dict) else 10 if bins is None else bins
        if type(value) is not int or not 1 <= value <= MAX_BINS:
            settings.complain(
                "database.feature_bins", bins, f"a whole number from 1 to {MAX_BINS}, or one for each axis"
            )
            value = 10
        found[name] = value
    return found


def _islands(settings: PeerSettings) -> dict[str, int]:
    count = settings.whole("database.num_islands", 5, least=1)
    interval = settings.whole("database.migration_interval", 50, least=1)
    rate = settings.number("database.migration_rate", 0.1)
    elites = settings.whole("database.archive_size", 100, least=1)
    migrants = max(1, round(rate * elites / count))
    return {"count": count, "migrate_every": interval * count, "migrants": migrants}

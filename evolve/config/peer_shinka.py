"""ShinkaEvolve's folders: `initial.py`, a script `evaluate.py`, and settings in `run_evo.py` or a YAML file."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluators.peers.spec import SHINKA
from evolve.config.peer_plan import DEFAULT_DIMENSIONS, PeerPlan
from evolve.config.peer_python import Source, calls_of, text_value, texts_at_top, try_source
from evolve.config.peer_seeds import python_seed, seed_file
from evolve.config.peer_settings import PeerSettings, read_yaml
from evolve.errors import ProblemError

EVALUATOR, PROGRAMS, SCRIPT = "evaluate.py", ("initial",), "run_evo.py"
TIMEOUT = 300.0
STAND_INS = frozenset({"shinka", "shinka.core", "shinka.core.wrap_eval"})
CALLS = {"EvolutionConfig": "evo_config", "DatabaseConfig": "db_config", "LocalJobConfig": "job_config"}
BOOKKEEPING = frozenset(
    {
        "evo_config.results_dir", "evo_config.job_type", "db_config.db_path", "job_config.eval_program_path",
        "evo_config.init_program_path", "evo_config.enable_wandb_logging", "max_db_workers", "verbose",
    }
)  # fmt: skip
MODELS = ("evo_config.llm", "evo_config.meta_", "evo_config.novelty_llm", "evo_config.embedding", "evo_config.prompt_")


def recognise(folder: Path) -> str:
    """Why this is such a folder; empty if it is not."""
    source = try_source(folder / EVALUATOR)
    if source is None or seed_file(folder, PROGRAMS) is None:
        return ""
    has_options = all(word in source.text for word in ("--program_path", "--results_dir"))
    return f"{EVALUATOR} takes --program_path and --results_dir" if has_options else ""


def read(folder: Path, chosen: str = "") -> PeerPlan:
    """The plan of such a folder; `chosen` names its YAML file, if there are several.

    Raises:
        ProblemError: it is no such folder, or has mistakes.
    """
    seed = seed_file(folder, PROGRAMS)
    source = try_source(folder / EVALUATOR)
    if seed is None or source is None:
        raise ProblemError(f"{folder} is no folder of ShinkaEvolve", hint=f"it has an {EVALUATOR} and an initial.py")
    settings, notes = _settings(folder, chosen)
    language = settings.text("evo_config.language", "python")
    if not seed.endswith(".py") or language != "python":
        raise ProblemError(
            f"the program of {folder} is not Python: {seed}, language {language!r}",
            hint="Evolve runs Python candidates only: programs of other languages need compilers in the sandbox",
        )
    text, more = python_seed(folder / seed)
    count = settings.whole("db_config.num_islands", 2, least=1)
    plan: dict[str, Any] = {
        "folder": folder,
        "contract": SHINKA,
        "evaluator": EVALUATOR,
        "seeds": {seed: text},
        "statement": settings.text("evo_config.task_sys_msg") or source.summary,
        "timeout": _seconds(settings),
        "evaluations": settings.whole("evo_config.num_generations", 50, least=1),
        "dimensions": DEFAULT_DIMENSIONS,
        "islands": _islands(settings, count),
    }
    settings.require_right()
    return PeerPlan(**plan, warnings=(*notes, *more, *settings.not_honoured(known=BOOKKEEPING, models=MODELS)))


def _settings(folder: Path, chosen: str) -> tuple[PeerSettings, list[str]]:
    """What the script sets, over what the YAML file does."""
    notes: list[str] = []
    names = sorted(path.name for path in folder.glob("*.y*ml") if path.name.startswith(("shinka", "config")))
    name = chosen if chosen.endswith((".yaml", ".yml")) else (names[0] if names else "")
    if len(names) > 1 and name != chosen:
        notes.append(
            f"settings come from {name}, the first of {', '.join(names)}: give the path of another to take that"
        )
    data: dict[str, Any] = dict(read_yaml(folder / name)) if name else {}
    script = try_source(folder / (chosen if chosen.endswith(".py") else SCRIPT))
    for section, values in _set_by(script).items() if script is not None else ():
        inner = data.get(section)
        data[section] = {**(inner if isinstance(inner, Mapping) else {}), **values}
    return PeerSettings(data, str(folder / (name or SCRIPT))), notes


def _set_by(script: Source) -> dict[str, dict[str, Any]]:
    """Literal settings of a script; what it computes is not known without running it."""
    known = texts_at_top(script.tree)
    found: dict[str, dict[str, Any]] = {}
    for call, section in CALLS.items():
        for node in calls_of(script.tree, call):
            for keyword in node.keywords:
                value = _literal(keyword.value, known)
                if keyword.arg is not None and value is not None:
                    found.setdefault(section, {})[keyword.arg] = value
    message = next((text for name, text in known.items() if name.endswith("sys_msg")), None)
    if message is not None:
        found.setdefault("evo_config", {}).setdefault("task_sys_msg", message)
    return found


def _literal(node: ast.expr, known: Mapping[str, str]) -> Any:
    text = text_value(node, known)
    if text is not None:
        return text
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _seconds(settings: PeerSettings) -> float:
    """The time of a job, written as on a cluster: hours, minutes, seconds."""
    text = settings.text("job_config.time")
    if not text:
        return TIMEOUT
    parts = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+)", text)
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(parts.groups(), (3600, 60, 1), strict=True)) if parts else 0
    )
    if not seconds:
        settings.complain("job_config.time", text, "a time such as 00:05:00")
    return float(seconds or TIMEOUT)


def _islands(settings: PeerSettings, count: int) -> dict[str, int]:
    interval = settings.whole("db_config.migration_interval", 10, least=1)
    rate = settings.number("db_config.migration_rate", 0.0)
    elites = settings.whole("db_config.archive_size", 40, least=1)
    return {"count": count, "migrate_every": interval * count, "migrants": max(1, round(rate * elites / count))}

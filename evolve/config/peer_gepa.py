"""GEPA's folders: a script that calls `optimize_anything` with a seed text and an evaluator."""

import ast
from collections.abc import Iterator
from pathlib import Path

from evaluators.peers.gepa import ONE_TEXT
from evaluators.peers.spec import GEPA
from evolve.config.peer_plan import DEFAULT_DIMENSIONS, PeerPlan
from evolve.config.peer_python import (
    Source,
    argument,
    calls_of,
    imports_of,
    is_inside,
    local_file,
    text_value,
    texts_at_top,
    try_source,
)
from evolve.config.peer_seeds import with_blocks
from evolve.errors import ProblemError
from sandbox.errors import CandidateSyntaxError

CALL = "optimize_anything"
TIMEOUT = 600.0
STAND_INS = frozenset({"gepa", "gepa.optimize_anything", "gepa.utils", "gepa.utils.code_execution"})
SEED = "candidate.py"
BUDGETS = ("max_evals", "max_metric_calls")


def recognise(folder: Path) -> str:
    """Why this is such a folder; empty if it is not."""
    names = [source.path.name for source in _scripts(folder)]
    return f"{' and '.join(names)} {'call' if len(names) > 1 else 'calls'} {CALL}" if names else ""


def read(folder: Path, chosen: str = "") -> PeerPlan:
    """The plan of such a folder; `chosen` names its script, if there are several.

    Raises:
        ProblemError: it is no such folder, or what evolution starts from is not written out in it.
    """
    scripts = [source for source in _scripts(folder) if chosen in ("", source.path.name)]
    if len(scripts) != 1:
        found = ", ".join(source.path.name for source in scripts) or "none"
        raise ProblemError(
            f"{folder} has {len(scripts)} scripts that call {CALL}, expected one: {found}",
            hint="give the path of the script that is meant",
        )
    source = scripts[0]
    mount = _mount(source)
    known = _texts(source, mount)
    call = next(calls_of(source.tree, CALL))
    seeds, notes = _seeds(call, known, source)
    objective, background = (text_value(argument(call, name), known) or "" for name in ("objective", "background"))
    depth = "/".join([".."] * mount.count("/") + [".."]) if mount else "."
    return PeerPlan(
        folder=folder,
        contract=GEPA,
        evaluator=source.path.name,
        seeds=seeds,
        statement="\n\n".join(text for text in (objective, background) if text) or source.summary,
        timeout=TIMEOUT,
        evaluations=_budget(call),
        dimensions=DEFAULT_DIMENSIONS,
        search=(".", depth) if mount else (".",),
        mount=mount,
        function=ONE_TEXT if _is_one_text(call) else "",
        warnings=(*notes, *_not_honoured(call)),
    )


def _scripts(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*.py")):
        source = try_source(path)
        if source is None or next(calls_of(source.tree, CALL), None) is None:
            continue
        if any(each.name.startswith("gepa") for each in imports_of(source.tree)):
            yield source


def _mount(source: Source) -> str:
    """The longer name by which the script imports what lies beside it, as in `from examples.packing.utils import f`."""
    parts = source.path.parent.parts
    for length in (3, 2, 1):
        tail = parts[-length:]
        if any(tuple(each.name.split(".")[:length]) == tail for each in imports_of(source.tree)):
            return "/".join(tail)
    return ""


def _texts(source: Source, mount: str) -> dict[str, str]:
    """Texts that are written out in the script, or in a file beside it that the script imports them from."""
    known: dict[str, str] = {}
    home = source.path.parent
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module = node.module.removeprefix(mount.replace("/", ".") + ".") if mount else node.module
            path = local_file(module, [home])
            other = try_source(path) if path is not None and path.suffix == ".py" and is_inside(path, home) else None
            texts = texts_at_top(other.tree) if other is not None else {}
            known |= {each.asname or each.name: texts[each.name] for each in node.names if each.name in texts}
    return known | texts_at_top(source.tree)


def _is_one_text(call: ast.Call) -> bool:
    return not isinstance(argument(call, "seed_candidate", 0), ast.Dict)


def _seeds(call: ast.Call, known: dict[str, str], source: Source) -> tuple[dict[str, str], list[str]]:
    seed = argument(call, "seed_candidate", 0)
    if isinstance(seed, ast.Dict):
        pairs = [(text_value(key, known), value) for key, value in zip(seed.keys, seed.values, strict=True)]
        named = {f"{name}.py": text_value(value, known) for name, value in pairs if name is not None}
    else:
        named = {SEED: text_value(seed, known)}
    seeds, notes = {}, []
    for name, text in named.items():
        if text is None or not name.removesuffix(".py").isidentifier():
            raise ProblemError(
                f"{source.path}: the seed_candidate of {CALL} is not written out as text",
                hint="Evolve reads it without running the script: give a literal, or a name that holds one",
            )
        try:
            seeds[name], more = with_blocks(text, name)
        except CandidateSyntaxError as error:
            raise ProblemError(
                f"{source.path}: the seed_candidate is no Python: {error.detail}",
                hint="Evolve evolves Python programs; prompts and other texts are not for it",
            ) from error
        notes += more
    return seeds, notes


def _budget(call: ast.Call) -> int | None:
    for node in ast.walk(call):
        if isinstance(node, ast.keyword) and node.arg in BUDGETS and isinstance(node.value, ast.Constant):
            value = node.value.value
            if type(value) is int and value > 0:
                return value
    return None


def _not_honoured(call: ast.Call) -> list[str]:
    followed = {"seed_candidate", "evaluator", "objective", "background", "dataset", "valset", "batch_evaluator"}
    others = [str(keyword.arg) for keyword in call.keywords if keyword.arg not in followed]
    notes = ["opt_state is always empty: every candidate is judged alike, none starts from another's result"]
    if others:
        notes.append(f"not honoured, but for the number of evaluations in it: {', '.join(others)}")
    return notes

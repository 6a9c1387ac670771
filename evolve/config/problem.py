"""A problem: where evolution starts, how a program is judged, and by what it is told apart from others."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.peers.folder import is_copied
from evaluators.spec import CONSTRUCTION_FAMILY, PEER_FAMILY
from evolve.config.checks import check_folder
from evolve.config.family import judged_family
from evolve.config.finds import FOLDER as FINDS
from evolve.config.folder import file_hashes
from evolve.config.locate import PROBLEM_FILE, find_problem
from evolve.config.mistakes import Mistake, listing
from evolve.config.parameters import with_parameters
from evolve.config.peer import PeerFolder, find_peer, peer_tables
from evolve.config.tables import ProblemFile
from evolve.config.validation import read_tables
from evolve.errors import ProblemError

SCHEMA = "evolve.problem/1"
NOISE_FILE = "noise.json"
"""What `evolve noise` measured, see `evolve.scaffold.noise`."""
PROMPTS = "prompts/"
"""Where a problem's own prompts lie, see `evolve.operators.writing.prompt_templates`: they say nothing about scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A checked problem, complete in itself but for the judge's own files, which stay in `folder`.

    `seed_files` maps names to text, entry first. `judge_hashes` maps every file of the folder that judging may read
    to its SHA-256, so that a resumed run notices when the judge has changed.
    """

    folder: Path
    tables: ProblemFile
    seed_files: Mapping[str, str]
    judge_hashes: Mapping[str, str]
    baselines: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The problem's short name."""
        return self.tables.problem.name

    @property
    def title(self) -> str:
        """One line for people."""
        return self.tables.problem.title

    @property
    def language(self) -> str:
        """`symbolic` or `python`."""
        return self.tables.problem.language

    @property
    def content_hash(self) -> str:
        """Hex SHA-256 over everything that decides what a run of this problem does; the folder's place does not."""
        content = self.to_json()
        content.pop("folder")
        content["tables"].pop("export", None)  # what is done with a program afterwards decides nothing
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def archive_mapping(self) -> dict[str, Any]:
        """The `[archive]` table as plain data, for `archive.build`."""
        spec = self.tables.archive.model_dump(mode="json", exclude_none=True)
        return spec if spec["metrics"] else {key: value for key, value in spec.items() if key != "metrics"}

    def settings_mapping(self) -> dict[str, Any]:
        """The settings of a run that this problem sets itself, for `resolve_settings`."""
        tables = self.tables
        budget = tables.budget.model_dump(mode="json", exclude_unset=True)
        search = tables.search.model_dump(mode="json", exclude_unset=True, include={"window", "strategy"})
        wanted = {"models", "symbolic", "budget_usd", "budget_tokens"}
        models = tables.llm.model_dump(mode="json", exclude_unset=True, include=wanted)
        if "models" in models:
            models["model"] = models.pop("models")
        share = tables.sandbox.gpu_share
        seed = tables.evaluator.options.get("rng_seed") if tables.evaluator.family == PEER_FAMILY else None
        cards = {} if share is None else {"gpus": share}
        return budget | search | models | cards | ({} if seed is None else {"rng_seed": seed})

    @property
    def gpus(self) -> list[int | str]:
        """The graphics cards that candidates use: numbers, or one word, `auto` or `needed`."""
        choice = self.tables.sandbox.gpus
        words: list[int | str] = [choice] if isinstance(choice, str) else list(choice)
        return [] if words == ["none"] else words

    @property
    def measures_time(self) -> bool:
        """Whether a stage of the evaluation has to run alone on its card, or on the machine."""
        evaluator = self.tables.evaluator
        return evaluator.exclusive or any(stage.exclusive for stage in evaluator.stages)

    @property
    def generalizes(self) -> bool:
        """Whether a program is judged on several sizes."""
        return self.tables.family is not None and self.tables.family.generalize

    @property
    def combine(self) -> str:
        """Which of several scores of one program counts: of constructions the record, unless it judges the program."""
        evaluator = self.tables.evaluator
        if evaluator.combine is not None or evaluator.family != CONSTRUCTION_FAMILY:
            return evaluator.combine or "median"
        return "mean" if self.generalizes else "best"

    @property
    def notices(self) -> tuple[str, ...]:
        """What people must be told before this runs: only folders of other engines have something to say."""
        tables = self.tables
        told = tables.evaluator.options.get("notices", ()) if tables.evaluator.family == PEER_FAMILY else ()
        return tuple(map(str, told))

    def judge_spec_mapping(self) -> dict[str, Any]:
        """All that judging needs, as plain JSON data, for `evaluators.judge.JudgeSpec.from_mapping`."""
        tables = self.tables
        evaluator = tables.evaluator.model_dump(mode="json")
        process = {key: evaluator.pop(key) for key in ("wall_seconds", "verify_seconds", "memory_mb")}
        if tables.parameters:
            evaluator["options"] = {**evaluator["options"], "parameters": dict(tables.parameters)}
        if tables.search.inherit:
            evaluator["options"] = {**evaluator["options"], "inherit": True}
        if tables.family is not None and self.generalizes:
            evaluator["options"] = {**evaluator["options"], "family": judged_family(tables.family, tables.parameters)}
        evaluator["combine"] = self.combine
        return {
            "name": self.name,
            "language": self.language,
            "folder": str(self.folder),
            **evaluator,
            "axes": [axis.name for axis in tables.archive.axes],
            "symbolic": self.symbolic_mapping() if self.language == "symbolic" else None,
            "limits": tables.limits.model_dump(mode="json"),
            "process": process,
            "preload": list(tables.sandbox.preload),
            "gpus": self.gpus,
            "entry": tables.seed.files[0],
        }

    def symbolic_mapping(self) -> dict[str, Any]:
        """The language of `[symbolic]` as plain data; a vocabulary in the folder is named by its full path."""
        symbolic = self.tables.symbolic.model_dump(mode="json", exclude={"enumerate", "screen", "strategy"})
        if symbolic["vocabulary"].endswith(".py"):
            symbolic["vocabulary"] = str(self.folder / symbolic["vocabulary"])
        return symbolic

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data from which `from_json` makes an equal problem."""
        return {
            "schema": SCHEMA,
            "folder": str(self.folder),
            "tables": self.tables.model_dump(mode="json"),
            "seed_files": dict(self.seed_files),
            "judge_hashes": dict(self.judge_hashes),
            "baselines": dict(self.baselines),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Problem":
        """The problem that `to_json` wrote; reads no file.

        Raises:
            ProblemError: the data was written by another version, or is damaged.
        """
        if data.get("schema") != SCHEMA:
            raise ProblemError(f"the stored problem has schema {data.get('schema')!r}, this program reads {SCHEMA!r}")
        tables, mistakes = read_tables(_as_it_was_judged(data["tables"]))
        if tables is None:
            raise ProblemError(f"the stored problem is damaged:\n{listing(mistakes)}")
        return cls(
            folder=Path(data["folder"]),
            tables=tables,
            seed_files=dict(data["seed_files"]),
            judge_hashes=dict(data["judge_hashes"]),
            baselines=dict(data["baselines"]),
        )

    def changed_judge_files(self) -> tuple[str, ...]:
        """Files of the folder that judging may read and that are not what they were: changed, gone or new."""
        now = _judging_files(self.folder, self.tables)
        names = sorted({*now, *self.judge_hashes})
        return tuple(name for name in names if now.get(name) != self.judge_hashes.get(name))

    def require_unchanged_judge(self) -> None:
        """Refuse to go on with a judge that scores otherwise than the one the stored scores came from.

        Raises:
            ProblemError: the folder is gone, or a file that judging may read has changed since the run began.
        """
        if not self.folder.is_dir():
            raise ProblemError(
                f"the folder of {self.name} is gone: {self.folder}",
                hint="put it back to resume: its files are the judge of this run",
            )
        changed = [name + self._change_of(name) for name in self.changed_judge_files()]
        if changed:
            raise ProblemError(
                f"the judge of {self.name} has changed since this run began: {', '.join(changed)} in {self.folder}",
                hint="restore the files to resume, or start a new run: scores of two judges cannot be compared",
            )

    def _change_of(self, name: str) -> str:
        if name not in self.judge_hashes:
            return " (new)"
        return "" if (self.folder / name).is_file() else " (gone)"


def load_problem(
    name_or_path: str | Path,
    *,
    search_path: Sequence[Path] = (),
    parameters: Mapping[str, str | int] | None = None,
    generalize: bool = False,
) -> Problem:
    """Find, read and check a problem; `parameters` replace those of its table `[parameters]`.

    With `generalize` a program is judged on all sizes of `[family]`.

    Raises:
        ProblemError: there is no such problem, or its folder has mistakes: the message lists all of them.
    """
    peer = find_peer(name_or_path)
    if peer is not None:
        if parameters or generalize:
            raise ProblemError("a folder of another engine has no parameters")
        return _load_peer(peer)
    folder = find_problem(name_or_path, search_path=search_path)
    path = folder / PROBLEM_FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ProblemError(f"cannot read {path}: {error}", hint="it must be TOML, written in UTF-8") from error
    raw = with_parameters(raw, parameters or {}, folder, generalize=generalize)
    tables, mistakes = read_tables(raw)
    seed_files, baselines, more = check_folder(folder, raw)
    mistakes += more
    if tables is None or mistakes:
        raise ProblemError(_message(path, mistakes))
    return Problem(
        folder=folder,
        tables=tables,
        seed_files=seed_files,
        judge_hashes=_judging_files(folder, tables),
        baselines=baselines,
    )


def _load_peer(peer: PeerFolder) -> Problem:
    """The problem that another engine's folder becomes; nothing is written there."""
    raw, seed_files = peer_tables(peer)
    tables, mistakes = read_tables(raw)
    if tables is None:
        raise ProblemError(_message(peer.folder, mistakes))
    hashes = _judging_files(peer.folder, tables)
    return Problem(folder=peer.folder, tables=tables, seed_files=seed_files, judge_hashes=hashes, baselines={})


def _as_it_was_judged(tables: dict[str, Any]) -> dict[str, Any]:
    """Stored tables; those from before `combine` judged constructions by the median, and a resumed run goes on so."""
    evaluator = tables.get("evaluator", {})
    if evaluator.get("repeats", 1) == 1 or "combine" in evaluator:
        return tables
    return {**tables, "evaluator": {**evaluator, "combine": "median"}}


def _judging_files(folder: Path, tables: ProblemFile) -> dict[str, str]:
    """Hashes of the files that judging may read: all but those that we know to be for something else."""
    other = {PROBLEM_FILE, "README.md", NOISE_FILE, *tables.seed.files}
    if tables.baselines is not None:
        other.add(tables.baselines.file)
    if tables.known is not None and tables.known.file is not None:
        other.add(tables.known.file)
    hashes = file_hashes(folder, except_for=frozenset(other))
    if tables.evaluator.family == PEER_FAMILY:
        return {name: each for name, each in hashes.items() if is_copied(folder, name)}
    others = (PROMPTS, f"{FINDS}/") if tables.evaluator.family == CONSTRUCTION_FAMILY else (PROMPTS,)
    return {name: each for name, each in hashes.items() if not name.startswith(others)}


def _message(path: Path, mistakes: Sequence[Mistake]) -> str:
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return f"{path} has {count}:\n{listing(mistakes)}"

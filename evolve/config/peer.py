"""Folders of other engines: which engine's, and the problem of ours that they become. Nothing is written there."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluators.peers.folder import FolderFiles, files_of
from evaluators.peers.spec import ALPHAEVOLVE, GEPA, OPENEVOLVE, SHINKA, TITLES
from evolve.config import peer_alphaevolve, peer_gepa, peer_openevolve, peer_shinka
from evolve.config.locate import PROBLEM_FILE
from evolve.config.peer_plan import PeerPlan, tables_of
from evolve.config.peer_python import Source, is_installed, needed, preloads, try_source
from evolve.errors import EvolveEnvironmentError, ProblemError


@dataclass(frozen=True, slots=True)
class Reader:
    """How one engine's folders are recognised and read, and which modules of that engine we stand in for."""

    recognise: Callable[[Path], str]
    read: Callable[[Path, str], PeerPlan]
    stand_ins: frozenset[str]


READERS: Mapping[str, Reader] = {
    OPENEVOLVE: Reader(peer_openevolve.recognise, peer_openevolve.read, peer_openevolve.STAND_INS),
    SHINKA: Reader(peer_shinka.recognise, peer_shinka.read, peer_shinka.STAND_INS),
    GEPA: Reader(peer_gepa.recognise, peer_gepa.read, peer_gepa.STAND_INS),
    ALPHAEVOLVE: Reader(peer_alphaevolve.recognise, peer_alphaevolve.read, peer_alphaevolve.STAND_INS),
}


@dataclass(frozen=True, slots=True)
class PeerFolder:
    """A folder that another engine would run; `chosen` is the file in it that was named, if one was."""

    folder: Path
    contract: str
    chosen: str = ""


def find_peer(name_or_path: str | Path) -> PeerFolder | None:
    """The folder of another engine that this names, or None if it names none.

    `openevolve:path` says which engine is meant, where a folder looks like several. A path may end in a file of the
    folder: its settings, or its main program.

    Raises:
        ProblemError: it looks like several engines' folders, or not like the one that was said.
    """
    contract, path = _split(str(name_or_path))
    chosen = ""
    if path.is_file() and path.name != PROBLEM_FILE and path.suffix in (".py", ".yaml", ".yml"):
        path, chosen = path.parent, path.name
    if not path.is_dir():
        if contract:
            raise ProblemError(f"there is no folder {path}", hint=f"give the folder of a problem of {TITLES[contract]}")
        return None
    folder = path.resolve()
    if contract:
        return PeerFolder(folder, contract, chosen)
    if (folder / PROBLEM_FILE).is_file():
        return None
    found = {name: why for name, reader in READERS.items() if (why := reader.recognise(folder))}
    if len(found) > 1:
        raise ProblemError(
            _ambiguous(path, found), hint=f"say which: {' or '.join(f'{name}:{path}' for name in found)}"
        )
    return PeerFolder(folder, next(iter(found)), chosen) if found else None


def _split(name: str) -> tuple[str, Path]:
    contract, colon, rest = name.partition(":")
    if colon and contract in READERS:
        return contract, Path(os.path.expanduser(rest))
    return "", Path(os.path.expanduser(name))


def _ambiguous(path: Path, found: Mapping[str, str]) -> str:
    reasons = "; ".join(f"{TITLES[name]} ({why})" for name, why in found.items())
    return f"{path} looks like a folder of several engines: {reasons}"


def peer_tables(peer: PeerFolder) -> tuple[dict[str, Any], dict[str, str]]:
    """The tables and the seed files of the problem that a peer's folder becomes.

    Raises:
        ProblemError: the folder has mistakes.
        EvolveEnvironmentError: something it needs is not installed.
    """
    reader = READERS[peer.contract]
    try:
        plan = reader.read(peer.folder, peer.chosen)
        files = _files(plan)
        sources = _sources(plan)
        _require_installed(plan, sources, reader.stand_ins)
        plan = replace(plan, preload=preloads(sources))
    except RecursionError:
        raise ProblemError(f"the Python files of {peer.folder} are nested too deeply to be read") from None
    return tables_of(plan, files), dict(plan.seeds)


def _files(plan: PeerPlan) -> FolderFiles:
    """What is copied: the evaluator and the seed program must be among it.

    Raises:
        ProblemError: they are not, or there is too much.
    """
    try:
        files = files_of(plan.folder)
    except (OSError, ValueError) as error:
        raise ProblemError(f"{plan.folder} cannot be copied into the sandbox: {error}") from error
    home = plan.folder.resolve()
    outside = [name for name in plan.seeds if not (plan.folder / name).resolve().is_relative_to(home)]
    for name in (*outside, *({plan.evaluator} - files.paths.keys())):
        raise ProblemError(
            f"{plan.folder / name} lies outside of the folder, or is no file",
            hint=f"put {name} itself into the folder: links out of it are not followed",
        )
    return files


def _homes(plan: PeerPlan) -> list[Path]:
    homes = [plan.folder]
    for each in plan.search:
        # Seen from the copy; above it lies the folder that the peer's own folder is imported from.
        homes.append(plan.folder.parents[plan.mount.count("/")] if each.startswith("..") else plan.folder / each)
    return homes


def _sources(plan: PeerPlan) -> list[Source]:
    names = [plan.evaluator, *plan.seeds]
    return [source for name in names if (source := try_source(plan.folder / name)) is not None]


def _require_installed(plan: PeerPlan, sources: list[Source], stand_ins: frozenset[str]) -> None:
    """Refuse what certainly cannot be imported, before anything runs.

    Raises:
        ProblemError: a part of the other engine is needed that we have no stand-in for.
        EvolveEnvironmentError: a package is missing.
    """
    engine = {name.partition(".")[0] for name in stand_ins}
    for name, (source, where) in sorted(needed(sources, _homes(plan)).items()):
        place = f"{source.path.name}, line {where.line}"
        if name.partition(".")[0] in engine:
            if name not in stand_ins:
                raise ProblemError(
                    f"{place} imports {name}, a part of {TITLES[plan.contract]} that Evolve has no stand-in for",
                    hint=f"stand-ins there are: {', '.join(sorted(stand_ins))}",
                )
        elif not is_installed(name):
            package = name.partition(".")[0]
            raise EvolveEnvironmentError(
                f"{place} imports {name}, which is not installed where Evolve is",
                hint=f"install it there, often by: pip install {package}",
            )

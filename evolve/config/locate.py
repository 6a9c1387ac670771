"""Where problems are: the shipped ones, the user's folders, and a folder named by path."""

import os
from collections.abc import Sequence
from pathlib import Path

from evolve.config.mistakes import did_you_mean
from evolve.errors import ProblemError

PROBLEM_FILE = "problem.toml"
A_PROBLEM = f"a problem is a folder with a {PROBLEM_FILE} in it"
OR_A_PEER = (
    "or one of OpenEvolve (initial_program.py, evaluator.py), ShinkaEvolve (initial.py, evaluate.py), "
    "GEPA or AlphaEvolve: see docs/peers.md"
)


def shipped_problems() -> dict[str, Path]:
    """Name and folder of every problem that comes with the engine, in order of name. Needs no pydantic."""
    package = Path(__file__).resolve().parent.parent
    for home in (package / "_problems", package.parent / "problems"):
        found = _problems_in(home)
        if found:
            by_area = {path.parent.name: path.parent for path in home.glob(f"*/*/{PROBLEM_FILE}")}
            return dict(sorted((found | by_area).items()))
    return {}


def _problems_in(home: Path) -> dict[str, Path]:
    return {path.parent.name: path.parent for path in sorted(home.glob(f"*/{PROBLEM_FILE}"))}


def find_problem(name_or_path: str | Path, *, search_path: Sequence[Path] = ()) -> Path:
    """The folder of a problem: a path to it (or to its problem.toml), a name in `search_path`, or a shipped name.

    Raises:
        ProblemError: there is none; the message lists what there is.
    """
    path = Path(os.path.expanduser(name_or_path))
    if path.name == PROBLEM_FILE and os.path.isfile(path):
        return path.parent.resolve()
    if os.path.isfile(path / PROBLEM_FILE):
        return path.resolve()
    name = str(name_or_path)
    known = shipped_problems()
    for home in reversed(search_path):
        known |= _problems_in(home)
    if name in known:
        return known[name].resolve()
    if os.path.isdir(path):
        raise ProblemError(f"{path} has no {PROBLEM_FILE}", hint=f"{A_PROBLEM}, {OR_A_PEER}")
    if os.path.isfile(path):
        raise ProblemError(f"{path} is a file", hint=A_PROBLEM)
    if "/" in name:
        raise ProblemError(f"there is no folder {path}", hint=A_PROBLEM)
    hint = did_you_mean(name, {**known, **_problems_in(Path())})
    listed = f"known problems: {', '.join(sorted(known)) or 'none'}; or give the path of a problem's folder"
    raise ProblemError(f'no problem "{name}"{"; " + hint if hint else ""}', hint=listed)

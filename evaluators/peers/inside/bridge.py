"""The entry of a process that serves another engine's evaluator: lay out its files, then do what is asked."""

import os
from collections.abc import Mapping
from typing import Any

from evaluators.peers.inside import errands, processes, threads
from evaluators.peers.inside.files import CANDIDATE, PROBLEM, lay_out, lay_out_texts, search_first

_places: dict[str, str] = {}


def set_up(files: Mapping[str, Any], program: Mapping[str, str], search: list[str], mount: str, can_ask: bool) -> str:
    """Write the peer's folder and the candidate, and go where its evaluator expects to be.

    Args:
        files: of the peer's folder, names to bytes.
        program: of the candidate, names to text; the first is its entry.
        search: folders, seen from the peer's, in which imports look first.
        mount: where below the copy's root the peer's folder lies.
        can_ask: whether the evaluator may have scripts run in processes of their own.

    Returns:
        The folder that all of it lies in.
    """
    scratch = os.getcwd()
    _places["scratch"] = scratch
    _places["program"] = os.path.join(lay_out_texts(program, CANDIDATE), next(iter(program)))
    _places["home"] = home = lay_out(files, os.path.join(PROBLEM, mount).rstrip("/"))
    search_first(*(os.path.normpath(os.path.join(home, each)) for each in search))
    processes.install(scratch, can_ask=can_ask)
    threads.install()
    os.chdir(home)
    return scratch


def errand(what: dict[str, Any], scratch: str) -> dict[str, Any]:
    """See `errands.run`."""
    here = _places["scratch"]
    return errands.moved(errands.run(errands.moved(what, scratch, here), here), here, scratch)


def openevolve_prepare(evaluator: str) -> list[str]:
    """See `openevolve.prepare`."""
    from evaluators.peers.inside import openevolve

    return openevolve.prepare(_places["home"], evaluator)


def openevolve_stage(name: str) -> dict[str, Any]:
    """See `openevolve.stage`."""
    from evaluators.peers.inside import openevolve

    return openevolve.stage(name, _places["program"])


def shinka_run(evaluator: str) -> dict[str, Any]:
    """See `shinka.run`."""
    from evaluators.peers.inside import shinka

    return shinka.run(_places["home"], evaluator, _places["program"])


def gepa_run(script: str, texts: list[list[str]], is_one_text: bool) -> list[dict[str, Any]]:
    """See `gepa.run`."""
    from evaluators.peers.inside import gepa

    return gepa.run(_places["home"], script, [(name, text) for name, text in texts], is_one_text)


def alphaevolve_file(evaluator: str, options: list[str]) -> dict[str, Any]:
    """See `alphaevolve.run_file`."""
    from evaluators.peers.inside import alphaevolve

    return alphaevolve.run_file(_places["home"], evaluator, _places["program"], options)


def alphaevolve_function(module: str, function: str, texts: list[list[str]]) -> dict[str, Any]:
    """See `alphaevolve.run_function`."""
    from evaluators.peers.inside import alphaevolve

    return alphaevolve.run_function(module, function, [(name, text) for name, text in texts])

"""`run` and `resume`."""

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.conduct import conduct
from evolve.cli.control_command import ask
from evolve.cli.durations import duration_option
from evolve.cli.isolation import (
    is_unsafe_allowed,
    problem_notices,
    tell_notices,
    unsafe_sandbox_option,
    uses_cards,
)
from evolve.cli.metrics_outlets import metrics_options, outlets
from evolve.cli.output import Command, Output, json_option
from evolve.cli.parameters import generalize_option, parameter_option, parameters_of
from evolve.cli.places import default_run_dir, find_run, problem_completion, run_argument, runs_folder
from evolve.cli.records import problem_name, reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from evolve.config.problem import Problem
    from evolve.config.settings import Settings
    from evolve.loop import RunSummary
    from evolve.loop.events import Listener


def _finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("give a finite number", ctx=context, param=parameter)
    return value


def _amount(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0.0 < value < math.inf:
        raise click.BadParameter("give a number above 0", ctx=context, param=parameter)
    return value


def _share(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    value = _amount(context, parameter, value)
    if value is not None and value > 1 and value != int(value):
        raise click.BadParameter("give a part of a card, such as 0.25, or a whole number", ctx=context, param=parameter)
    return value


_COUNT = click.IntRange(min=1)
_BUDGET_OPTIONS = (
    click.option(
        "--time",
        "seconds",
        metavar="DURATION",
        callback=duration_option,
        help="Stop after this long: 90, 90s, 2m, 1h30m.",
    ),
    click.option("--evaluations", type=_COUNT, help="Stop after this many evaluations."),
    click.option("--target", type=float, callback=_finite, help="Stop when the best score reaches this."),
    click.option("--require-target", is_flag=True, help="End with exit code 6 unless the target was reached."),
    click.option(
        "--budget-usd", type=float, callback=_amount, metavar="USD", help="Stop before language models cost more."
    ),
    click.option("--budget-tokens", type=_COUNT, metavar="N", help="Stop before they read and write more tokens."),
    click.option("--workers", type=_COUNT, help="Worker processes. Default: one per core."),
    click.option(
        "--gpus",
        type=float,
        callback=_share,
        metavar="SHARE",
        help="What one evaluation gets of a graphics card: a part such as 0.25, or whole ones. Default: one card.",
    ),
    click.option(
        "--device",
        type=click.Choice(["cpu", "cuda", "auto"]),
        help="Where the screens of a symbolic search run; what they find is the same. Default: cpu.",
    ),
    click.option("--executor", type=click.Choice(["local", "ray"]), help="Where compute runs. Default: local."),
    click.option(
        "--ray-address",
        metavar="auto|HOST[:PORT]",
        help="Join this Ray cluster (implies --executor ray), with --workers as the bound. Default: start one here.",
    ),
    metrics_options,
    unsafe_sandbox_option,
    click.option("--plain", is_flag=True, help="Write plain lines even on a terminal."),
    json_option,
)


def _recorded_run(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    del context, parameter
    return None if value is None else find_run(value, runs=runs_folder())


_MODEL_OPTIONS = (
    click.option(
        "--model",
        multiple=True,
        metavar="MODEL",
        help="Ask this language model; may be repeated. `evolve models` lists some, `fake:` needs no key.",
    ),
    click.option("--base-url", metavar="URL", help="A server of your own for these models (chat completions)."),
    click.option(
        "--symbolic/--no-symbolic",
        default=None,
        help="Whether operators that need no model search along. Default: they do.",
    ),
    click.option(
        "--strategy",
        type=click.Choice(["map_elites", "iid", "sequential"]),
        help="Who breeds: elites of all kinds (map_elites, the default); baselines: always the seed program (iid), "
        "always the last best (sequential).",
    ),
    click.option(
        "--replay",
        callback=_recorded_run,
        metavar="RUN",
        help="Repeat RUN with the replies that it was given, without network; compares the archives.",
    ),
)
_OF_A_REPLAY = (
    "run_dir",
    "workers",
    "gpus",
    "device",
    "executor",
    "ray_address",
    "durability",
    "allow_network_fs",
    "unsafe_sandbox",
    "metrics_file",
    "metrics_port",
    "plain",
    "as_json",
    "replay",
)


def _budget_options(command: Command) -> Command:
    for option in reversed(_BUDGET_OPTIONS):
        command = option(command)
    return command


def _model_options(command: Command) -> Command:
    for option in reversed(_MODEL_OPTIONS):
        command = option(command)
    return command


@click.command("run")
@click.argument("problem", metavar="[PROBLEM|PATH]", required=False, shell_complete=problem_completion)
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run. Default: runs/<problem>/<UTC time>-<seed>.",
)
@parameter_option
@generalize_option
@_budget_options
@click.option("--seed", "rng_seed", type=click.IntRange(min=0), help="Where randomness starts. Same seed, same search.")
@click.option("--window", type=_COUNT, help="Children in flight at the same time; part of what decides the search.")
@click.option(
    "--durability",
    type=click.Choice(["full", "fast"]),
    help="Results survive power loss (full, the default), or only the end of the process (fast).",
)
@click.option("--allow-network-fs", is_flag=True, help="Allow a run folder on NFS and the like, at your own risk.")
@_model_options
@click.pass_context
def run_command(context: click.Context, /, problem: str | None, run_dir: Path | None, **given: Any) -> None:
    """Search for better programs for a problem.

    PROBLEM is a shipped problem (`evolve problems` lists them), PATH the folder of your own, or one of OpenEvolve,
    ShinkaEvolve, GEPA or AlphaEvolve, as it is; `openevolve:PATH` says which, where it could be several.

    Budgets left out are the problem's own. Ctrl-C ends the run in order, a second one at once; both can be resumed.
    """
    if given["replay"] is not None:
        context.exit(_repeat(problem, run_dir, given))
    if problem is None:
        raise click.UsageError("give a PROBLEM: `evolve problems` lists them; or --replay RUN")
    context.exit(_run(problem, run_dir, given))


def _run(problem: str, run_dir: Path | None, given: Mapping[str, Any]) -> int:
    from evolve.config.problem import load_problem
    from evolve.loop import RunOptions, start_run

    loaded = load_problem(problem, parameters=parameters_of(given["parameter"]), generalize=given["generalize"])
    settings = _settings(loaded, given)
    if given["symbolic"] is False and not settings.model:
        raise click.UsageError("--no-symbolic leaves nobody to search: give a language model with --model")
    folder = run_dir or default_run_dir(
        loaded.name, settings.rng_seed, datetime.now(UTC), runs=Path(settings.runs_dir).expanduser()
    )
    if folder.resolve() == loaded.folder:
        raise click.UsageError("--run-dir is the problem's own folder: give another, such as one inside it")
    budget = budget_of(settings)
    if given["gpus"] is not None and not loaded.gpus:
        raise click.UsageError(f"--gpus is for problems that use graphics cards: {loaded.name} has no [sandbox] gpus")
    if given["require_target"] and budget["target"] is None:
        raise click.UsageError("--require-target needs a target: give --target, or set [budget].target in problem.toml")
    options = RunOptions(
        rng_seed=settings.rng_seed,
        workers=settings.workers,
        window=settings.window,
        durability=settings.durability,
        network_fs_allowed=given["allow_network_fs"],
        unsafe_sandbox=settings.unsafe_sandbox,
        models=settings.model,
        base_url=settings.base_url,
        strategy=settings.strategy,
        symbolic=settings.symbolic,
        executor=_executor(given) or "local",
        ray_address=given["ray_address"],
        gpus=settings.gpus,
        device=settings.device,
        **budget,
    )
    tell_notices(loaded.notices)
    return _conducted(lambda listener: start_run(loaded, folder, options, listener), given)


def _conducted(run: "Callable[[Listener], RunSummary]", given: Mapping[str, Any]) -> int:
    output = Output(as_json=given["as_json"])
    with outlets(given["metrics_file"], given["metrics_port"], output.say) as also:
        return conduct(
            run,
            output,
            plain=given["plain"],
            target_required=given["require_target"],
            unsafe_sandbox=bool(given["unsafe_sandbox"]),
            also=also,
        )


def _repeat(problem: str | None, run_dir: Path | None, given: Mapping[str, Any]) -> int:
    """Do a recorded run again; what decides a search comes from there and cannot be given."""
    from evolve.loop import open_recording, repeat_run

    refused = sorted(f"--{_SPELLED.get(name, name).replace('_', '-')}" for name in _decided(given))
    if problem is not None or refused:
        what = ", ".join([*(["PROBLEM"] if problem is not None else []), *refused])
        raise click.UsageError(f"--replay takes everything that decides a search from RUN: leave out {what}")
    names = ("workers", "gpus", "device", "ray_address", "durability")
    changes: dict[str, Any] = {name: given[name] for name in names if given[name] is not None}
    changes["executor"] = _executor(given) or "local"
    changes["unsafe_sandbox"] = is_unsafe_allowed(given["unsafe_sandbox"])
    recording = open_recording(given["replay"], network_fs_allowed=given["allow_network_fs"], **changes)
    folder = run_dir or default_run_dir(
        recording.problem.name, recording.options.rng_seed, datetime.now(UTC), runs=runs_folder()
    )
    try:
        return _conducted(lambda listener: repeat_run(recording, folder, listener), given)
    finally:
        recording.reader.close()


def _executor(given: Mapping[str, Any]) -> str | None:
    """The executor that the options ask for; an address asks for Ray."""
    if given["ray_address"] is None:
        return given["executor"]  # type: ignore[no-any-return]
    if given["executor"] == "local":
        raise click.UsageError("--ray-address names a Ray cluster, and --executor is local: leave out one of them")
    return "ray"


_SPELLED = {"rng_seed": "seed", "seconds": "time"}


def _decided(given: Mapping[str, Any]) -> list[str]:
    return [name for name, value in given.items() if name not in _OF_A_REPLAY and value not in (None, False, ())]


def _settings(problem: "Problem", given: Mapping[str, Any]) -> "Settings":
    from evolve.config.settings import KNOWN, resolve_settings

    return resolve_settings(
        command_line={key: value for key, value in given.items() if key in KNOWN and value != ()},
        environment=os.environ,
        problem=problem.settings_mapping(),
    )


def budget_of(settings: "Settings") -> dict[str, Any]:
    """When to stop: an amount given for this run replaces the amounts that the problem sets.

    So `--time 2m` takes two minutes, however few evaluations the problem usually gets. A target is no amount. What
    language models may take bounds money and not work: it replaces nothing, and nothing but itself replaces it.
    """
    from evolve.config.settings import Origin

    near = (Origin.COMMAND_LINE, Origin.ENVIRONMENT)
    names = ("evaluations", "seconds", "target", "budget_usd", "budget_tokens")
    budget = {name: getattr(settings, name) for name in names}
    amounts = ("evaluations", "seconds")
    if any(settings.origins[name] in near for name in amounts):
        for name in amounts:
            if settings.origins[name] not in near:
                budget[name] = None
    return budget


@click.command("resume")
@run_argument
@_budget_options
@click.pass_context
def resume_command(context: click.Context, /, run: Path, **given: Any) -> None:
    """Go on with RUN where its log ends. One that is paused goes on in its own terminal.

    Budgets given here are the new totals of the whole run; those left out stay as they were, and the run ends at
    whichever is spent first: with `--time` alone, a run whose evaluations are spent stops at once.
    """
    from evolve.loop import resume_run

    if _is_paused(run):
        _let_go_on(run, given)
        return
    with reading(run) as reader:
        meta = reader.meta()
        if given["gpus"] is not None and not uses_cards(meta):
            raise click.UsageError(f"--gpus is for problems that use graphics cards: {problem_name(meta)} does not")
        tell_notices(problem_notices(meta))
    code = _conducted(
        lambda listener: resume_run(
            run,
            listener,
            evaluations=given["evaluations"],
            seconds=given["seconds"],
            target=given["target"],
            budget_usd=given["budget_usd"],
            budget_tokens=given["budget_tokens"],
            workers=given["workers"],
            gpus=given["gpus"],
            device=given["device"],
            executor=_executor(given),
            ray_address=given["ray_address"],
            unsafe_sandbox=is_unsafe_allowed(given["unsafe_sandbox"]),
        ),
        given,
    )
    context.exit(code)


def _is_paused(run: Path) -> bool:
    """Whether it stands still, or will in a moment: then it was asked to, and has not looked yet."""
    from evolve.store.control import Wanted, read_request
    from evolve.store.state import current_state

    with reading(run) as reader:
        state = current_state(reader.sessions())
    asked = read_request(run)
    return state == "paused" or (state == "running" and asked is not None and asked.wanted is Wanted.PAUSE)


def _let_go_on(run: Path, given: Mapping[str, Any]) -> None:
    """Let a paused process go on; what it searches with was settled when it started."""
    settled = (
        *("evaluations", "seconds", "target", "budget_usd", "budget_tokens"),
        *("workers", "gpus", "device", "executor", "ray_address"),
    )
    refused = [f"--{_SPELLED.get(name, name).replace('_', '-')}" for name in settled if given[name] is not None]
    if refused:
        raise click.UsageError(
            f"{run} is paused, and its process keeps what it was started with: leave out {', '.join(refused)}, "
            f"or end it with `evolve stop` and resume then"
        )
    ask(run, "resume", Output(as_json=given["as_json"]))

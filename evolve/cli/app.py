"""The command `evolve` and its sub-commands."""

import click

from evolve.cli.calls_command import calls_command
from evolve.cli.check_commands import replay_command, verify_command
from evolve.cli.check_problem_command import check_problem_command
from evolve.cli.completion_command import completion_command
from evolve.cli.config_command import config_group
from evolve.cli.control_command import pause_command, stop_command
from evolve.cli.dashboard_command import dashboard_command, top_command
from evolve.cli.doctor_command import doctor_command
from evolve.cli.export_command import export_command
from evolve.cli.frontier_command import frontier_command
from evolve.cli.list_commands import ls_command, status_command, version_command
from evolve.cli.models_command import models_command
from evolve.cli.new_command import new_command
from evolve.cli.noise_command import noise_command
from evolve.cli.problems_command import problems_command
from evolve.cli.program_commands import best_command, diff_command, lineage_command, show_command
from evolve.cli.report_command import report_command
from evolve.cli.run_commands import resume_command, run_command
from evolve.cli.tail_command import tail_command
from evolve.cli.validate_command import validate_command
from evolve.errors import (
    EXIT_ENVIRONMENT,
    EXIT_FINISHED,
    EXIT_INTERNAL,
    EXIT_MODEL,
    EXIT_RESUMABLE,
    EXIT_SEED,
    EXIT_TARGET_NOT_REACHED,
    EXIT_USAGE,
)

_EXIT_CODES = {
    EXIT_FINISHED: "finished, whatever stopped it",
    EXIT_INTERNAL: "an error inside evolve, or `replay` found a difference",
    EXIT_USAGE: "a wrong option, problem or setting",
    EXIT_SEED: "the seed program or its evaluator fails",
    EXIT_MODEL: "no language model can be used",
    EXIT_ENVIRONMENT: "the machine lacks something: a folder, a sandbox, a GPU",
    EXIT_TARGET_NOT_REACHED: "the target was not reached (with --require-target)",
    EXIT_RESUMABLE: "stopped from outside (disk full); `evolve resume` goes on",
    130: "stopped by Ctrl-C or `evolve stop` (143: by SIGTERM); `evolve resume` goes on",
}
_COMMANDS = (
    new_command,
    check_problem_command,
    noise_command,
    run_command,
    resume_command,
    pause_command,
    stop_command,
    ls_command,
    status_command,
    tail_command,
    dashboard_command,
    top_command,
    best_command,
    show_command,
    diff_command,
    lineage_command,
    calls_command,
    frontier_command,
    report_command,
    export_command,
    verify_command,
    validate_command,
    replay_command,
    problems_command,
    models_command,
    config_group,
    completion_command,
    doctor_command,
    version_command,
)


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they are added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in order."""
        del ctx
        return list(self.commands)


def _epilog() -> str:
    codes = "\n".join(f"{code:>5}  {meaning}" for code, meaning in _EXIT_CODES.items())
    return f"\b\nRUN is a folder, `last`, or the end of the name of a run under ./runs.\n\n\b\nExit codes:\n{codes}"


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value:
        context.invoke(version_command)
        context.exit(EXIT_FINISHED)


@click.group(
    cls=OrderedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_epilog(),
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Say the version.")
def cli() -> None:
    """Discover algorithms: evolution over programs, judged by your own measure. No API key needed."""


for _command in _COMMANDS:
    cli.add_command(_command)

"""`completion`: what makes a shell complete commands, problems and runs."""

import click
from click.shell_completion import get_completion_class

from evolve.cli.output import Output, json_option

COMPLETION_VARIABLE = "_EVOLVE_COMPLETE"
_HOW = {
    "bash": 'eval "$(evolve completion bash)"            in ~/.bashrc',
    "zsh": 'eval "$(evolve completion zsh)"             in ~/.zshrc, after compinit',
    "fish": "evolve completion fish | source             in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\b\n" + "\n".join(_HOW.values()))
@click.argument("shell", type=click.Choice(list(_HOW)))
@json_option
@click.pass_context
def completion_command(context: click.Context, /, shell: str, *, as_json: bool) -> None:
    """Write the completion script of a shell. It completes commands, options, problems and runs."""
    made = get_completion_class(shell)
    assert made is not None, "click knows the shells that are offered"
    script = made(context.find_root().command, {}, "evolve", COMPLETION_VARIABLE).source()
    document = {"shell": shell, "script": script, "use": _HOW[shell]}
    Output(as_json=as_json).answer("evolve.completion/1", document, lambda: script.splitlines())

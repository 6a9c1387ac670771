"""The option `--parameter`: which member of a family of problems is meant."""

from collections.abc import Sequence

import click

from evolve.cli.output import Command


def parameter_option(command: Command) -> Command:
    """Add `--parameter NAME=VALUE`; it arrives as `parameter`, a tuple of words for `parameters_of`."""
    return click.option(
        "--parameter",
        multiple=True,
        metavar="NAME=VALUE",
        help="Other values of the problem's parameters: n=2,m=2,p=3. `evolve problems PROBLEM` shows them.",
    )(command)


def parameters_of(words: Sequence[str]) -> dict[str, str]:
    """The values by name.

    Raises:
        click.UsageError: a word is no NAME=VALUE, or a name is there twice.
    """
    found: dict[str, str] = {}
    for word in (part for each in words for part in each.split(",")):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals and value):
            raise click.UsageError(f"--parameter {word!r}: give NAME=VALUE, several with commas between")
        if name in found:
            raise click.UsageError(f"--parameter gives {name} twice")
        found[name] = value
    return found

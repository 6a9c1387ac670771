"""The options `--parameter` and `--generalize`: which member of a family of problems is meant, or which of them."""

from collections.abc import Sequence

import click

from evolve.cli.output import Command


def parameter_option(command: Command) -> Command:
    """Add `--parameter NAME=VALUE`; it arrives as `parameter`, a tuple of words for `parameters_of`."""
    return click.option(
        "--parameter",
        multiple=True,
        metavar="NAME=VALUE",
        help="Other values of the problem's parameters: n=2,m=2,p=3. `evolve problems PROBLEM` shows them. "
        "Several values, n=5,7,9 or n=5..9, are sizes to generalize over; those after a slash, n=5..9/11,13, are held "
        "out.",
    )(command)


def generalize_option(command: Command) -> Command:
    """Add `--generalize`."""
    return click.option(
        "--generalize",
        is_flag=True,
        help="One program for all sizes of the problem's table [family], and for those held out of the search.",
    )(command)


def parameters_of(words: Sequence[str]) -> dict[str, str]:
    """The values by name.

    Raises:
        click.UsageError: a word is no NAME=VALUE, or a name is there twice.
    """
    found: dict[str, str] = {}
    for word in (part for each in words for part in each.split(",")):
        name, equals, value = (part.strip() for part in word.partition("="))
        if found and name and not equals:  # a further value of the parameter before it
            last = next(reversed(found))
            found[last] = f"{found[last]},{name}"
            continue
        if not (name and equals and value):
            raise click.UsageError(f"--parameter {word!r}: give NAME=VALUE, several with commas between")
        if name in found:
            raise click.UsageError(f"--parameter gives {name} twice")
        found[name] = value
    return found

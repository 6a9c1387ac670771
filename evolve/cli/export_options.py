"""Options of `evolve export` that ask for a program."""

import click

from evolve.cli.isolation import unsafe_sandbox_option
from evolve.cli.output import Command

FORMS = ("python", "numpy", "torch", "c", "latex", "json")


def discovery_options(command: Command) -> Command:
    """Add `--as` (it arrives as `wanted`), `--verify`, `--with-test` and `--unsafe-sandbox` to a command."""
    verify = click.option(
        "--verify", is_flag=True, help="With --as: verify the program first, as `evolve verify` does."
    )
    with_test = click.option(
        "--with-test", is_flag=True, help="With --as torch or numpy of an update rule: a test too."
    )
    form = click.option("--as", "wanted", type=click.Choice(FORMS), help="Write a program in this form.")
    return form(verify(with_test(unsafe_sandbox_option(command))))

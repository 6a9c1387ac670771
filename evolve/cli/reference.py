"""The reference of all commands as Markdown, made from the commands themselves: `python -m evolve.cli.reference`."""

import html
import inspect
import re
from collections.abc import Iterator

import click

from evolve.cli.app import cli

_HEAD = """# Commands

Every command, argument and option, written from the code by `python -m evolve.cli.reference` (`make docs` does it, and
a test fails when the two differ). `evolve COMMAND --help` says the same in a terminal.
"""


def reference() -> str:
    """The whole page."""
    parts = [_HEAD, "## evolve\n", _usage(cli, ("evolve",)), _text(cli.help), _options(cli), _epilog(cli)]
    parts += [part for name, command in cli.commands.items() for part in _command(command, ("evolve", name))]
    return "\n".join(part for part in parts if part)


def _command(command: click.Command, names: tuple[str, ...]) -> Iterator[str]:
    yield f"## {' '.join(names)}\n"
    yield _usage(command, names)
    yield _text(command.help)
    yield _options(command)
    yield _epilog(command)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, (*names, name))


def _usage(command: click.Command, names: tuple[str, ...]) -> str:
    context = click.Context(command, info_name=names[-1])
    pieces = " ".join([*names, *command.collect_usage_pieces(context)])
    return f"```text\n{pieces}\n```\n"


def _text(text: str | None) -> str:
    """A docstring's paragraphs, one line each; what click marks as laid out stays so."""
    paragraphs = inspect.cleandoc(text or "").replace("\f", "").split("\n\n")
    there = [each for each in paragraphs if each.strip()]
    shown = [_laid_out(each) if each.startswith("\b") else " ".join(each.split()) for each in there]
    return "\n\n".join(shown) + "\n" if shown else ""


def _laid_out(paragraph: str) -> str:
    return "```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```"


def _epilog(command: click.Command) -> str:
    return _text(command.epilog)


def _options(command: click.Command) -> str:
    rows = [_row(each) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    return "| option | what it does |\n|---|---|\n" + "".join(rows) if rows else ""


def _row(option: click.Option) -> str:
    context = click.Context(click.Command("none"))
    declared, described = option.get_help_record(context) or ("", "")
    return f"| <code>{_in_cell(declared)}</code> | {_in_cell(described)} |\n"


def _in_cell(text: str) -> str:
    """The text for a cell of a table: bars and angle brackets as entities, which both sites and code hosts show."""
    return html.escape(re.sub(r"\s+", " ", text), quote=False).replace("|", "&#124;")


if __name__ == "__main__":
    click.echo(reference(), nl=False)

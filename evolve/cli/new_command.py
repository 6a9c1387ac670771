"""`new`: a working problem folder to start from."""

from collections.abc import Iterator
from pathlib import Path

import click

from evolve.cli.output import Output, json_option

_TEMPLATES = ("python", "symbolic", "optimizer", "kernel")


@click.command("new")
@click.argument("name")
@click.option(
    "--template", type=click.Choice(_TEMPLATES), default="python", show_default=True, help="What to start from."
)
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the folder NAME is made; here if not given.",
)
@json_option
def new_command(name: str, *, template: str, parent: Path, as_json: bool) -> None:
    """Make a problem of your own. It works as it is: check it, run it, then change it.

    Templates: python (a heuristic), symbolic (a function of x), optimizer (an update rule), kernel (speed).
    """
    from evolve.scaffold.create import TEMPLATES, create_problem

    created = create_problem(name, template=template, parent=parent)
    document = {
        "name": created.name,
        "template": created.template,
        "folder": str(created.folder),
        "files": list(created.files),
        "next": list(created.next_commands),
    }

    def lines() -> Iterator[str]:
        yield f"{created.folder}/: {TEMPLATES[created.template]} ({', '.join(created.files)})"
        yield "next:"
        for command in created.next_commands:
            yield f"  {command}"

    Output(as_json=as_json).answer("evolve.new/1", document, lines)

"""Where a command's words go: JSON for scripts on standard output, text for people."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from evolve.cli.terminal import clean

Command = TypeVar("Command", bound=Callable[..., Any])


class Output:
    """One command's output. With `as_json`, standard output carries JSON only and people's text goes to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, text: str = "") -> None:
        """Write a line for people, with everything removed that a terminal could obey."""
        click.echo(clean(text), err=self.as_json)

    def line(self, schema: str, data: Mapping[str, Any]) -> None:
        """Write one line of JSON, its schema named and versioned as in `evolve.best/1`."""
        document = {"schema": schema, **{key: value for key, value in data.items() if key != "schema"}}
        click.echo(json.dumps(plain_data(document), allow_nan=False))

    def answer(self, schema: str, data: Mapping[str, Any], lines: Callable[[], Iterable[str]]) -> None:
        """Answer a question: the document for scripts, or else the lines for people."""
        if self.as_json:
            self.line(schema, data)
            return
        for text in lines():
            self.say(text)


def json_option(command: Command) -> Command:
    """Add `--json` to a command; it arrives as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON on standard output, for scripts.")(command)


def plain_data(value: Any) -> Any:
    """Turn values into what JSON can carry; numbers that are not finite become null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_data(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_data(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return plain_data(value.item())
    raise TypeError(f"no JSON for {type(value).__name__}")

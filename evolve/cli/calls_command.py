"""`calls`: what a run asked language models, and what they answered."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from evolve.cli.figures import figure, indented, table
from evolve.cli.output import Output, json_option
from evolve.cli.places import run_argument
from evolve.cli.records import reading
from evolve.cli.spending import endings, spending
from evolve.cli.terminal import clean_line

_COLUMNS = ("id", "iteration", "purpose", "model", "outcome", "input_tokens", "output_tokens", "cost_usd", "seconds")
_HEADINGS = ("call", "iteration", "purpose", "model", "outcome", "read", "written", "USD", "seconds")


@click.command("calls")
@run_argument
@click.option("--id", "identifier", type=click.IntRange(min=1), metavar="CALL", help="Show one call in full.")
@click.option("--failed", is_flag=True, help="Only those that did not end with an answer.")
@click.option("--last", type=click.IntRange(min=0), default=40, metavar="N", help="How many; 0 for all. Default: 40.")
@json_option
def calls_command(run: Path, *, identifier: int | None, failed: bool, last: int, as_json: bool) -> None:
    """List what RUN asked language models. With --id, one prompt with its reply."""
    output = Output(as_json=as_json)
    with reading(run) as reader:
        if identifier is not None:
            number, at, call = reader.call(identifier)
            one = {"id": number, "at": at, **asdict(call), "prompt": reader.prompt(call.prompt_hash)}
            output.answer("evolve.call/1", one, lambda: _call_lines(one))
            return
        calls = [
            {"id": number, "at": at, **asdict(call)}
            for number, at, call in reader.calls(failed=failed, limit=last or None)
        ]
        totals = reader.call_totals().to_mapping()
    output.answer("evolve.calls/1", {"run": str(run), "totals": totals, "calls": calls}, lambda: _lines(calls, totals))


def _lines(calls: list[dict[str, Any]], totals: dict[str, Any]) -> Iterator[str]:
    if not totals["requests"]:
        yield "this run asked no language model"
        return
    if calls:
        rows = [[_cell(call, column) for column in _COLUMNS] for call in calls]
        yield from table(_HEADINGS, rows, left=(2, 3, 4))
        yield ""
    yield spending(totals)
    yield endings(totals)


def _cell(call: dict[str, Any], column: str) -> object:
    if column == "cost_usd":
        return "unknown" if call[column] is None else f"{call[column]:.5f}"
    return round(call[column], 1) if column == "seconds" else call[column]


def _call_lines(call: dict[str, Any]) -> Iterator[str]:
    kind = f"{call['purpose']} for iteration {call['iteration']}, attempt {call['attempt'] + 1}"
    yield f"call {call['id']}  {clean_line(call['model'])}  {kind}  {call['outcome']}"
    yield (
        f"{figure(call['input_tokens'])} tokens read ({figure(call['cached_tokens'])} from the cache), "
        f"{figure(call['output_tokens'])} written, {_cell(call, 'cost_usd')} USD, {figure(call['seconds'])} s"
    )
    if call["detail"]:
        yield clean_line(call["detail"])
    prompt = call["prompt"]
    for block in (prompt or {}).get("system", ()):
        yield from ("", "system:", indented(block))
    for turn in (prompt or {}).get("turns", ()):
        yield from ("", f"{turn['role']}:", indented(turn["text"]))
    if prompt is None:
        yield from ("", f"the prompt was not kept (hash {call['prompt_hash']})")
    yield from ("", "reply:", indented(call["text"]))

"""`models`: which language models there are, what they cost, and whether they answer."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.figures import figure, table
from evolve.cli.output import Output, json_option
from evolve.cli.terminal import clean_line
from evolve.errors import EXIT_FINISHED, EXIT_MODEL, EvolveError

if TYPE_CHECKING:
    from evolve.llm.catalog import Catalog
    from evolve.llm.contract import Completion
    from evolve.llm.keys import Key
    from evolve.llm.providers import ModelSpec

PROBE_SECONDS = 60.0
PROBE_TOKENS = 256
DETAIL_WIDTH = 100
ANSWERED = ("ok", "length")


@click.command("models")
@click.option("--model", "models", multiple=True, metavar="MODEL", help="Ask about this model; may be repeated.")
@click.option("--base-url", metavar="URL", help="A server of your own that speaks chat completions.")
@click.option("--test", "is_tested", is_flag=True, help="Send one tiny request to each model that can be used.")
@json_option
@click.pass_context
def models_command(
    context: click.Context, /, *, models: tuple[str, ...], base_url: str | None, is_tested: bool, as_json: bool
) -> None:
    """List language models. Whether a key is there, and what tokens cost.

    Any other name can be used too: this lists what the shipped file and yours name. With --test, the exit code is 4 if
    no model answers.
    """
    from evolve.llm.catalog import load_catalog
    from evolve.llm.keys import load_keys
    from evolve.llm.mix import ModelOptions, key_of, read_specs

    output = Output(as_json=as_json)
    catalog = load_catalog(os.environ)
    keys = load_keys(os.environ)
    if base_url and not models:
        raise click.UsageError("--base-url needs the name of a model: give --model NAME")
    specs = read_specs(ModelOptions(models=models or catalog.listed, base_url=base_url), catalog, os.environ)
    found = [(spec, key_of(spec, keys)) for spec in specs]
    rows = [_described(spec, key, catalog) for spec, key in found]
    if is_tested:
        import asyncio

        for row, tried in zip(rows, asyncio.run(_try_all(found)), strict=True):
            row["test"] = tried
    facts = {"models": rows, "file": None if catalog.file is None else str(catalog.file)}
    output.answer("evolve.models/1", facts, lambda: _lines(rows, is_tested=is_tested))
    answered = [row for row in rows if row.get("test", {}).get("outcome") in ANSWERED]
    context.exit(EXIT_MODEL if is_tested and not answered else EXIT_FINISHED)


def _described(spec: "ModelSpec", key: "Key | None", catalog: "Catalog") -> dict[str, Any]:
    from evolve.llm.mix import lacks_key, price_of

    price = price_of(spec, catalog)
    return {
        "name": spec.name,
        "provider": spec.provider.name,
        "base_url": spec.base_url or None,
        "is_default": spec.name in catalog.default,
        "key": None if key is None else key.origin,
        "trouble": lacks_key(spec, key) or None,
        "prices": None if price is None else price.to_json(),
    }


async def _try_all(found: Sequence[tuple["ModelSpec", "Key | None"]]) -> list[dict[str, Any]]:
    import asyncio

    return list(await asyncio.gather(*(_tried(spec, key) for spec, key in found)))


async def _tried(spec: "ModelSpec", key: "Key | None") -> dict[str, Any]:
    """One small request without retries: what came of it."""
    from evolve.llm.contract import Prompt, Turn
    from evolve.llm.mix import Entry, lacks_key, open_client

    if reason := lacks_key(spec, key):
        return {"outcome": "not tried", "detail": reason}
    if spec.provider.client == "manual":
        return {"outcome": "not tried", "detail": "a person would have to answer"}
    try:
        client = open_client(spec, key)
    except EvolveError as error:
        return {"outcome": "not tried", "detail": str(error)}
    prompt = Prompt(system=(), turns=(Turn(role="user", text="Say: ok"),), max_output_tokens=PROBE_TOKENS)
    try:
        completion = await client.complete(prompt, total_seconds=PROBE_SECONDS, idle_seconds=PROBE_SECONDS)
    finally:
        await client.close()
    return _outcome(completion, Entry(spec=spec, client=client, price=None, key=key))


def _outcome(completion: "Completion", entry: Any) -> dict[str, Any]:
    usage = completion.usage
    return {
        "outcome": str(completion.outcome),
        "detail": entry.hide(completion.detail),
        "seconds": completion.seconds,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "is_estimated": usage.is_estimated,
        "model_reported": entry.hide(completion.model_reported),
    }


def _lines(rows: Sequence[dict[str, Any]], *, is_tested: bool) -> Iterator[str]:
    headings = ("model", "provider", "key", "input $/M", "cached", "output")
    yield from table(headings, [_cells(row) for row in rows], left=(0, 1, 2))
    if is_tested:
        yield ""
        tests = [_test_cells(row) for row in rows]
        yield from table(("model", "outcome", "seconds", "in", "out", "detail"), tests, left=(0, 1, 5))
    yield ""
    yield "Any other name works as well: PROVIDER:NAME, or NAME with --base-url URL for a server of your own."
    if any(row["prices"] is None for row in rows):
        yield "Without a known price a budget in USD cannot be held: give it in models.toml, or use --budget-tokens."


def _cells(row: dict[str, Any]) -> list[str]:
    key = row["key"] or ("MISSING" if row["trouble"] else "not needed")
    first = (row["prices"] or [{}])[0]
    more = "+" if len(row["prices"] or ()) > 1 else ""
    prices = [f"{first[name]:g}{more}" if name in first else "unknown" for name in ("input", "cached", "output")]
    return [row["name"] + (" *" if row["is_default"] else ""), row["provider"], key, *prices]


def _test_cells(row: dict[str, Any]) -> list[str]:
    test = row["test"]
    detail = clean_line(" ".join(test["detail"].split()))
    shown = detail if len(detail) <= DETAIL_WIDTH else detail[: DETAIL_WIDTH - 3] + "..."
    if "seconds" not in test:
        return [row["name"], test["outcome"], "", "", "", shown]
    return [
        row["name"],
        test["outcome"],
        f"{test['seconds']:.2f}",
        figure(test["input_tokens"]),
        figure(test["output_tokens"]),
        shown,
    ]

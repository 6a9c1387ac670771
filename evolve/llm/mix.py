"""From model strings to clients with prices: the mix of a run, in the order in which models stand in for each other."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evolve.errors import EvolveError, UsageError
from evolve.llm.catalog import Catalog, load_catalog, models_file, parse_model
from evolve.llm.contract import Completion, LanguageModel
from evolve.llm.installed import open_installed
from evolve.llm.keys import Key, KeyRing, load_keys, variable_of
from evolve.llm.prices import FREE, Price, listed_price
from evolve.llm.providers import INSTALLED, ModelSpec, checked_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What a user says about models. `total_seconds` bounds one answer, `idle_seconds` the wait for its next piece."""

    models: tuple[str, ...] = ()
    base_url: str | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    total_seconds: float = 600.0
    idle_seconds: float = 120.0
    rng_seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model that can be asked; `price` is None where it is unknown."""

    spec: ModelSpec
    client: LanguageModel
    price: Price | None
    key: Key | None = None

    def hide(self, text: str) -> str:
        """The text without the key: a server may send back what it was sent."""
        return text if self.key is None else self.key.hidden_in(text)

    def cleaned(self, completion: Completion) -> Completion:
        """What came back without the key, whoever made the client."""
        return replace(
            completion,
            text=self.hide(completion.text),
            detail=self.hide(completion.detail),
            request_id=self.hide(completion.request_id),
            model_reported=self.hide(completion.model_reported),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The models of a run in order, and those that cannot be used with the reason."""

    entries: tuple[Entry, ...]
    unusable: Mapping[str, str]


def read_specs(options: ModelOptions, catalog: Catalog, environment: Mapping[str, str]) -> tuple[ModelSpec, ...]:
    """What the model strings mean, in order.

    Raises:
        UsageError: one cannot be read, or two mean the same model.
    """
    specs: dict[tuple[str, str, str], ModelSpec] = {}
    for text in options.models:
        spec = parse_model(text, catalog, base_url=options.base_url)
        if not spec.base_url and (url := environment.get(spec.provider.url_variable or "\0", "")):
            spec = replace(spec, base_url=checked_url(url))
        if other := specs.get(spec.identity):
            raise UsageError(f'model "{text}" is given twice, the first time as "{other.name}": name it once')
        specs[spec.identity] = spec
    return tuple(specs.values())


def price_of(spec: ModelSpec, catalog: Catalog, now: datetime | None = None) -> Price | None:
    """What a model costs: the user's word first, then the list of its provider; None if nobody says."""
    for name in (spec.name, spec.model):
        if name in catalog.prices:
            return catalog.prices[name]
    if spec.is_local:
        return FREE
    now = now or datetime.now(UTC)
    if spec.provider.price_list:
        return listed_price(spec.model, provider=spec.provider.price_list, url=None, now=now)
    return listed_price(spec.model, provider=None, url=spec.base_url, now=now)


def key_of(spec: ModelSpec, keys: KeyRing) -> Key | None:
    """The key for a model's provider, if there is one."""
    return keys.find(spec.provider.name, *spec.provider.key_variables)


def lacks_key(spec: ModelSpec, key: Key | None) -> str:
    """Why a model cannot be used without a key, or an empty text: a server of one's own may ask for none."""
    own = bool(spec.base_url) and spec.base_url != spec.provider.base_url
    if key is not None or own or not spec.provider.needs_key:
        return ""
    variables = [*spec.provider.key_variables, variable_of(spec.provider.name)]
    return f"no key: set {' or '.join(variables)}, or add {spec.provider.name} to the file of keys"


def open_client(spec: ModelSpec, key: Key | None, *, rng_seed: int = 0) -> LanguageModel:
    """The client of a model.

    Raises:
        EvolveError: the package of the client is not installed, the key or file cannot be used.
    """
    if spec.is_local:
        return _local_client(spec, rng_seed)
    if spec.provider.client == INSTALLED:
        return open_installed(spec, key)
    from evolve.llm.connection import Connection

    connection = Connection(
        model=spec.model,
        name=spec.name,
        api_key="" if key is None else key.reveal(),
        base_url=spec.base_url,
        effort=spec.provider.effort,
    )
    if spec.provider.client == "anthropic":
        from evolve.llm.anthropic_client import anthropic_model

        return anthropic_model(connection)
    from evolve.llm.openai_client import chat_model, responses_model

    return responses_model(connection) if spec.provider.client == "responses" else chat_model(connection)


def open_mix(
    options: ModelOptions, *, environment: Mapping[str, str] = os.environ, prices: Mapping[str, Any] | None = None
) -> Mix:
    """Open a client for every model of the options; `prices` of an earlier session win over today's.

    Raises:
        UsageError: a model string, a price, the file of keys or of models is wrong, or a price is needed and unknown.
    """
    catalog = load_catalog(environment)
    keys = load_keys(environment)
    specs = read_specs(options, catalog, environment)
    table = {spec.name: _frozen_price(spec, catalog, prices or {}) for spec in specs}
    if options.budget_usd is not None:
        _require_prices([spec for spec in specs if table[spec.name] is None], models_file(environment))
    entries: list[Entry] = []
    unusable: dict[str, str] = {}
    for spec in specs:
        key = key_of(spec, keys)
        if reason := lacks_key(spec, key):
            unusable[spec.name] = reason
            continue
        try:
            client = open_client(spec, key, rng_seed=options.rng_seed)
        except UsageError:
            raise
        except EvolveError as error:
            unusable[spec.name] = str(error)
            continue
        entries.append(Entry(spec=spec, client=client, price=table[spec.name], key=key))
    return Mix(entries=tuple(entries), unusable=unusable)


def _frozen_price(spec: ModelSpec, catalog: Catalog, prices: Mapping[str, Any]) -> Price | None:
    frozen = prices.get(spec.name)
    return Price.from_json(frozen) if frozen is not None else price_of(spec, catalog)


def _require_prices(unknown: Sequence[ModelSpec], file: Path) -> None:
    if unknown:
        tables = "\n".join(f'  [prices."{spec.model}"]\n  input = 0.0\n  output = 0.0' for spec in unknown)
        raise UsageError(
            f"the price of {', '.join(spec.name for spec in unknown)} is unknown, so a budget in USD cannot be held",
            hint=f"use --budget-tokens, or write the price (USD per million tokens) to {file}:\n{tables}",
        )


def _local_client(spec: ModelSpec, rng_seed: int) -> LanguageModel:
    from evolve.llm.fake import FakeModel
    from evolve.llm.manual import ManualModel
    from evolve.llm.scripted import load_script

    if spec.provider.client == "fake":
        return FakeModel(name=spec.name, word=spec.model, rng_seed=rng_seed)
    if spec.provider.client == "scripted":
        return load_script(Path(spec.model), name=spec.name)
    return ManualModel(Path(spec.model), name=spec.name)

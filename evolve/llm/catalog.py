"""Which models and providers there are, and what a model string means. Names are free: the lists only help."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from evolve.config.mistakes import did_you_mean, listing, one_of
from evolve.errors import UsageError
from evolve.llm.catalog_checks import mistakes_in
from evolve.llm.installed import installed_providers
from evolve.llm.keys import config_folder
from evolve.llm.prices import Price, user_price
from evolve.llm.providers import CHAT, LOCAL, ModelSpec, Provider, checked_url

FILE_VARIABLE = "EVOLVE_MODELS_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The shipped file and the user's, merged; `prices` are the user's own."""

    providers: Mapping[str, Provider]
    listed: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    prices: Mapping[str, Price] = field(default_factory=dict)
    file: Path | None = None


def load_catalog(environment: Mapping[str, str]) -> Catalog:
    """Read the shipped file of models and the user's.

    Raises:
        UsageError: the user's file is wrong; every mistake is named with its key.
    """
    data = tomllib.loads(resources.files("evolve.llm").joinpath("models.toml").read_text(encoding="utf-8"))
    path, own = _user_tables(environment)
    providers = {**data["providers"]}
    for name, table in own.get("providers", {}).items():
        providers[name] = {**providers.get(name, {"client": CHAT}), **table}
    models = {**data["models"], **own.get("models", {})}
    return Catalog(
        providers=installed_providers() | {name: _provider(name, table) for name, table in providers.items()},
        listed=tuple(models["listed"]),
        default=tuple(models["default"]),
        prices={name: user_price(table) for name, table in own.get("prices", {}).items()},
        file=path,
    )


def models_file(environment: Mapping[str, str]) -> Path:
    """The user's own file of models, whether it exists or not."""
    given = environment.get(FILE_VARIABLE)
    return Path(given).expanduser() if given else config_folder(environment) / "models.toml"


def parse_model(text: str, catalog: Catalog, *, base_url: str | None = None) -> ModelSpec:
    """What a model string means; with `base_url`, a name without a provider is a model of that server.

    Raises:
        UsageError: no provider, name or address can be read from it.
    """
    head, colon, rest = text.partition(":")
    if colon and head in LOCAL:
        if not rest and head != "fake":
            raise UsageError(f'model "{text}" names no {"file" if head == "scripted" else "folder"}')
        return ModelSpec(name=text, provider=Provider(name=head, client=head, needs_key=False), model=rest)
    if colon and (head in catalog.providers or head == CHAT):
        return _of_provider(text, catalog.providers.get(head) or _own_server(base_url), rest)
    if base_url:
        return ModelSpec(name=text, provider=_own_server(), model=text, base_url=checked_url(base_url))
    for provider in catalog.providers.values():
        if text.startswith(provider.prefixes):
            return ModelSpec(name=text, provider=provider, model=text, base_url=provider.base_url)
    raise UsageError(f'model "{text}" belongs to no provider that we know', hint=_ways(text, catalog))


def _own_server(base_url: str | None = None) -> Provider:
    """A server of one's own may ask for no key."""
    return Provider(name=CHAT, client=CHAT, needs_key=False, base_url=checked_url(base_url) if base_url else "")


def _of_provider(text: str, provider: Provider, rest: str) -> ModelSpec:
    place = rest.find("@http")
    model, url = (rest, "") if place < 0 else (rest[:place], checked_url(rest[place + 1 :]))
    if not model:
        raise UsageError(f'model "{provider.name}:" has no name: expected {provider.name}:NAME')
    if provider.client == CHAT and not (url or provider.base_url):
        raise UsageError(f'model "{text}" has no address: expected {provider.name}:{model}@http://...')
    return ModelSpec(name=text, provider=provider, model=model, base_url=url or provider.base_url)


def _ways(text: str, catalog: Catalog) -> str:
    prefixes = sorted(prefix for provider in catalog.providers.values() for prefix in provider.prefixes)
    near = did_you_mean(text, catalog.listed)
    return (
        f"{near + ' ' if near else ''}expected a name that starts with {one_of(prefixes)}, PROVIDER:NAME with one of "
        f"{', '.join([*catalog.providers, CHAT])}, or --base-url URL for a server of your own"
    )


def _user_tables(environment: Mapping[str, str]) -> tuple[Path | None, dict[str, Any]]:
    path = models_file(environment)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if FILE_VARIABLE in environment:
            raise UsageError(f"{FILE_VARIABLE} names {path}, which does not exist") from None
        return None, {}
    except OSError as error:
        raise UsageError(f"the file of models {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"the file of models {path} is not TOML: {error}") from None
    if mistakes := mistakes_in(data):
        raise UsageError(f"the file of models {path} is wrong:\n{listing(mistakes)}")
    return path, data


def _provider(name: str, table: Mapping[str, Any]) -> Provider:
    words: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Provider(name=name, **words)

"""Mistakes in a user's file of models, all of them at once, each with its key."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from evolve.config.mistakes import Mistake, did_you_mean, one_of, shown
from evolve.errors import UsageError
from evolve.llm.prices import user_price
from evolve.llm.providers import CHAT, CLIENTS, LOCAL, Provider, checked_url


def mistakes_in(data: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong in the tables of the file."""
    known = ("providers", "models", "prices")
    found = [
        Mistake(key=key, expected=one_of(known), hint=did_you_mean(key, known)) for key in data if key not in known
    ]
    for section in known:
        tables = data.get(section, {})
        if not isinstance(tables, dict):
            found.append(Mistake(key=section, expected="a table", got=shown(tables)))
            continue
        for name, table in tables.items():
            found += _CHECKS[section](f"{section}.{name}", name, table)
    return found


def _price_mistakes(key: str, name: str, table: Any) -> list[Mistake]:
    del name
    if not isinstance(table, dict):
        return [Mistake(key=key, expected="a table with input and output", got=shown(table))]
    try:
        user_price(table)
    except ValueError as error:
        return [Mistake(key=key, expected="prices", got=str(error))]
    return []


def _model_mistakes(key: str, name: str, names: Any) -> list[Mistake]:
    if name not in ("default", "listed"):
        return [Mistake(key=key, expected=one_of(("default", "listed")))]
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        return [Mistake(key=key, expected="a list of model names", got=shown(names))]
    return []


def _provider_mistakes(key: str, name: str, table: Any) -> list[Mistake]:
    if name in (*LOCAL, CHAT):
        return [Mistake(key=key, expected="a name of your own: this one is taken")]
    if not isinstance(table, dict):
        return [Mistake(key=key, expected="a table", got=shown(table))]
    kinds = {each.name: each for each in fields(Provider) if each.name != "name"}
    found: list[Mistake] = []
    for word, value in table.items():
        if word not in kinds:
            found.append(Mistake(key=f"{key}.{word}", expected=one_of(tuple(kinds)), hint=did_you_mean(word, kinds)))
        elif expected := _unfit(word, value):
            found.append(Mistake(key=f"{key}.{word}", expected=expected, got=shown(value)))
    return found


def _unfit(word: str, value: Any) -> str:
    """What was expected of a provider's key, or nothing if the value is right."""
    if word == "client":
        return "" if value in CLIENTS else one_of(CLIENTS)
    if word == "needs_key":
        return "" if isinstance(value, bool) else "true or false"
    if word in ("prefixes", "key_variables"):
        fits = isinstance(value, list) and all(isinstance(each, str) and each for each in value)
        return "" if fits else "a list of words"
    if word == "base_url" and isinstance(value, str):
        try:
            checked_url(value)
        except UsageError as error:
            return error.message
    return "" if isinstance(value, str) else "a text"


_CHECKS = {"providers": _provider_mistakes, "models": _model_mistakes, "prices": _price_mistakes}

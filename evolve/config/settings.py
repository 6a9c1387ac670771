"""Settings of a run and where each came from: command line, environment, problem.toml, user file, default.

The nearest source wins, key by key. Nothing here needs pydantic.
"""

import math
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evolve.config.mistakes import Mistake, did_you_mean, listing, shown
from evolve.errors import UsageError

ENVIRONMENT_PREFIX = "EVOLVE_"
NO_SETTINGS = ("api_key_", "models_file", "keys_file")
"""What variables of ours begin with that are read elsewhere, by `evolve.llm`."""


class Origin(StrEnum):
    """Where a setting's value came from, nearest first."""

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    PROBLEM = "problem.toml"
    USER_FILE = "user file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key: how its text is read, what values it may have, what it means."""

    read: Callable[[Any], Any]
    expected: str
    default: Any
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run was told, with the origin of every key. None means: no limit, or let the engine choose."""

    rng_seed: int
    evaluations: int | None
    seconds: float | None
    target: float | None
    workers: int | None
    gpus: float | None
    device: str
    window: int
    durability: str
    runs_dir: str
    unsafe_sandbox: bool
    model: tuple[str, ...]
    base_url: str | None
    budget_usd: float | None
    budget_tokens: int | None
    strategy: str
    symbolic: bool
    origins: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The values alone, as plain JSON data."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "origins"}
        return {**values, "model": list(self.model)}


def _whole(low: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value) if isinstance(value, str) else value
        if type(number) is not int or number < low:
            raise ValueError
        return number

    return read


def _number(low: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or number <= low:
            raise ValueError
        return number

    return read


def _share(value: Any) -> float:
    share = _number(0.0)(value)
    if share > 1 and share != int(share):
        raise ValueError
    return share


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return read


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts; in one text, as in a variable, they are apart by white space."""
    if isinstance(value, str):
        return tuple(value.split())
    if not isinstance(value, list | tuple):
        raise ValueError
    return tuple(_text(each) for each in value)


def _address(value: Any) -> str:
    """The address of a server, without a user's name or password in it: keys are not for command lines."""
    text = _text(value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    return text


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


KNOWN: dict[str, Setting] = {
    "rng_seed": Setting(
        read=_whole(0),
        expected="a whole number, 0 or more",
        default=0,
        help="where randomness starts; same seed, same run",
    ),
    "evaluations": Setting(
        read=_whole(1), expected="a whole number, 1 or more", default=None, help="stop after this many evaluations"
    ),
    "seconds": Setting(
        read=_number(0.0), expected="a number above 0", default=None, help="stop after this much wall time"
    ),
    "target": Setting(
        read=_number(-math.inf), expected="a finite number", default=None, help="stop when the best score reaches this"
    ),
    "workers": Setting(
        read=_whole(1),
        expected="a whole number, 1 or more",
        default=None,
        help="worker processes; one per core if not set",
    ),
    "gpus": Setting(
        read=_share,
        expected="above 0 and up to 1, or a whole number",
        default=None,
        help="what one evaluation gets of a graphics card: a part, or whole ones",
    ),
    "device": Setting(
        read=_one_of("cpu", "cuda", "auto"),
        expected='"cpu", "cuda" or "auto"',
        default="cpu",
        help="where the screens of a symbolic search run: a graphics card, or one if there is one",
    ),
    "window": Setting(
        read=_whole(1), expected="a whole number, 1 or more", default=8, help="children in flight at the same time"
    ),
    "durability": Setting(
        read=_one_of("full", "fast"),
        expected='"full" or "fast"',
        default="full",
        help="full: results survive power loss; fast: they survive kill -9",
    ),
    "runs_dir": Setting(read=_text, expected="the path of a folder", default="runs", help="where runs are stored"),
    "unsafe_sandbox": Setting(
        read=_truth,
        expected="true or false",
        default=False,
        help="judge Python candidates even where nothing confines them",
    ),
    "model": Setting(
        read=_texts,
        expected="names of language models",
        default=(),
        help="language models to ask; the first ones stand in for the others",
    ),
    "base_url": Setting(
        read=_address,
        expected="an address such as http://localhost:8000/v1, without a password",
        default=None,
        help="the server of models that have no address of their own",
    ),
    "budget_usd": Setting(
        read=_number(0.0), expected="a number above 0", default=None, help="stop before models cost more (USD)"
    ),
    "budget_tokens": Setting(
        read=_whole(1),
        expected="a whole number, 1 or more",
        default=None,
        help="stop before models read and write more tokens",
    ),
    "strategy": Setting(
        read=_one_of("map_elites", "iid", "sequential"),
        expected='"map_elites", "iid" or "sequential"',
        default="map_elites",
        help="who breeds: elites of all cells, always the seed program, or always the last best",
    ),
    "symbolic": Setting(
        read=_truth,
        expected="true or false",
        default=True,
        help="whether operators without a model join where there are models",
    ),
}


def user_file(environment: Mapping[str, str]) -> Path:
    """The user's own settings file, whether it exists or not."""
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "~"), ".config")
    return Path(home).expanduser() / "evolve" / "config.toml"


def read_user_file(path: Path) -> dict[str, Any]:
    """The keys of the user's settings file; none if there is no file.

    Raises:
        UsageError: it cannot be read as TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read the settings in {path}: {error}") from error


def resolve_settings(
    *,
    command_line: Mapping[str, Any],
    environment: Mapping[str, str],
    problem: Mapping[str, Any],
    only: Collection[str] | None = None,
) -> Settings:
    """Settle every key by the nearest source that names it.

    `command_line` holds the options by key (None: not given), `environment` the process's variables, of which
    `EVOLVE_RNG_SEED` and its like are read, `problem` what `Problem.settings_mapping()` gives. With `only`, those keys
    are settled and others not looked at: a mistake in one is no reason to refuse a question that it has no part in.

    A variable that is near a key is taken for a slip; others that begin with `EVOLVE_` belong to somebody else.

    Raises:
        UsageError: unknown keys or wrong values; the message lists all of them with their origin.
    """
    path = user_file(environment)
    sources: list[tuple[Origin, str, Mapping[str, Any]]] = [
        (Origin.DEFAULT, "default", {key: setting.default for key, setting in KNOWN.items()}),
        (Origin.USER_FILE, f"{path}: ", read_user_file(path)),
        (Origin.PROBLEM, "problem.toml: ", problem),
        (Origin.ENVIRONMENT, ENVIRONMENT_PREFIX, _variables(environment)),
        (Origin.COMMAND_LINE, "--", command_line),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for origin, prefix_text, source in sources:
        for key, value in source.items():
            if origin is not Origin.DEFAULT and not _is_asked(key, only):
                continue
            mistake = _settle(key, value, origin, values, origins)
            if mistake is not None:
                mistakes.append(_placed(mistake, prefix_text, origin))
    if mistakes:
        raise UsageError(f"settings are wrong:\n{listing(mistakes)}")
    return Settings(**values, origins=origins)


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment says of our keys, and of words that are so near to one that they must be slips."""
    named = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    ours = {key: value for key, value in named.items() if not key.startswith(NO_SETTINGS)}
    return {key: value for key, value in ours.items() if key in KNOWN or did_you_mean(key, KNOWN)}


def _is_asked(key: str, only: Collection[str] | None) -> bool:
    """Whether a key is among those to be settled, or a slip for one of them."""
    if only is None or key in only:
        return True
    return key not in KNOWN and any(f'"{each}"' in did_you_mean(key, KNOWN) for each in only)


def _settle(key: str, value: Any, origin: Origin, values: dict[str, Any], origins: dict[str, str]) -> Mistake | None:
    if key not in KNOWN:
        return Mistake(
            key=key, got="an unknown key", expected=f"one of {', '.join(KNOWN)}", hint=did_you_mean(key, KNOWN)
        )
    if value is None and origin is not Origin.DEFAULT:
        return None
    try:
        values[key] = value if origin is Origin.DEFAULT else KNOWN[key].read(value)
    except (ValueError, OverflowError, KeyError):
        got = re.sub(r"//.*@", "//...@", shown(value))  # what comes before the host may be a password,
        got = re.sub(r'(//[^?#]*)[?#][^"]*', r"\1?...", got)  # and what comes after the path a key
        return Mistake(key=key, got=got, expected=KNOWN[key].expected)
    origins[key] = str(origin)
    return None


def _placed(mistake: Mistake, place: str, origin: Origin) -> Mistake:
    key = mistake.key
    if origin is Origin.ENVIRONMENT:
        key = key.upper()
    if origin is Origin.COMMAND_LINE:
        key = key.replace("_", "-")
    return Mistake(key=place + key, got=mistake.got, expected=mistake.expected, hint=mistake.hint)

"""API keys: read from the environment or a private file, shown to nobody."""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evolve.errors import UsageError

KEY_PREFIX = "EVOLVE_API_KEY_"
FILE_VARIABLE = "EVOLVE_KEYS_FILE"
HIDDEN = "[key]"

LEAST_SECRET_LENGTH = 8
"""Shorter texts are what servers without keys are given, such as EMPTY: to hide them would tear holes into programs."""


class Key:
    """A secret. Its text comes out of `reveal` and of nothing else: no repr, no format, no copy, no JSON."""

    __slots__ = ("_text", "origin")

    def __init__(self, text: str, *, origin: str) -> None:
        self._text = text
        self.origin = origin

    def reveal(self) -> str:
        """The key itself, for the client that sends it."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """The text without the key: a server may send back what it was sent."""
        return text if len(self._text) < LEAST_SECRET_LENGTH else text.replace(self._text, HIDDEN)

    def __repr__(self) -> str:
        return f"Key(from {self.origin})"

    def __format__(self, form: str) -> str:
        return format(repr(self), form)

    def __reduce__(self) -> Any:
        raise TypeError("a key does not leave its process")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Finds the key of a provider: the environment first, then the file."""

    environment: Mapping[str, str] = field(repr=False)
    from_file: Mapping[str, Key]

    def find(self, provider: str, *variables: str) -> Key | None:
        """The key for a provider; `variables` are names that its own tools use, such as OPENAI_API_KEY."""
        for variable in (variable_of(provider), *variables):
            if text := self.environment.get(variable, "").strip():
                return Key(text, origin=variable)
        return self.from_file.get(provider)


def variable_of(provider: str) -> str:
    """The environment variable that holds a provider's key: EVOLVE_API_KEY_ and its name in capitals."""
    return KEY_PREFIX + "".join(letter if letter.isalnum() else "_" for letter in provider.upper())


def load_keys(environment: Mapping[str, str]) -> KeyRing:
    """Read the file of keys, if there is one: lines such as `anthropic = "..."`.

    Raises:
        UsageError: the file can be read by others, is no such file, or EVOLVE_KEYS_FILE names none. No message holds
            anything of its content.
    """
    given = environment.get(FILE_VARIABLE)
    path = Path(given).expanduser() if given else config_folder(environment) / "keys.toml"
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read()
    except FileNotFoundError:
        if given:
            raise UsageError(f"{FILE_VARIABLE} names {path}, which does not exist") from None
        return KeyRing(environment, {})
    except OSError as error:
        raise UsageError(f"the file of keys {path} cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise UsageError(
            f"the file of keys {path} has mode {mode:04o}: other users may read it, expected 0600",
            hint=f"chmod 600 {path}, and think of replacing the keys in it",
        )
    return KeyRing(environment, _keys_of(text, path))


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where the user's own files of Evolve are."""
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "~"), ".config")
    return Path(home).expanduser() / "evolve"


def _keys_of(text: bytes, path: Path) -> dict[str, Key]:
    expected = 'expected lines such as anthropic = "..."'
    try:
        table = tomllib.loads(text.decode("utf-8"))
    except ValueError:
        raise UsageError(f"the file of keys {path} is not TOML: {expected}") from None
    wrong = [name for name, value in table.items() if not isinstance(value, str) or not value.strip()]
    if wrong:
        raise UsageError(f"the file of keys {path} has no text for {', '.join(wrong)}: {expected}")
    return {name: Key(value.strip(), origin=str(path)) for name, value in table.items()}

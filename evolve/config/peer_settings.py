"""Settings that another engine's files bring: which we follow, which we cannot, which are wrong."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from evolve.config.mistakes import Mistake, listing, shown
from evolve.config.peer_python import is_inside
from evolve.errors import EvolveEnvironmentError, ProblemError

MAX_CONFIG_BYTES = 1 << 20
MAX_MERGES = 100
MAX_MERGED_KEYS = 10_000

Default = TypeVar("Default")


class PeerSettings:
    """A nested mapping, read key by key; remembers what was asked for, and every value of a wrong type."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self.where = where
        self._data = data
        self._asked: set[str] = set()
        self._mistakes: list[Mistake] = []

    def whole(self, key: str, default: int, *, least: int = 0) -> int:
        """A whole number."""
        value = self._value(key)
        if value is None:
            return default
        if type(value) is not int or value < least:
            return self._wrong(key, value, f"a whole number, {least} or more", default)
        return value

    def number(self, key: str, default: float, *, above: float = -math.inf) -> float:
        """A finite number."""
        value = self._value(key)
        if value is None:
            return default
        if not _is_finite(value) or value <= above:
            wanted = "a number" if above == -math.inf else f"a number above {above:g}"
            return self._wrong(key, value, wanted, default)
        return float(value)

    def truth(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key)
        if value is None:
            return default
        return bool(value) if type(value) is bool else self._wrong(key, value, "true or false", default)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self._value(key)
        if value is None:
            return default
        return value if isinstance(value, str) else self._wrong(key, value, "text", default)

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of different texts."""
        value = self._value(key)
        if value is None:
            return default
        is_list = isinstance(value, list) and all(isinstance(each, str) and each for each in value)
        if not is_list or len(set(value)) != len(value):
            return self._wrong(key, value, "a list of different names", default)
        return tuple(value)

    def numbers(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """A list of finite numbers."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(map(_is_finite, value)):
            return self._wrong(key, value, "a list of numbers", default)
        return tuple(map(float, value))

    def anything(self, key: str) -> Any:
        """The value as it is."""
        return self._value(key)

    def complain(self, key: str, value: object, expected: str) -> None:
        """Note a mistake of a value."""
        # A short file can name the same list a billion times over: it must not be written out.
        got = f"a {type(value).__name__} of {len(value)}" if isinstance(value, list | dict) else shown(value)
        self._mistakes.append(Mistake(key=key, got=got, expected=expected))

    def require_right(self) -> None:
        """Refuse wrong values.

        Raises:
            ProblemError: there are some; the message lists all.
        """
        if self._mistakes:
            count = "one mistake" if len(self._mistakes) == 1 else f"{len(self._mistakes)} mistakes"
            raise ProblemError(f"{self.where} has {count}:\n{listing(self._mistakes)}")

    def not_honoured(self, *, known: frozenset[str], models: tuple[str, ...]) -> list[str]:
        """Say which keys stand there that nobody asked for, but for those that are `known` to be without effect here.

        Keys that begin with one of `models` choose language models.
        """
        keys = self._unasked(known)
        others = [key for key in keys if not key.startswith(models)]
        notes = []
        if len(others) < len(keys):
            notes.append(
                "models are not taken over from the file: give them with --model; without, Evolve searches by itself"
            )
        if others:
            notes.append(f"not honoured: {', '.join(others)}")
        return notes

    def _unasked(self, known: frozenset[str]) -> list[str]:
        keys: list[str] = []
        for key, value in self._data.items():
            name = str(key)
            inner = [f"{name}.{each}" for each in value] if isinstance(value, Mapping) else [name]
            keys += [each for each in inner if each not in self._asked and not {name, each} & known]
        return keys

    def _value(self, key: str) -> Any:
        self._asked.add(key)
        value: Any = self._data
        for part in key.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value

    def _wrong(self, key: str, value: object, expected: str, default: Default) -> Default:
        self.complain(key, value, expected)
        return default


def _is_finite(value: object) -> bool:
    """Whether it is a number that a float can be; a flag is none."""
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _loaded(text: str) -> Any:
    """The data of a YAML text.

    Mappings that are merged into mappings by `<<` grow without end in a few lines: merges and their keys are counted.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        n_merges = n_merged_keys = 0

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
            self.n_merges += sum(len(each.value) if isinstance(each, yaml.SequenceNode) else 1 for each in merged)
            self._require_few()
            before = len(node.value)
            super().flatten_mapping(node)
            self.n_merged_keys += max(0, len(node.value) - before)
            self._require_few()

        def _require_few(self) -> None:
            if self.n_merges > MAX_MERGES or self.n_merged_keys > MAX_MERGED_KEYS:
                raise ValueError(f"more than {MAX_MERGES} merges by `<<`, or {MAX_MERGED_KEYS} keys by them")

    return yaml.load(text, Loader)  # noqa: S506 (a safe one)


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping that a YAML file holds; nothing in it is run, no variable is looked up.

    Raises:
        ProblemError: it is no such file.
        EvolveEnvironmentError: PyYAML is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise EvolveEnvironmentError(
            f"{path} cannot be read: PyYAML is not installed", hint="pip install 'evolve-discovery[yaml]'"
        ) from None
    try:
        if not is_inside(path, path.parent):
            raise ValueError("it is no file of this folder")
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("it is larger than 1 MiB")
        data = _loaded(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProblemError(f"cannot read {path}: {' '.join(str(error).split())}", hint="it must be YAML") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ProblemError(f"{path} holds {type(data).__name__}, expected keys with values")
    return data

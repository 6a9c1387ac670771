"""Keys: where they come from, and that they show nowhere."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.llm.keys import Key, load_keys, variable_of

CANARY = "sk-canary-3141592653589793"


def keys_file(folder: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return {"EVOLVE_KEYS_FILE": str(path)}


def test_a_key_never_shows_its_text() -> None:
    @dataclass
    class Holder:
        key: Key

    key = Key(CANARY, origin="OPENAI_API_KEY")

    shown = [repr(key), str(key), f"{key}", f"{key!r:>50}", repr(Holder(key)), repr([key])]
    shown.append(repr(load_keys({"OPENAI_API_KEY": CANARY, "HOME": "/nowhere"})))
    assert not any(CANARY in text for text in shown)
    assert key.reveal() == CANARY
    with pytest.raises(TypeError):
        json.dumps(key)


def test_the_environment_is_read_before_the_file(tmp_path: Path) -> None:
    environment = keys_file(tmp_path, 'openai = "from-file"\nanthropic = "other"\n')

    ring = load_keys({**environment, "OPENAI_API_KEY": " from-environment "})
    found = ring.find("openai", "OPENAI_API_KEY")
    other = ring.find("anthropic", "ANTHROPIC_API_KEY")

    assert found is not None
    assert (found.reveal(), found.origin) == ("from-environment", "OPENAI_API_KEY")
    assert other is not None
    assert other.reveal() == "other"
    assert ring.find("chat") is None


def test_every_provider_has_a_variable_of_its_own() -> None:
    ring = load_keys({"HOME": "/nonexistent", "EVOLVE_API_KEY_MY_SERVER": "k", "OPENAI_API_KEY": "not for others"})
    found = ring.find("my-server")

    assert variable_of("my-server") == "EVOLVE_API_KEY_MY_SERVER"
    assert found is not None
    assert found.reveal() == "k"
    assert ring.find("chat") is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    environment = keys_file(tmp_path, f'openai = "{CANARY}"\n', mode)

    with pytest.raises(UsageError) as caught:
        load_keys(environment)

    assert f"{mode:04o}" in str(caught.value)
    assert "chmod 600" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text", [f"openai = {CANARY}", f'[openai]\nkey = "{CANARY}"\n', f'openai = ["{CANARY}"]', "\xff"]
)
def test_a_broken_file_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_keys(keys_file(tmp_path, text))

    assert "expected lines such as" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_keys({"EVOLVE_KEYS_FILE": str(tmp_path / "none.toml")})
    assert load_keys({"HOME": str(tmp_path)}).find("openai", "OPENAI_API_KEY") is None

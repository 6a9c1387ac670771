"""Model strings, the user's file of models, and what a mix is made of."""

from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.llm.catalog import load_catalog, parse_model
from evolve.llm.fake import FakeModel
from evolve.llm.mix import ModelOptions, open_mix
from evolve.llm.prices import FREE, user_price

URL = "http://127.0.0.1:8000/v1"


def models_file(folder: Path, text: str) -> dict[str, str]:
    path = folder / "my_models.toml"
    path.write_text(text, encoding="utf-8")
    return {"HOME": str(folder), "EVOLVE_MODELS_FILE": str(path)}


@pytest.mark.parametrize(
    ("text", "base_url", "expected"),
    [
        ("claude-sonnet-9", None, ("anthropic", "claude-sonnet-9", "")),
        ("anthropic:new-name", None, ("anthropic", "new-name", "")),
        ("gpt-9", None, ("responses", "gpt-9", "")),
        (f"openai:gpt-9@{URL}", None, ("responses", "gpt-9", URL)),
        (
            "openrouter:anthropic/claude-9:free",
            None,
            ("chat", "anthropic/claude-9:free", "https://openrouter.ai/api/v1"),
        ),
        (f"chat:qwen3:32b@{URL}/", None, ("chat", "qwen3:32b", URL)),
        ("chat:qwen3:32b", URL, ("chat", "qwen3:32b", URL)),
        ("qwen3:32b", URL, ("chat", "qwen3:32b", URL)),
        ("gpt-oss", URL, ("chat", "gpt-oss", URL)),
        ("org/name@v2", URL, ("chat", "org/name@v2", URL)),
        ("claude-9", URL, ("chat", "claude-9", URL)),
        ("anthropic:claude-9", URL, ("anthropic", "claude-9", "")),
        ("fake:", URL, ("fake", "", "")),
        ("fake:other", None, ("fake", "other", "")),
        ("scripted:replies/one.jsonl", None, ("scripted", "replies/one.jsonl", "")),
        ("manual:inbox", None, ("manual", "inbox", "")),
    ],
)
def test_a_model_string_says_who_answers(text: str, base_url: str | None, expected: tuple[str, str, str]) -> None:
    spec = parse_model(text, load_catalog({"HOME": "/nonexistent"}), base_url=base_url)

    assert (spec.provider.client, spec.model, spec.base_url) == expected
    assert spec.name == text


@pytest.mark.parametrize(
    ("text", "base_url", "said"),
    [
        ("qwen3", None, "belongs to no provider"),
        ("clade-sonnet-5-5", None, "did you mean"),
        ("anthropic:", None, "has no name"),
        ("chat:qwen3", None, "has no address"),
        ("scripted:", None, "names no file"),
        ("manual:", None, "names no folder"),
        ("qwen3", "127.0.0.1:8000", "expected something like"),
        ("qwen3", "http://127.0.0.1:99999999", "cannot be read"),
    ],
)
def test_a_string_that_says_nothing_is_refused_with_the_ways_out(text: str, base_url: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_model(text, load_catalog({"HOME": "/nonexistent"}), base_url=base_url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    for url in ("http://me:hush-hush@127.0.0.1/v1", "http://127.0.0.1/v1?key=hush-hush"):
        with pytest.raises(UsageError) as caught:
            parse_model("qwen3", load_catalog({"HOME": "/nonexistent"}), base_url=url)
        assert "hush-hush" not in str(caught.value)


def test_the_users_file_adds_providers_and_prices(tmp_path: Path) -> None:
    environment = models_file(
        tmp_path,
        f"""
[providers.lab]
base_url = "{URL}"
prefixes = ["lab-"]
needs_key = false
[providers.anthropic]
effort = "low"
[prices."lab-1"]
input = 1
output = 2
""",
    )
    catalog = load_catalog(environment)

    spec = parse_model("lab-1", catalog)

    assert (spec.provider.client, spec.base_url, spec.provider.needs_key) == ("chat", URL, False)
    assert catalog.prices["lab-1"] == user_price({"input": 1, "output": 2})
    assert catalog.providers["anthropic"].effort == "low"
    assert catalog.providers["anthropic"].prefixes == ("claude-",)


def test_every_mistake_of_the_users_file_is_told_at_once(tmp_path: Path) -> None:
    environment = models_file(
        tmp_path,
        """
price = 1
models.listed = "claude"
[providers.fake]
[providers.lab]
client = "grpc"
bas_url = "x"
base_url = "x"
needs_key = 1
[prices.m]
input = -1
""",
    )

    with pytest.raises(UsageError) as caught:
        load_catalog(environment)

    for key in (
        "price",
        "models.listed",
        "providers.fake",
        "lab.client",
        "lab.bas_url",
        "lab.base_url",
        "lab.needs_key",
    ):
        assert f"{key}: " in str(caught.value)
    assert "input is -1" in str(caught.value)


def test_a_model_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        open_mix(ModelOptions(models=("claude-9", "anthropic:claude-9")), environment={"HOME": str(tmp_path)})


def test_a_model_without_a_key_is_unusable_and_the_reason_says_what_to_set(tmp_path: Path) -> None:
    mix = open_mix(ModelOptions(models=("claude-sonnet-5-5", "fake:")), environment={"HOME": str(tmp_path)})

    assert [entry.spec.name for entry in mix.entries] == ["fake:"]
    assert isinstance(mix.entries[0].client, FakeModel)
    assert mix.entries[0].price == FREE
    assert "ANTHROPIC_API_KEY" in mix.unusable["claude-sonnet-5-5"]


def test_a_budget_in_usd_needs_every_price_and_the_message_tells_the_way_out(tmp_path: Path) -> None:
    options = ModelOptions(models=("qwen3", "fake:"), base_url=URL, budget_usd=1.0)

    with pytest.raises(UsageError) as caught:
        open_mix(options, environment={"HOME": str(tmp_path)})

    assert "--budget-tokens" in str(caught.value)
    assert '[prices."qwen3"]' in str(caught.value)
    assert str(tmp_path / ".config" / "evolve" / "models.toml") in str(caught.value)
    assert "fake:" not in str(caught.value)


def test_a_price_of_zero_makes_a_model_of_ones_own_free(tmp_path: Path) -> None:
    environment = models_file(tmp_path, '[prices."fake:"]\ninput = 3\noutput = 4\n[prices.m]\ninput = 0\noutput = 0\n')
    options = ModelOptions(models=("fake:",), budget_usd=1.0)

    mix = open_mix(options, environment=environment)

    assert mix.entries[0].price == user_price({"input": 3, "output": 4})
    assert load_catalog(environment).prices["m"] == FREE


def test_prices_of_an_earlier_session_win_over_todays(tmp_path: Path) -> None:
    old = user_price({"input": 7, "output": 8})

    mix = open_mix(
        ModelOptions(models=("fake:",)), environment={"HOME": str(tmp_path)}, prices={"fake:": old.to_json()}
    )

    assert mix.entries[0].price == old

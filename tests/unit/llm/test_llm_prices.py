"""Prices: what requests cost, what they can cost at most, and where a price comes from."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.llm.contract import Usage
from evolve.llm.prices import FREE, Price, Tier, listed_price, user_price

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TIERED = Price(
    tiers=(
        Tier(input=1.0, cached=0.1, cache_write=1.25, output=5.0),
        Tier(above=1000, input=2.0, cached=0.2, cache_write=2.5, output=8.0),
    )
)


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=600, cache_write_tokens=100, output_tokens=200, reasoning_tokens=150)

    assert TIERED.cost(usage) == pytest.approx((300 * 1.0 + 600 * 0.1 + 100 * 1.25 + 200 * 5.0) / 1e6)


def test_above_a_threshold_all_tokens_have_the_higher_price() -> None:
    assert TIERED.cost(Usage(input_tokens=1001, output_tokens=10)) == pytest.approx((1001 * 2.0 + 10 * 8.0) / 1e6)


@given(
    size=st.integers(0, 5000),
    output=st.integers(0, 5000),
    cached=st.floats(0, 1),
    written=st.floats(0, 1),
    used=st.floats(0, 1),
)
def test_no_request_costs_more_than_was_foreseen(
    size: int, output: int, cached: float, written: float, used: float
) -> None:
    sent = int(size * used)
    n_cached = int(sent * cached)
    n_written = int((sent - n_cached) * written)
    usage = Usage(
        input_tokens=sent, cached_tokens=n_cached, cache_write_tokens=n_written, output_tokens=int(output * used)
    )

    assert TIERED.cost(usage) <= TIERED.most(input_tokens=size, output_tokens=output) + 1e-12


def test_prices_survive_the_log() -> None:
    assert Price.from_json(TIERED.to_json()) == TIERED


def test_the_shipped_default_models_have_a_listed_price_with_its_tiers() -> None:
    sonnet = listed_price("claude-sonnet-5-5", provider="anthropic", url=None, now=NOW)
    terra = listed_price("gpt-6.1-terra", provider="openai", url=None, now=NOW)

    assert sonnet == Price(tiers=(Tier(input=2.0, cached=0.1, cache_write=2.5, output=10.0),))
    assert terra is not None
    assert [tier.above for tier in terra.tiers] == [0, 272_000]
    assert [tier.output for tier in terra.tiers] == [5.0, 7.5]


@pytest.mark.parametrize(
    ("model", "provider", "url"),
    [
        ("no-such-model", "openai", None),
        ("gpt-6.1-terra", "no-such-provider", None),
        ("gpt-6.1-terra", "openai", "http://127.0.0.1:8000/v1"),
        ("gpt-6.1-terra", None, None),
    ],
)
def test_what_nobody_lists_has_no_price_rather_than_none_to_pay(
    model: str, provider: str | None, url: str | None
) -> None:
    assert listed_price(model, provider=provider, url=url, now=NOW) is None


def test_a_user_gives_two_prices_or_four_and_zero_means_free() -> None:
    assert user_price({"input": 2, "output": 4.5}) == Price(
        tiers=(Tier(input=2.0, cached=2.0, cache_write=2.0, output=4.5),)
    )
    assert user_price({"input": 0, "cached": 0, "cache_write": 0, "output": 0}) == FREE


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"input": 1.0}, "output is missing"),
        ({"input": 1.0, "output": -1.0}, "output is -1.0"),
        ({"input": True, "output": 1.0}, "input is True"),
        ({"input": float("nan"), "output": 1.0}, "input is nan"),
        ({"input": 1.0, "output": 1.0, "ouput": 1.0}, "ouput is unknown"),
    ],
)
def test_a_wrong_price_says_what_is_wrong(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        user_price(table)

"""The ledger: budgets hold whatever is in flight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.errors import UsageError
from evolve.llm.contract import Prompt, Turn, Usage
from evolve.llm.money import Ledger, Reservation, Spent, most_tokens, most_usd, tokens_of
from evolve.llm.prices import Price, Tier

PRICE = Price(tiers=(Tier(input=1.0, cached=0.1, cache_write=1.25, output=10.0),))


@given(
    budget=st.integers(0, 100),
    wishes=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=30),
)
def test_what_is_spent_never_exceeds_a_budget(budget: int, wishes: list[tuple[int, int, bool]]) -> None:
    ledger = Ledger(usd=float(budget), tokens=budget)
    flying: list[tuple[Reservation, int]] = []

    for most, used, settles_first in wishes:
        if settles_first and flying:
            reservation, taken = flying.pop(0)
            ledger.settle(reservation, usd=float(taken), tokens=taken)
        reservation_or_none = ledger.reserve(usd=float(most), tokens=most)
        if reservation_or_none is not None:
            flying.append((reservation_or_none, min(used, most)))
    for reservation, taken in flying:
        ledger.settle(reservation, usd=float(taken), tokens=taken)

    assert ledger.spent.usd <= budget
    assert ledger.spent.tokens <= budget
    assert ledger.n_open == 0


def test_a_budget_counts_what_earlier_sessions_spent() -> None:
    ledger = Ledger(usd=1.0, spent=Spent(usd=0.9, tokens=5))

    assert ledger.reserve(usd=0.2, tokens=1) is None
    assert ledger.reserve(usd=0.05, tokens=1) is not None


def test_what_a_request_did_not_take_can_be_used_by_the_next() -> None:
    ledger = Ledger(tokens=100)
    first = ledger.reserve(usd=None, tokens=80)
    assert first is not None
    assert ledger.reserve(usd=None, tokens=80) is None

    ledger.settle(first, usd=None, tokens=10)

    assert ledger.reserve(usd=None, tokens=80) is not None


def test_a_budget_in_usd_takes_no_request_without_a_price() -> None:
    with pytest.raises(UsageError, match="without a known price"):
        Ledger(usd=1.0).reserve(usd=None, tokens=1)


def test_the_most_tokens_of_a_prompt_are_its_bytes_and_not_a_quarter_of_its_letters() -> None:
    prompt = Prompt(system=("äöü" * 100,), turns=(Turn(role="user", text="0.123,"),), max_output_tokens=50)

    input_tokens, output_tokens = most_tokens(prompt)

    assert input_tokens >= 606 + 2 * 4, "a server adds some tokens around every block"
    assert output_tokens == 50
    assert most_usd(prompt, PRICE) == pytest.approx((input_tokens * 1.25 + 500) / 1e6)
    assert most_usd(prompt, None) is None


def test_tokens_of_a_request_are_input_and_output_with_reasoning_counted_once() -> None:
    usage = Usage(input_tokens=10, cached_tokens=8, output_tokens=5, reasoning_tokens=4)

    assert tokens_of(usage) == 15

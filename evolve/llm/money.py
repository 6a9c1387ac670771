"""The ledger of a run: money and tokens are set aside before a request and settled after it."""

from dataclasses import dataclass

from evolve.errors import UsageError
from evolve.llm.contract import Prompt, Usage
from evolve.llm.prices import Price

TOKENS_PER_BLOCK = 16
"""What a server may add around each block of a prompt: role names and separators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Totals: USD as far as prices were known, and tokens of input and output."""

    usd: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for one request: the most that it can take. Names of money are USD."""

    number: int
    usd: float
    tokens: int


class Ledger:
    """Holds the budgets of a run. What is spent and what is set aside never exceed a budget together."""

    def __init__(self, *, usd: float | None = None, tokens: int | None = None, spent: Spent | None = None) -> None:
        self._usd_budget = usd
        self._token_budget = tokens
        spent = spent or Spent()
        self._usd = spent.usd
        self._tokens = spent.tokens
        self._open: dict[int, Reservation] = {}
        self._number = 0

    @property
    def spent(self) -> Spent:
        """What is settled, earlier sessions included."""
        return Spent(usd=self._usd, tokens=self._tokens)

    @property
    def n_open(self) -> int:
        """How many requests are in flight."""
        return len(self._open)

    def reserve(self, *, usd: float | None, tokens: int) -> Reservation | None:
        """Set aside the most that a request can take, or None if that does not fit; `settle` gives it back.

        `usd` is None for a model whose price is unknown.

        Raises:
            UsageError: there is a budget in USD and no price.
        """
        if usd is None and self._usd_budget is not None:
            raise UsageError(
                "a model without a known price is asked under a budget in USD", hint="budget it in tokens instead"
            )
        wanted = Reservation(self._number, usd or 0.0, tokens)
        if not self._fits(wanted):
            return None
        self._number += 1
        self._open[wanted.number] = wanted
        return wanted

    def has_room(self, *, usd: float | None, tokens: int) -> bool:
        """Whether a request could be paid if nothing were in flight."""
        return (self._usd_budget is None or self._usd + (usd or 0.0) <= self._usd_budget) and (
            self._token_budget is None or self._tokens + tokens <= self._token_budget
        )

    def settle(self, reservation: Reservation, *, usd: float | None, tokens: int) -> None:
        """Replace what was set aside by what the request took; `usd` is None where that is unknown."""
        del self._open[reservation.number]
        self._usd += usd or 0.0
        self._tokens += tokens

    def _fits(self, wanted: Reservation) -> bool:
        every = (*self._open.values(), wanted)
        return self.has_room(usd=sum(each.usd for each in every), tokens=sum(each.tokens for each in every))


def most_tokens(prompt: Prompt) -> tuple[int, int]:
    """The most tokens of input and output that a request can have: no token is shorter than a byte.

    The usual four characters a token would be a guess, and too low for tables of numbers: budgets must hold.
    """
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in prompt.texts)
    return size + TOKENS_PER_BLOCK * (len(prompt.texts) + 1), prompt.max_output_tokens


def most_usd(prompt: Prompt, price: Price | None) -> float | None:
    """The most that a request can cost (USD), or None if the price is unknown."""
    if price is None:
        return None
    input_tokens, output_tokens = most_tokens(prompt)
    return price.most(input_tokens=input_tokens, output_tokens=output_tokens)


def tokens_of(usage: Usage) -> int:
    """What a request takes of a budget in tokens: input and output, reasoning included."""
    return usage.input_tokens + usage.output_tokens

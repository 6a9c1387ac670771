"""What tokens cost: a table frozen when a run starts, so that the same tokens cost the same on resume and replay."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evolve.llm.contract import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

PER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Prices in USD per million tokens, for requests with more than `above` tokens of input."""

    above: int = 0
    input: float
    cached: float
    cache_write: float
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs. The tiers ascend; the last one whose threshold is passed holds for all tokens."""

    tiers: tuple[Tier, ...]

    def cost(self, usage: Usage) -> float:
        """USD for one request."""
        tier = self._tier(usage.input_tokens)
        plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        return (
            plain * tier.input
            + usage.cached_tokens * tier.cached
            + usage.cache_write_tokens * tier.cache_write
            + usage.output_tokens * tier.output
        ) / PER

    def most(self, *, input_tokens: int, output_tokens: int) -> float:
        """The most that a request of at most so many tokens can cost (USD), however much of it is cached."""
        reached = [tier for tier in self.tiers if tier.above == 0 or tier.above < input_tokens]
        dearest = max(max(tier.input, tier.cached, tier.cache_write) for tier in reached)
        return (input_tokens * dearest + output_tokens * max(tier.output for tier in reached)) / PER

    def to_json(self) -> list[dict[str, Any]]:
        """JSON data, for the run's log."""
        return [asdict(tier) for tier in self.tiers]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> "Price":
        """Undo `to_json`."""
        return cls(tiers=tuple(Tier(**tier) for tier in data))

    def _tier(self, input_tokens: int) -> Tier:
        return next((tier for tier in reversed(self.tiers) if input_tokens > tier.above), self.tiers[0])


FREE = Price(tiers=(Tier(input=0.0, cached=0.0, cache_write=0.0, output=0.0),))


def user_price(table: Mapping[str, Any]) -> Price:
    """The price of a `[prices."model"]` table; `cached` and `cache_write` are as `input` if left out.

    Raises:
        ValueError: a key is missing or unknown, or a price is no finite number of zero or more; the text says which.
    """
    known = ("input", "cached", "cache_write", "output")
    wrong = [f"{key} is unknown" for key in table if key not in known]
    wrong += [f"{key} is missing" for key in ("input", "output") if key not in table]
    wrong += [f"{key} is {table[key]!r}" for key in known if key in table and not _is_price(table[key])]
    if wrong:
        raise ValueError(
            f"{'; '.join(wrong)}: expected input and output, perhaps cached and cache_write, "
            "in USD per million tokens, 0 for a model that costs nothing"
        )
    plain = float(table["input"])
    return Price(
        tiers=(
            Tier(
                input=plain,
                cached=float(table.get("cached", plain)),
                cache_write=float(table.get("cache_write", plain)),
                output=float(table["output"]),
            ),
        )
    )


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def listed_price(model: str, *, provider: str | None, url: str | None, now: datetime) -> Price | None:
    """The price that the package genai-prices lists, or None: a model, provider or address that it does not know.

    A `url` decides alone: a server of one's own that offers a well-known model asks no well-known price.
    """
    try:
        from genai_prices import data_snapshot
    except ImportError:
        return None
    snapshot = data_snapshot.get_snapshot()
    try:
        seller = snapshot.find_provider(None, None if url else provider, url)
        _, listed = snapshot.find_provider_model(model, seller, None, None)
    except LookupError:
        return None
    return _converted(listed.get_prices(now))


def _converted(listed: "ModelPrice") -> Price | None:
    if listed.input_mtok is None or listed.output_mtok is None:
        return None
    rates = {
        "input": listed.input_mtok,
        "cached": listed.input_mtok if listed.cache_read_mtok is None else listed.cache_read_mtok,
        "cache_write": listed.input_mtok if listed.cache_write_mtok is None else listed.cache_write_mtok,
        "output": listed.output_mtok,
    }
    starts = {0} | {tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())}
    return Price(
        tiers=tuple(
            Tier(above=start, **{name: _rate_above(rate, start) for name, rate in rates.items()})
            for start in sorted(starts)
        )
    )


def _rate_above(rate: Any, start: int) -> float:
    if not hasattr(rate, "tiers"):
        return float(rate)
    reached = [tier.price for tier in rate.tiers if tier.start <= start]
    return float(reached[-1] if reached else rate.base)

"""What language models took, in words: tokens, money as far as it is known, and how requests ended."""

from collections.abc import Mapping
from typing import Any

from evolve.cli.figures import figure, plural


def dollars(totals: Mapping[str, Any]) -> str:
    """The money of some requests; what is not known is said, never counted as nothing."""
    unpriced = int(totals.get("unpriced") or 0)
    if unpriced and unpriced == int(totals.get("requests") or 0):
        return "cost unknown"
    more = f" and {plural(unpriced, 'request')} of unknown price" if unpriced else ""
    return f"{float(totals.get('cost_usd') or 0.0):,.4f} USD{more}"


def spending(totals: Mapping[str, Any]) -> str:
    """Requests, tokens and money on one line."""
    read = int(totals.get("input_tokens") or 0)
    cached = int(totals.get("cached_tokens") or 0)
    share = f" ({cached / read:.0%} from the cache)" if cached and read else ""
    return (
        f"{plural(int(totals.get('requests') or 0), 'request')}, {figure(read)} tokens read{share}, "
        f"{figure(int(totals.get('output_tokens') or 0))} written, {dollars(totals)}"
    )


def endings(totals: Mapping[str, Any]) -> str:
    """How requests ended, the most frequent first: `ok 12, rate_limited 2`."""
    outcomes = sorted((totals.get("outcomes") or {}).items(), key=lambda each: (-int(each[1]), str(each[0])))
    return ", ".join(f"{name} {figure(count)}" for name, count in outcomes)

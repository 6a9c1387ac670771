"""How long a server asks to be left alone."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 365 * 86400.0
"""What a number too large for a float, or infinity, is taken for: wait in vain, park the model."""


def retry_after_of(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds to wait as `retry-after-ms` or `retry-after` say (seconds or an HTTP date), or None.

    A date is measured against the server's own `date` when it gives one, as its clock may differ from ours (`now`).
    """
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return min(seconds / per_second, LONGEST_SECONDS)
    until = _date(headers.get("retry-after"))
    if until is None:
        return None
    return max(0.0, (until - (_date(headers.get("date")) or now)).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return None if math.isnan(number) or number < 0 else number


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)

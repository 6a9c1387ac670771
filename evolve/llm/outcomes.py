"""What an error of a provider or the network means: the one place that reads statuses, bodies and exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from evolve.llm.contract import Outcome
from evolve.llm.error_text import ErrorText, says_blocked, says_no_money, says_too_long
from evolve.llm.retry_after import retry_after_of


class ProtocolError(Exception):
    """What came is no answer in the format that was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why there is no complete answer. `is_sent` is false when the request certainly never left."""

    outcome: Outcome
    detail: str
    retry_after_seconds: float | None = None
    parameter: str = ""
    request_id: str = ""
    is_sent: bool = True


_OF_STATUS = {
    400: Outcome.BAD_REQUEST,
    401: Outcome.AUTH,
    402: Outcome.QUOTA,
    403: Outcome.AUTH,
    404: Outcome.NOT_FOUND,
    405: Outcome.NOT_FOUND,
    408: Outcome.TIMEOUT,
    409: Outcome.OVERLOADED,
    410: Outcome.NOT_FOUND,
    413: Outcome.TOO_LONG,
    425: Outcome.OVERLOADED,
    429: Outcome.RATE_LIMITED,
    501: Outcome.NOT_FOUND,
}

_OF_WORD = {
    "rate_limit": Outcome.RATE_LIMITED,
    "authentication": Outcome.AUTH,
    "invalid_api_key": Outcome.AUTH,
    "permission": Outcome.AUTH,
    "not_found": Outcome.NOT_FOUND,
    "too_large": Outcome.TOO_LONG,
    "timeout": Outcome.TIMEOUT,
    "invalid_request": Outcome.BAD_REQUEST,
}


def fault_of_status(code: int, body: object, headers: Mapping[str, str], *, now: datetime) -> Fault:
    """What an HTTP status that is not a success means."""
    said = ErrorText.of(body)
    detail = f"HTTP {code}: {said.message}"
    if 300 <= code < 400:
        detail += f" (redirected to {headers.get('location', 'nowhere')}: give that address as the base URL)"
    return Fault(
        outcome=_outcome_of_status(code, said),
        detail=detail,
        retry_after_seconds=retry_after_of(headers, now=now),
        parameter=said.parameter,
        request_id=headers.get("x-request-id") or headers.get("request-id") or "",
    )


def fault_of_event(body: object) -> Fault:
    """What an error inside an answer means, where the status already said success."""
    said = ErrorText.of(body)
    code = int(said.code) if said.code.isdecimal() and len(said.code) == 3 else 0
    if code >= 400:
        outcome = _outcome_of_status(code, said)
    elif says_no_money(said):
        outcome = Outcome.QUOTA
    elif says_blocked(said):
        outcome = Outcome.REFUSED
    elif says_too_long(said):
        outcome = Outcome.TOO_LONG
    else:
        known = (outcome for word, outcome in _OF_WORD.items() if any(word in name for name in said.names))
        outcome = next(known, Outcome.OVERLOADED)
    return Fault(outcome=outcome, detail=f"error inside the answer: {said.message}", parameter=said.parameter)


def fault_of_exception(error: BaseException) -> Fault:
    """What an exception of an SDK, the HTTP client or a parser means."""
    import httpx2

    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None)
    body = getattr(error, "body", None)
    if isinstance(status, int) and not 200 <= status < 300 and response is not None:
        return fault_of_status(status, body, response.headers, now=datetime.now(UTC))
    if body is not None:
        return fault_of_event(body)
    # An SDK's connection error says nothing; what it was raised from does.
    return _fault_of_cause(error if isinstance(error, httpx2.HTTPError) else error.__cause__ or error)


def _fault_of_cause(cause: BaseException) -> Fault:
    import httpx2

    said = f"{type(cause).__name__}: {cause}".rstrip(": ")
    if isinstance(cause, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return Fault(outcome=Outcome.TIMEOUT, detail=f"no connection in time ({said})", is_sent=False)
    if isinstance(cause, (httpx2.TimeoutException, TimeoutError)):
        return Fault(outcome=Outcome.TIMEOUT, detail=f"the server fell silent ({said})")
    if isinstance(cause, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
        return Fault(outcome=Outcome.NOT_FOUND, detail=f"the address cannot be used ({said})", is_sent=False)
    if isinstance(cause, (ValueError, RecursionError, httpx2.DecodingError)):
        return Fault(outcome=Outcome.PROTOCOL, detail=f"the answer cannot be read ({said})")
    if isinstance(cause, ProtocolError):
        return Fault(outcome=Outcome.PROTOCOL, detail=str(cause))
    is_sent = not isinstance(cause, (httpx2.ConnectError, httpx2.LocalProtocolError))
    return Fault(outcome=Outcome.TRANSPORT, detail=f"the connection failed ({said})", is_sent=is_sent)


def _outcome_of_status(code: int, said: ErrorText) -> Outcome:
    if code in (400, 403, 429) and says_no_money(said):
        return Outcome.QUOTA
    if code in (400, 403, 422) and says_blocked(said):
        return Outcome.REFUSED
    if code in (400, 422) and says_too_long(said):
        return Outcome.TOO_LONG
    if code >= 500:
        return _OF_STATUS.get(code, Outcome.OVERLOADED)
    return _OF_STATUS.get(code, Outcome.NOT_FOUND if code < 400 else Outcome.BAD_REQUEST)

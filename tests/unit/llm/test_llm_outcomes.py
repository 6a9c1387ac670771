"""What statuses, bodies and exceptions of providers mean."""

from datetime import UTC, datetime

import httpx2
import pytest

from evolve.llm.contract import Outcome
from evolve.llm.error_text import MAX_MESSAGE, ErrorText
from evolve.llm.outcomes import ProtocolError, fault_of_event, fault_of_exception, fault_of_status
from evolve.llm.retry_after import LONGEST_SECONDS, retry_after_of

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def outcome(code: int, /, **error: object) -> Outcome:
    return fault_of_status(code, {"error": error}, {}, now=NOW).outcome


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (301, Outcome.NOT_FOUND),
        (400, Outcome.BAD_REQUEST),
        (401, Outcome.AUTH),
        (402, Outcome.QUOTA),
        (403, Outcome.AUTH),
        (404, Outcome.NOT_FOUND),
        (405, Outcome.NOT_FOUND),
        (408, Outcome.TIMEOUT),
        (409, Outcome.OVERLOADED),
        (413, Outcome.TOO_LONG),
        (418, Outcome.BAD_REQUEST),
        (422, Outcome.BAD_REQUEST),
        (429, Outcome.RATE_LIMITED),
        (500, Outcome.OVERLOADED),
        (501, Outcome.NOT_FOUND),
        (504, Outcome.OVERLOADED),
        (529, Outcome.OVERLOADED),
    ],
)
def test_a_status_without_a_body_has_one_meaning(code: int, expected: Outcome) -> None:
    assert fault_of_status(code, None, {}, now=NOW).outcome is expected


@pytest.mark.parametrize(
    "error",
    [
        {"code": "insufficient_quota", "message": "You exceeded your current quota"},
        {"type": "billing_error", "message": "pay"},
        {"details": {"error_code": "enforced_spend_limit_reached"}, "message": "spent"},
        {"type": "exceeded_current_quota_error", "message": "no"},
    ],
)
def test_a_429_that_waiting_does_not_help_is_a_spent_quota(error: dict[str, object]) -> None:
    assert outcome(429, **error) is Outcome.QUOTA


def test_a_429_that_speaks_of_a_quota_per_minute_is_a_rate_limit() -> None:
    text = "You exceeded your current quota, please check your plan and billing details. Retry in 20 s."

    assert outcome(429, code=429, status="RESOURCE_EXHAUSTED", message=text) is Outcome.RATE_LIMITED


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000",
        "the request exceeds the available context size",
        "Too many input tokens",
    ],
)
def test_a_400_about_the_window_is_too_long(message: str) -> None:
    assert outcome(400, message=message) is Outcome.TOO_LONG


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, {"code": "content_filter", "message": "The response was filtered"}),
        (400, {"code": "invalid_prompt", "message": "no"}),
        (400, {"message": "Output blocked by content filtering policy"}),
        (403, {"message": "Your input was flagged"}),
    ],
)
def test_a_block_by_a_rule_about_contents_is_a_refusal(code: int, error: dict[str, object]) -> None:
    assert outcome(code, **error) is Outcome.REFUSED


def test_a_400_about_the_account_is_a_spent_quota() -> None:
    assert outcome(400, message="Your credit balance is too low to access the API") is Outcome.QUOTA


@pytest.mark.parametrize(
    ("body", "message", "parameter"),
    [
        ({"error": {"message": "no such thing", "param": "n"}}, "no such thing", "n"),
        ({"message": "flat", "param": None}, "flat", ""),
        ({"error": "only words"}, "only words", ""),
        ({"type": "error", "error": {"type": "x", "message": "inside"}}, "inside", ""),
        ({"detail": "sentence"}, "sentence", ""),
        ({"detail": [{"loc": ["body", "stream_options"], "msg": "extra"}]}, "stream_options: extra", "stream_options"),
        ("<html><b>Bad</b>\n gateway</html>", "Bad gateway", ""),
        (None, "the server gave no reason", ""),
        ({}, "the server gave no reason", ""),
        (["odd"], "['odd']", ""),
        ({"detail": ["odd", 3]}, "{'detail': ['odd', 3]}", ""),
        ({"detail": [{"loc": 5, "msg": 1}]}, "1", ""),
        ("<" * 200_000, "<" * MAX_MESSAGE, ""),
        ({"error": {"message": {"nested": 1}, "code": 7}}, "{'nested': 1}", ""),
    ],
)
def test_a_body_is_read_in_every_shape(body: object, message: str, parameter: str) -> None:
    said = ErrorText.of(body)

    assert (said.message, said.parameter) == (message, parameter)


def test_what_a_server_quotes_behind_its_error_is_not_taken_for_its_words() -> None:
    quoted = "no such field; you sent: " + "x = 1; " * 80 + "prompt is too long, insufficient credits, content policy"

    assert outcome(400, message=quoted) is Outcome.BAD_REQUEST


def test_a_long_page_becomes_one_short_line() -> None:
    said = ErrorText.of("word\n" * 10_000)

    assert len(said.message) == MAX_MESSAGE
    assert "\n" not in said.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "overloaded_error", "message": "x"}, Outcome.OVERLOADED),
        ({"type": "rate_limit_error", "message": "x"}, Outcome.RATE_LIMITED),
        ({"code": "rate_limit_exceeded", "message": "x"}, Outcome.RATE_LIMITED),
        ({"code": 429, "message": "x"}, Outcome.RATE_LIMITED),
        ({"code": 502, "message": "x"}, Outcome.OVERLOADED),
        ({"code": "insufficient_quota", "message": "x"}, Outcome.QUOTA),
        ({"type": "authentication_error", "message": "x"}, Outcome.AUTH),
        ({"type": "timeout_error", "message": "x"}, Outcome.TIMEOUT),
        ({"type": "invalid_request_error", "message": "x"}, Outcome.BAD_REQUEST),
        ({"code": "bio_policy", "message": "x"}, Outcome.REFUSED),
        ({"code": "context_length_exceeded", "message": "x"}, Outcome.TOO_LONG),
        ({"code": "server_error", "message": "x"}, Outcome.OVERLOADED),
        ("boom", Outcome.OVERLOADED),
    ],
)
def test_an_error_inside_an_answer_is_told_by_its_words(body: object, expected: Outcome) -> None:
    assert fault_of_event(body).outcome is expected


@pytest.mark.parametrize(
    ("error", "expected", "is_sent"),
    [
        (httpx2.ConnectError("refused"), Outcome.TRANSPORT, False),
        (httpx2.ReadError("reset"), Outcome.TRANSPORT, True),
        (httpx2.RemoteProtocolError("incomplete"), Outcome.TRANSPORT, True),
        (httpx2.ConnectTimeout("slow"), Outcome.TIMEOUT, False),
        (httpx2.ReadTimeout("slow"), Outcome.TIMEOUT, True),
        (httpx2.UnsupportedProtocol("ftp"), Outcome.NOT_FOUND, False),
        (httpx2.DecodingError("gzip"), Outcome.PROTOCOL, True),
        (ValueError("Expecting value"), Outcome.PROTOCOL, True),
        (RecursionError("too deep"), Outcome.PROTOCOL, True),
        (ProtocolError("no stream"), Outcome.PROTOCOL, True),
        (ConnectionResetError("gone"), Outcome.TRANSPORT, True),
    ],
)
def test_an_exception_of_the_network_or_a_parser_has_one_meaning(
    error: Exception, expected: Outcome, *, is_sent: bool
) -> None:
    fault = fault_of_exception(error)

    assert (fault.outcome, fault.is_sent) == (expected, is_sent)
    assert str(error) in fault.detail


def test_an_error_that_says_nothing_is_told_by_its_cause() -> None:
    wrapped = RuntimeError("Connection error.")
    wrapped.__cause__ = httpx2.ReadTimeout("")

    assert fault_of_exception(wrapped).outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e999"}, LONGEST_SECONDS),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "Sat, 21 Nov 2026 12:00:25 GMT"}, 5.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Sat, 99 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_of(headers, now=NOW) == seconds

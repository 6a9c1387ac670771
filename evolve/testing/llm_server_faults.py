"""Errors of model servers as they look on the wire, by their usual names."""

import json
from collections.abc import Mapping
from typing import Any

from evolve.testing.llm_server_actions import Status

HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"


def status(code: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Status:
    """An error of `code`; without a body it is one that both kinds of SDK can read."""
    if body is None:
        body = error_body(f"this is error {code}", kind=_KIND_OF_STATUS.get(code, "api_error"))
    return Status(code, body if isinstance(body, str) else json.dumps(body), headers or {})


def error_body(message: str, *, kind: str = "invalid_request_error", code: str = "", param: str = "") -> dict[str, Any]:
    """The body of an error: OpenAI's fields, with Anthropic's `type` around them."""
    error = {"type": kind, "message": message, "code": code or None, "param": param or None}
    return {"type": "error", "error": error}


def rate_limited(retry_after: str = "", *, header: str = "retry-after") -> Status:
    """Too many requests, with or without the wish to be left alone for a while."""
    body = error_body("slow down", kind="rate_limit_error", code="rate_limit_exceeded")
    return status(429, body, {header: retry_after} if retry_after else {})


def quota_spent() -> Status:
    """Looks like a rate limit, but waiting will not help."""
    return status(429, error_body("no credit left", kind="insufficient_quota", code="insufficient_quota"))


def overloaded(code: int = 529) -> Status:
    """A server that cannot answer now."""
    return status(code, error_body("overloaded", kind="overloaded_error"))


def rejects(parameter: str, message: str = "") -> Status:
    """A model that does not know a parameter."""
    text = message or f"Unsupported parameter: '{parameter}' is not supported with this model."
    return status(400, error_body(text, param=parameter, code="unsupported_parameter"))


def too_long() -> Status:
    """A prompt beyond the model's window."""
    text = "This model's maximum context length is 8192 tokens, your messages have 9000."
    return status(400, error_body(text, code="context_length_exceeded", param="messages"))


def bad_json() -> Status:
    """Success, with a document that ends in its middle."""
    return Status(200, '{"id": "abc", "choices": [{"mess', {"content-type": "application/json"})


def html(code: int = 200) -> Status:
    """What a proxy or a login page says."""
    return Status(code, HTML, {"content-type": "text/html"})


def short_body() -> Status:
    """Fewer bytes than promised, then the end of the connection."""
    return Status(200, '{"id": "abc"', {"content-type": "application/json"}, n_missing=100)


_KIND_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}

"""Which wire format a route speaks: an answer as a list of frames or as one document."""

import json
from typing import Any

from evolve.testing.llm_server_answer import Spoken
from evolve.testing.llm_server_chat import chat_chunks, chat_whole
from evolve.testing.llm_server_messages import message_events, message_whole
from evolve.testing.llm_server_responses import responses_events, responses_whole


def frames_of(answer: Spoken) -> list[tuple[str, str]]:
    """The frames of a stream as (event name or nothing, data)."""
    if answer.request.route == "messages":
        return [(str(event["type"]), json.dumps(event, ensure_ascii=False)) for event in message_events(answer)]
    if answer.request.route == "responses":
        return [(str(event["type"]), json.dumps(event, ensure_ascii=False)) for event in responses_events(answer)]
    return [("", json.dumps(chunk, ensure_ascii=False)) for chunk in chat_chunks(answer)] + [("", "[DONE]")]


def whole_of(answer: Spoken) -> dict[str, Any]:
    """The same answer in one piece."""
    if answer.request.route == "messages":
        return message_whole(answer)
    if answer.request.route == "responses":
        return responses_whole(answer)
    return chat_whole(answer)


def error_frame(route: str, kind: str) -> tuple[str, str]:
    """An error in the middle of a stream."""
    error = {"type": kind, "code": kind, "message": f"boom: {kind}"}
    if route == "chat":
        return "", json.dumps({"error": error})
    return "error", json.dumps({"type": "error", "error": error} if route == "messages" else {**error, "type": "error"})

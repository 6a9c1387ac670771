"""An answer in the format of Anthropic's messages."""

from typing import Any

from evolve.testing.llm_server_actions import Finish
from evolve.testing.llm_server_answer import Spoken

_STOP = {Finish.STOP: "end_turn", Finish.LENGTH: "max_tokens", Finish.UNSAID: None}


def _usage(answer: Spoken, n_output: int) -> dict[str, int]:
    say = answer.say
    return {
        "input_tokens": answer.n_input - say.cached_tokens - say.cache_write_tokens,
        "cache_creation_input_tokens": say.cache_write_tokens,
        "cache_read_input_tokens": say.cached_tokens,
        "output_tokens": n_output,
    }


def _shell(answer: Spoken) -> dict[str, Any]:
    shell = {"id": answer.name, "type": "message", "role": "assistant", "model": answer.model, "content": []}
    start = {**shell, "stop_reason": None, "stop_sequence": None}
    return {**start, "usage": _usage(answer, 1)} if answer.say.has_usage else start


def _blocks(answer: Spoken) -> list[dict[str, Any]]:
    say = answer.say
    thinking = [{"type": "thinking", "thinking": say.thinking, "signature": "c2lnbmVk"}] if say.thinking else []
    silent = say.no_choices or say.content_null or (say.finish is Finish.REFUSAL and not answer.text)
    return thinking + ([] if silent else [{"type": "text", "text": answer.text}])


def _ending(answer: Spoken) -> dict[str, Any]:
    say = answer.say
    details = {"type": "refusal", "category": say.category, "explanation": "not this"}
    ending = {"stop_reason": _STOP.get(say.finish, "refusal"), "stop_sequence": None}
    return {**ending, "stop_details": details} if ending["stop_reason"] == "refusal" else ending


def message_events(answer: Spoken) -> list[dict[str, Any]]:
    """The events of a stream."""
    events: list[dict[str, Any]] = [{"type": "message_start", "message": _shell(answer)}]
    for index, block in enumerate(_blocks(answer)):
        deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces()]
        if block["type"] == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        empty = {key: value if key == "type" else "" for key, value in block.items()}
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending: dict[str, Any] = {"type": "message_delta", "delta": _ending(answer)}
    if answer.say.has_usage:
        ending["usage"] = _usage(answer, answer.n_output)
        ending["usage"]["output_tokens_details"] = {"thinking_tokens": answer.n_reasoning}
    return [*events, ending, {"type": "message_stop"}]


def message_whole(answer: Spoken) -> dict[str, Any]:
    """The answer in one piece."""
    whole = {**_shell(answer), **_ending(answer), "content": _blocks(answer)}
    return {**whole, "usage": _usage(answer, answer.n_output)} if answer.say.has_usage else whole

"""An answer in the format of chat completions."""

from typing import Any

from evolve.testing.llm_server_actions import Finish
from evolve.testing.llm_server_answer import Spoken

_FINISH = {Finish.REFUSAL: "stop", Finish.UNSAID: None}


def _usage(answer: Spoken) -> dict[str, Any]:
    say = answer.say
    return {
        "prompt_tokens": answer.n_input,
        "completion_tokens": answer.n_output,
        "total_tokens": answer.n_input + answer.n_output,
        "prompt_tokens_details": {"cached_tokens": say.cached_tokens, "cache_write_tokens": say.cache_write_tokens},
        "completion_tokens_details": {"reasoning_tokens": answer.n_reasoning},
    }


def _frame(answer: Spoken, **rest: Any) -> dict[str, Any]:
    return {"id": answer.name, "object": "chat.completion.chunk", "created": 1, "model": answer.model, **rest}


def chat_chunks(answer: Spoken) -> list[dict[str, Any]]:
    """The chunks of a stream, without the mark at its end."""
    say = answer.say
    key = "refusal" if say.finish is Finish.REFUSAL else "content"
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if say.content_null else ""}]
    if say.thinking:
        deltas.append({"reasoning_content": say.thinking})
    if not say.content_null:
        deltas += [{key: piece} for piece in answer.pieces()]
    finish = _FINISH.get(say.finish, say.finish.value)
    if say.no_choices:
        chunks = [_frame(answer, choices=[])]
    else:
        chunks = [_frame(answer, choices=[{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        chunks.append(_frame(answer, choices=[{"index": 0, "delta": {}, "finish_reason": finish}]))
    if say.has_usage:
        chunks.append(_frame(answer, choices=[], usage=_usage(answer)))
    return chunks


def chat_whole(answer: Spoken) -> dict[str, Any]:
    """The answer in one piece."""
    say = answer.say
    message: dict[str, Any] = {"role": "assistant", "content": None if say.content_null else answer.text}
    if say.finish is Finish.REFUSAL:
        message = {"role": "assistant", "content": None, "refusal": answer.text}
    if say.thinking:
        message["reasoning_content"] = say.thinking
    finish = _FINISH.get(say.finish, say.finish.value)
    choices = [] if say.no_choices else [{"index": 0, "message": message, "finish_reason": finish}]
    whole = {"id": answer.name, "object": "chat.completion", "created": 1, "model": answer.model, "choices": choices}
    return {**whole, "usage": _usage(answer)} if say.has_usage else whole

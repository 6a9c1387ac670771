"""An answer in the format of OpenAI's responses."""

from typing import Any

from evolve.testing.llm_server_actions import Finish
from evolve.testing.llm_server_answer import Spoken

_INCOMPLETE = {Finish.LENGTH: "max_output_tokens", Finish.CONTENT_FILTER: "content_filter"}


def responses_events(answer: Spoken) -> list[dict[str, Any]]:
    """The events of a stream, numbered in order."""
    whole = responses_whole(answer)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    events = [_event("response.created", response=begun), _event("response.in_progress", response=begun)]
    for index, item in enumerate(whole["output"]):
        events += _item_events(answer, index, item)
    # A finish without a word is an end that never comes: the format has no null reason.
    if answer.say.finish is not Finish.UNSAID:
        events.append(_event(f"response.{whole['status']}", response=whole))
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def responses_whole(answer: Spoken) -> dict[str, Any]:
    """The answer in one piece."""
    reason = _INCOMPLETE.get(answer.say.finish)
    return {
        "id": answer.name,
        "object": "response",
        "created_at": 1,
        "model": answer.model,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "output": _items(answer),
        "usage": _usage(answer) if answer.say.has_usage else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _event(kind: str, **rest: Any) -> dict[str, Any]:
    return {"type": kind, **rest}


def _items(answer: Spoken) -> list[dict[str, Any]]:
    say = answer.say
    summary = [{"type": "summary_text", "text": say.thinking}]
    thinking = [{"type": "reasoning", "id": "thought", "summary": summary}] if say.thinking else []
    if say.no_choices:
        return thinking
    part: dict[str, Any] = {"type": "output_text", "text": answer.text, "annotations": []}
    if say.finish is Finish.REFUSAL:
        part = {"type": "refusal", "refusal": answer.text}
    message = {"type": "message", "id": "words", "role": "assistant", "status": "completed"}
    return [*thinking, {**message, "content": [] if say.content_null else [part]}]


def _item_events(answer: Spoken, index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    place = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "reasoning":
        said = [_event("response.reasoning_summary_text.delta", delta=answer.say.thinking, summary_index=0, **place)]
    else:
        said = [event for part in item["content"] for event in _part_events(answer, part, place)]
    shell = {key: [] if isinstance(value, list) else value for key, value in item.items()}
    added = _event("response.output_item.added", output_index=index, item=shell)
    return [added, *said, _event("response.output_item.done", output_index=index, item=item)]


def _part_events(answer: Spoken, part: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    kind = part["type"]
    field = "text" if kind == "output_text" else "refusal"
    place = {**place, "content_index": 0}
    text_only: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
    deltas = [_event(f"response.{kind}.delta", delta=piece, **text_only, **place) for piece in answer.pieces()]
    added = _event("response.content_part.added", part={**part, field: ""}, **place)
    done = _event(f"response.{kind}.done", **{field: part[field]}, **text_only, **place)
    return [added, *deltas, done, _event("response.content_part.done", part=part, **place)]


def _usage(answer: Spoken) -> dict[str, Any]:
    say = answer.say
    return {
        "input_tokens": answer.n_input,
        "input_tokens_details": {"cached_tokens": say.cached_tokens, "cache_write_tokens": say.cache_write_tokens},
        "output_tokens": answer.n_output,
        "output_tokens_details": {"reasoning_tokens": answer.n_reasoning},
        "total_tokens": answer.n_input + answer.n_output,
    }

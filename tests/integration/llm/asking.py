"""What the tests of the three clients share: a prompt, a key that must never be seen, and a client at a server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evolve.llm.anthropic_client import anthropic_model
from evolve.llm.connection import Connection
from evolve.llm.contract import Completion, LanguageModel, Prompt, Turn
from evolve.llm.openai_client import chat_model, responses_model
from evolve.testing.llm_server import LLMServer

CANARY = "sk-canary-0123456789-not-a-key"
PROMPT = Prompt(
    system=("You improve programs.", "The task: sort."),
    turns=(Turn(role="user", text="Here is a program."),),
    max_output_tokens=100,
)
MAKE: dict[str, Callable[..., LanguageModel]] = {
    "chat": chat_model,
    "responses": responses_model,
    "messages": anthropic_model,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back, and the server that was asked."""

    completions: list[Completion]
    server: LLMServer

    @property
    def completion(self) -> Completion:
        """The last one."""
        return self.completions[-1]

    def body(self, number: int = -1) -> dict[str, Any]:
        """The JSON of a request."""
        body = self.server.requests[number].body
        assert isinstance(body, dict)
        return body


def model_at(route: str, server: LLMServer, **settings: Any) -> LanguageModel:
    """The client of a route, connected to the server."""
    url = server.root_url if route == "messages" else server.base_url
    known = {"model": "some-model", "api_key": CANARY, "base_url": url}
    return MAKE[route](Connection(**{**known, **settings}))

"""An answer whose text is settled: what every wire format needs."""

from dataclasses import dataclass

from evolve.testing.llm_server_actions import Request, Say


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said to one request."""

    request: Request
    say: Say
    text: str

    @property
    def model(self) -> str:
        """The model that was asked for, as servers repeat it."""
        return str(self.request.body.get("model", ""))

    @property
    def name(self) -> str:
        """An id that names the request."""
        return f"answer-{self.request.number}"

    @property
    def n_input(self) -> int:
        """Tokens of the request."""
        counted = self.say.input_tokens
        return -(-len(self.request.text) // 4) if counted is None else counted

    @property
    def n_output(self) -> int:
        """Tokens of the answer, reasoning included."""
        return -(-len(self.text) // 4) + self.n_reasoning

    @property
    def n_reasoning(self) -> int:
        """Tokens of the reasoning: as told, or as the words that are shown of it have."""
        return self.say.reasoning_tokens or -(-len(self.say.thinking) // 4)

    def pieces(self) -> list[str]:
        """The text in about equal parts, at least one."""
        size = max(1, -(-len(self.text) // max(1, self.say.n_pieces)))
        return [self.text[start : start + size] for start in range(0, len(self.text), size)] or [""]


def spoken(request: Request, say: Say) -> Spoken:
    """Settle the text of an answer."""
    return Spoken(request, say, say.text(request) if callable(say.text) else say.text)

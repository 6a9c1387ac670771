"""What every language model must do: a test class to inherit; `make` builds the model under test."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from evolve.llm.contract import Completion, LanguageModel, Outcome, Prompt, Turn

PROMPT = Prompt(system=("You improve programs.",), turns=(Turn(role="user", text="Say: ok"),), max_output_tokens=64)
SECONDS = 30.0


def use(model: LanguageModel, work: Callable[[LanguageModel], Awaitable[Any]]) -> Any:
    """Use a model and close it."""

    async def whole() -> Any:
        try:
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(whole())


async def answered(model: LanguageModel, prompt: Prompt = PROMPT) -> Completion:
    """One request with the deadlines of the suite."""
    return await model.complete(prompt, total_seconds=SECONDS, idle_seconds=SECONDS)


class LanguageModelConformance:
    """Inherit, and build a model that answers `ok` sooner or later. What it says beyond that is free."""

    @abstractmethod
    def make(self) -> LanguageModel:
        """A fresh model; always of the same name."""

    def test_it_has_a_name_that_stays(self) -> None:
        """Names tell the models of a run apart."""
        first, second = self.make(), self.make()

        names = [use(model, self._name) for model in (first, second)]

        assert names[0]
        assert names[0] == names[1]

    async def _name(self, model: LanguageModel) -> str:
        before = model.name
        await answered(model)
        assert model.name == before
        return before

    def test_a_request_ends_in_an_answer_with_tokens(self) -> None:
        """Tokens that a server does not count are estimated, never left out."""
        completion = use(self.make(), answered)

        assert completion.outcome is Outcome.OK
        assert completion.text
        assert completion.usage.input_tokens > 0
        assert completion.usage.output_tokens > 0
        assert completion.usage.cached_tokens + completion.usage.cache_write_tokens <= completion.usage.input_tokens
        assert completion.usage.reasoning_tokens <= completion.usage.output_tokens
        assert completion.seconds >= 0.0

    def test_requests_at_the_same_time_are_all_answered(self) -> None:
        """One model object serves every question of a run."""

        async def three(model: LanguageModel) -> list[Completion]:
            return list(await asyncio.gather(*(answered(model) for _ in range(3))))

        assert [completion.outcome for completion in use(self.make(), three)] == [Outcome.OK] * 3

    def test_it_never_says_what_only_the_service_can_know(self) -> None:
        """A request that was made was made."""
        completion = use(self.make(), answered)

        assert completion.outcome not in (Outcome.NO_BUDGET, Outcome.UNAVAILABLE)

    def test_closing_twice_is_no_harm(self) -> None:
        """Whoever cleans up need not know who did before."""

        async def close_too(model: LanguageModel) -> None:
            await answered(model)
            await model.close()

        use(self.make(), close_too)

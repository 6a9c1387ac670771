"""One way to ask the three clients: against a server that does what a test wants."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from evolve.llm.contract import Prompt
from evolve.testing.llm_server import serving
from evolve.testing.llm_server_actions import Action, Plan
from tests.integration.llm.asking import MAKE, PROMPT, Asked, model_at


@pytest.fixture(params=list(MAKE))
def route(request: pytest.FixtureRequest) -> str:
    """Each of the three formats."""
    return str(request.param)


@pytest.fixture
def ask() -> Callable[..., Asked]:
    """Ask a model `n` times; the server follows the plan."""

    def asking(
        route: str,
        plan: Plan | Action,
        *,
        n: int = 1,
        prompt: Prompt = PROMPT,
        total: float = 60.0,
        idle: float = 60.0,
        **settings: Any,
    ) -> Asked:
        async def whole() -> Asked:
            async with serving(plan) as server:
                model = model_at(route, server, **settings)
                try:
                    asks = [await model.complete(prompt, total_seconds=total, idle_seconds=idle) for _ in range(n)]
                finally:
                    await model.close()
                return Asked(asks, server)

        return asyncio.run(whole())

    return asking

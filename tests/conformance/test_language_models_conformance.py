"""The models of the box pass the conformance suite; the clients of providers do so against the loopback server."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolve.llm.contract import LanguageModel
from evolve.llm.fake import FakeModel
from evolve.llm.manual import ManualModel
from evolve.llm.scripted import Reply, ScriptedModel
from evolve.testing.llm_server import LLMServer, say, threaded
from evolve.testing.model_conformance import LanguageModelConformance
from tests.integration.llm.asking import model_at


class TestFakeModel(LanguageModelConformance):
    def make(self) -> LanguageModel:
        return FakeModel()


class TestScriptedModel(LanguageModelConformance):
    def make(self) -> LanguageModel:
        return ScriptedModel([Reply(text="ok", default=True)])


class TestManualModel(LanguageModelConformance):
    @pytest.fixture(autouse=True)
    def _person(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        over = threading.Event()
        seen: set[Path] = set()

        def answer() -> None:
            while not over.is_set():
                for path in set(tmp_path.glob("*.prompt.md")) - seen:
                    seen.add(path)
                    path.with_name(path.name.replace("prompt", "reply")).write_text("ok", encoding="utf-8")
                time.sleep(0.005)

        person = threading.Thread(target=answer)
        person.start()
        yield
        over.set()
        person.join()

    def make(self) -> LanguageModel:
        return ManualModel(self.folder, poll_seconds=0.01)


class ProviderConformance(LanguageModelConformance):
    route = ""

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with threaded(say("ok")) as server:
            self.server: LLMServer = server
            yield

    def make(self) -> LanguageModel:
        return model_at(self.route, self.server)


class TestChatModel(ProviderConformance):
    route = "chat"


class TestResponsesModel(ProviderConformance):
    route = "responses"


class TestAnthropicModel(ProviderConformance):
    route = "messages"

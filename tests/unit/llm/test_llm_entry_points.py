"""Models from other packages, found by entry points."""

import asyncio
from pathlib import Path

import pytest

from evolve.llm.contract import Prompt, Turn
from evolve.llm.mix import Mix, ModelOptions, open_mix

MODULE = """
from evolve.llm.contract import Completion, Outcome


class Parrot:
    def __init__(self, model, *, name, api_key, base_url):
        self.name = name
        self._words = f"{model} {api_key} {base_url}"

    async def complete(self, prompt, *, total_seconds, idle_seconds):
        return Completion(outcome=Outcome.OK, text=self._words)

    async def close(self):
        pass


def misnamed(model, *, name, api_key, base_url):
    return Parrot(model, name="other", api_key=api_key, base_url=base_url)
"""
ENTRY_POINTS = """
[evolve.models]
parrot = foreign_model:Parrot
misnamed = foreign_model:misnamed
missing = foreign_model:nowhere
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    information = tmp_path / "packages" / "foreign_model-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-model\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "packages" / "foreign_model.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return tmp_path


def opened(home: Path, model: str) -> Mix:
    return open_mix(ModelOptions(models=(model,)), environment={"HOME": str(home), "EVOLVE_API_KEY_PARROT": "its-key"})


def test_a_model_of_another_package_is_asked_by_its_providers_name(home: Path) -> None:
    mix = opened(home, "parrot:grey@http://127.0.0.1:1")
    prompt = Prompt(system=(), turns=(Turn(role="user", text="?"),))

    completion = asyncio.run(mix.entries[0].client.complete(prompt, total_seconds=1.0, idle_seconds=1.0))

    assert completion.text == "grey its-key http://127.0.0.1:1"
    assert mix.entries[0].price is None


@pytest.mark.parametrize(("model", "said"), [("misnamed:x", 'called "other"'), ("missing:x", "cannot be loaded")])
def test_a_package_that_does_not_keep_its_word_is_unusable(home: Path, model: str, said: str) -> None:
    mix = opened(home, model)

    assert mix.entries == ()
    assert said in mix.unusable[model]

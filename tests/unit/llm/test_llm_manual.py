"""The manual model: a folder in which prompts appear and replies are left."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from evolve.errors import UsageError
from evolve.llm.contract import Completion, Outcome, Prompt, Turn
from evolve.llm.manual import ManualModel

PROMPT = Prompt(
    system=("The rules.",),
    turns=(
        Turn(role="user", text="Write."),
        Turn(role="assistant", text="No."),
        Turn(role="user", text="Please \ud800."),
    ),
)


class Person:
    """Does one thing whenever the model looks again; the model waits for nobody else."""

    def __init__(self, *deeds: Callable[[], object]) -> None:
        self.deeds = list(deeds)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        if self.deeds:
            self.deeds.pop(0)()


def answer(folder: Path, sleep: Callable[[float], Awaitable[None]], prompt: Prompt = PROMPT) -> Completion:
    async def wait() -> Completion:
        model = ManualModel(folder, name="manual:x", sleep=sleep)
        return await asyncio.wait_for(model.complete(prompt, total_seconds=0.0, idle_seconds=0.0), 60.0)

    return asyncio.run(wait())


def interrupted(folder: Path) -> None:
    """A session that ends while the person still thinks."""

    async def stop(seconds: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        answer(folder, stop)


def test_a_prompt_appears_whole_and_its_reply_is_the_answer(tmp_path: Path) -> None:
    box = tmp_path / "new" / "box"
    person = Person(lambda: (box / "0001.reply.md").write_text("the code", encoding="utf-8"))

    completion = answer(box, person.sleep)

    assert (completion.outcome, completion.text, completion.request_id) == (Outcome.OK, "the code", "1")
    text = (box / "0001.prompt.md").read_text(encoding="utf-8")
    assert text.index("The rules.") < text.index("Write.") < text.index("You answered") < text.index("Please")
    assert sorted(path.name for path in box.iterdir()) == ["0001.prompt.md", "0001.reply.used.md"]


def test_a_reply_counts_only_when_it_stops_growing(tmp_path: Path) -> None:
    path = tmp_path / "0001.reply.md"
    person = Person(
        path.touch,
        lambda: None,
        lambda: None,
        lambda: path.write_text("the", encoding="utf-8"),
        lambda: path.write_text("the whole", encoding="utf-8"),
        lambda: path.write_text("the whole code", encoding="utf-8"),
    )

    assert answer(tmp_path, person.sleep).text == "the whole code"


def test_a_reply_renamed_into_place_is_read(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_text("done", encoding="utf-8")
    person = Person(lambda: draft.replace(tmp_path / "0001.reply.md"))

    assert answer(tmp_path, person.sleep).text == "done"


def test_a_restart_finds_its_prompt_and_the_reply_that_came_meanwhile(tmp_path: Path) -> None:
    interrupted(tmp_path)
    (tmp_path / "0001.reply.md").write_text("while you were away", encoding="utf-8")

    completion = answer(tmp_path, Person().sleep)

    assert completion.text == "while you were away"
    assert not (tmp_path / "0002.prompt.md").exists()


def test_the_same_prompt_asked_again_is_a_new_question(tmp_path: Path) -> None:
    first = Person(lambda: (tmp_path / "0001.reply.md").write_text("reply 1", encoding="utf-8"))
    second = Person(lambda: (tmp_path / "0002.reply.md").write_text("reply 2", encoding="utf-8"))

    assert [answer(tmp_path, person.sleep).text for person in (first, second)] == ["reply 1", "reply 2"]


def test_equal_prompts_at_the_same_time_get_a_file_each(tmp_path: Path) -> None:
    def reply_to_both() -> None:
        for number in (1, 2):
            (tmp_path / f"000{number}.reply.md").write_text(f"reply {number}", encoding="utf-8")

    person = Person(lambda: None, lambda: None, reply_to_both)
    model = ManualModel(tmp_path, sleep=person.sleep)

    async def both() -> list[str]:
        asked = (model.complete(PROMPT, total_seconds=0.0, idle_seconds=0.0) for _ in range(2))
        return sorted(completion.text for completion in await asyncio.gather(*asked))

    assert asyncio.run(both()) == ["reply 1", "reply 2"]


def test_a_reply_of_blanks_is_empty(tmp_path: Path) -> None:
    person = Person(lambda: (tmp_path / "0001.reply.md").write_text(" \n", encoding="utf-8"))

    assert answer(tmp_path, person.sleep).outcome is Outcome.EMPTY


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="cannot be made"):
        ManualModel(tmp_path / "file")

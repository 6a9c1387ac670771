"""The controller's end of the process that speaks with Ray, against one that has no Ray."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors import ray_process
from evolve.executors.ray_process import RayProcess


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.executors.ray_link.LONGEST_PLACE", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


class Ear:
    """What was heard, and the loss if there was one."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.losses: list[ResumableError] = []
        self.process = RayProcess(hear=self.hear, lost=self.losses.append, program="evolve.testing.ray_driver")

    def hear(self, message: Mapping[str, Any], blob: bytes) -> None:
        self.said.append((message["say"], blob))

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await asyncio.sleep(0.01)


def with_one(manner: str, use: Callable[[Ear], Awaitable[None]] | None = None) -> Ear:
    ear = Ear()

    async def whole() -> None:
        try:
            await ear.process.open({"address": manner}, {})
            if use is not None:
                await use(ear)
        finally:
            await ear.process.close()

    asyncio.run(whole())
    return ear


def test_what_is_asked_for_is_answered_and_nothing_is_left(tmp_path: Path) -> None:
    async def use(ear: Ear) -> None:
        ear.process.say({"do": "fly", "flight": 7}, b"a parcel")
        await ear.until(lambda: ear.said[-1][0] == "landed")

    ear = with_one("obedient", use)

    assert ear.said == [("look", b""), ("ready", b""), ("landed", b"a parcel")]
    assert ear.losses == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("wrong", "there is no cluster\nstart one"),
        ("broken", "the Ray cluster at broken cannot be used: Ray ended: something went wrong below"),
        ("mute", "the Ray cluster at mute did not answer within"),
    ],
)
def test_a_cluster_that_cannot_be_joined_is_an_error_in_time(
    manner: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if manner == "mute":
        monkeypatch.setattr(ray_process, "JOIN_SECONDS", 0.05)
        monkeypatch.setattr(ray_process, "CLOSE_SECONDS", 0.05)

    with pytest.raises(EvolveEnvironmentError) as error:
        with_one(manner)

    assert words in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_is_the_loss_of_the_cluster() -> None:
    async def use(ear: Ear) -> None:
        ear.process.say({"do": "fly", "flight": 1}, b"")
        await ear.until(lambda: ear.losses)

    ear = with_one("mortal", use)

    assert [str(each).splitlines()[0] for each in ear.losses] == ["the Ray cluster is gone: Ray ended: it was too much"]


def test_long_silence_is_the_loss_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_process, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(ray_process, "SILENT_SECONDS", 0.05)

    async def use(ear: Ear) -> None:
        await ear.until(lambda: ear.losses)

    ear = with_one("silent", use)

    assert [str(each).splitlines()[0] for each in ear.losses] == [
        "the Ray cluster is gone: its head has not answered for 0 s"
    ]


def test_one_that_does_not_end_by_itself_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_process, "CLOSE_SECONDS", 0.05)

    ear = with_one("deaf")

    assert ear.losses == []
    assert ear.process._process is not None
    assert ear.process._process.returncode == -9
    assert list(tmp_path.iterdir()) == []

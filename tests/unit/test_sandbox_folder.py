import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from sandbox.place import FOLDER_PREFIX, make_folder


@pytest.fixture(autouse=True)
def private_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_dead_server_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    dead, alive, other = tmp_path / f"{FOLDER_PREFIX}dead", tmp_path / f"{FOLDER_PREFIX}alive", tmp_path / "other"
    for folder in (dead, alive, other):
        (folder / "inside").mkdir(parents=True)
    lock = os.open(alive, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)

    own = make_folder()

    os.close(lock)
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()
    assert own.exists()


def test_a_link_with_the_name_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "inside").mkdir(parents=True)
    (tmp_path / f"{FOLDER_PREFIX}link").symlink_to(precious)

    make_folder()

    assert (precious / "inside").exists()

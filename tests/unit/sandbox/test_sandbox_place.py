"""The server's folder and the sessions' folders in it, and what it takes to get rid of what a candidate left there."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from sandbox.filetree import SCRATCH
from sandbox.place import FOLDER_PREFIX, Place, make_folder
from sandbox.removal import remove_tree

TOO_DEEP = 1200  # deeper than Python's stack, and than the kernel's longest path
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(proc=-1, own_pids=None, folder=tmp_path)


def nest(folder: str, depth: int, name: str = "deep") -> None:
    """Make folders in folders, as no path could name them."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


# homes


def test_a_home_is_empty_and_cannot_be_written_to(place: Place) -> None:
    home = place.make_home(3, uid=None, is_writable=False)

    assert os.listdir(home) == []
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o500


def test_a_scratch_folder_is_its_owners_alone(place: Place) -> None:
    home = place.make_home(3, uid=None, is_writable=True)

    assert stat.S_IMODE(os.stat(home).st_mode) == 0o700


@needs_root
def test_a_scratch_folder_belongs_to_the_uid_of_its_session_and_another_home_stays_ours(place: Place) -> None:
    scratch = os.stat(place.make_home(3, uid=54321, is_writable=True))
    home = os.stat(place.make_home(4, uid=54321, is_writable=False))

    assert (scratch.st_uid, scratch.st_gid) == (54321, 54321)
    assert home.st_uid == 0
    assert stat.S_IMODE(home.st_mode) == 0o555


def test_in_a_file_tree_of_its_own_every_home_is_the_same_and_is_neither_made_nor_removed() -> None:
    place = Place(proc=-1, own_pids=None)

    home = place.make_home(3, uid=None, is_writable=True)
    place.remove_home(home)
    place.end()

    assert home == SCRATCH


def test_homes_have_different_names(place: Place) -> None:
    assert len({place.make_home(number, uid=None, is_writable=False) for number in range(5)}) == 5


# removal


@pytest.mark.parametrize("is_writable", [False, True])
def test_a_home_goes_with_all_that_is_in_it(place: Place, tmp_path: Path, is_writable: bool) -> None:
    home = Path(place.make_home(1, uid=None, is_writable=is_writable))
    home.chmod(0o700)
    (home / "a/b/c").mkdir(parents=True)
    (home / "a/b/file").write_text("text")
    (home / "file").write_text("text")
    (home / "link").symlink_to("a/b/file")
    home.chmod(0o500)

    place.remove_home(str(home))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o300, 0o400])
def test_a_folder_that_its_owner_may_not_look_into_goes(place: Place, tmp_path: Path, mode: int) -> None:
    home = Path(place.make_home(1, uid=None, is_writable=True))
    (home / "closed/inner").mkdir(parents=True)
    (home / "closed/inner/file").write_text("text")
    (home / "closed/inner").chmod(mode)
    (home / "closed").chmod(mode)
    home.chmod(mode)

    place.remove_home(str(home))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["d", "d" * 100], ids=["short", "long"])
def test_a_folder_deeper_than_any_stack_or_path_goes(place: Place, tmp_path: Path, name: str) -> None:
    home = place.make_home(1, uid=None, is_writable=True)
    nest(home, TOO_DEEP, name)

    place.remove_home(home)

    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(place: Place, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "inside").mkdir(parents=True)
    (precious / "file").write_text("text")
    home = Path(place.make_home(1, uid=None, is_writable=True))
    (home / "to-folder").symlink_to(precious)
    (home / "to-file").symlink_to(precious / "file")
    (home / "deep").mkdir()
    (home / "deep/to-folder").symlink_to(precious)
    (home / "hard").hardlink_to(precious / "file")

    place.remove_home(str(home))

    assert sorted(os.listdir(tmp_path)) == ["precious"]
    assert sorted(os.listdir(precious)) == ["file", "inside"]
    assert stat.S_IMODE(precious.stat().st_mode) != 0


def test_a_link_or_a_file_in_the_place_of_the_folder_is_not_followed_and_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(precious)
    (tmp_path / "file").write_text("text")

    for name in ("link", "file", "missing"):
        remove_tree(tmp_path / name)

    assert sorted(os.listdir(tmp_path)) == ["file", "link", "precious"]
    assert (precious / "inside").exists()


def test_a_wide_folder_with_every_kind_of_file_goes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for number in range(30):
        (folder / f"{number}/a/b").mkdir(parents=True)
        os.mkfifo(folder / f"{number}/a/pipe")
        (folder / f"{number}/a/nowhere").symlink_to("/no/such/file")

    remove_tree(folder)

    assert list(tmp_path.iterdir()) == []


def test_the_end_removes_the_servers_folder(tmp_path: Path) -> None:
    place = Place(proc=-1, own_pids=None, folder=tmp_path / "folder")
    (tmp_path / "folder").mkdir()
    nest(str(tmp_path / "folder"), TOO_DEEP)

    place.end()

    assert list(tmp_path.iterdir()) == []


def test_the_next_server_gets_rid_of_what_a_dead_one_left_however_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / f"{FOLDER_PREFIX}dead"
    dead.mkdir()
    nest(str(dead), TOO_DEEP)

    own = make_folder()

    assert list(tmp_path.iterdir()) == [own]

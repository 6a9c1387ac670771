"""Where a fork server stands: its views of /proc and process numbers, and its folder, if it needs one."""

import fcntl
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.filetree import SCRATCH
from sandbox.removal import remove_tree

FOLDER_PREFIX = "evolve-sandbox-"
PUBLIC_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 the folder in it has a random name and a lock


@dataclass(slots=True, kw_only=True)
class Place:
    """What does not change while a server lives.

    `proc` is a descriptor of the /proc that was there at the start: it outlives the change of the file tree.
    `own_pids` is one of the own process namespace, or None when children share it. `folder` holds the sessions'
    folders where there is no private file tree.
    """

    proc: int
    own_pids: int | None
    folder: Path | None = None

    def make_home(self, number: int, *, uid: int | None, is_writable: bool) -> str:
        """The working directory of a session: empty, and writable only if it is a scratch folder.

        Raises:
            OSError: it cannot be made.
        """
        if self.folder is None:
            return SCRATCH
        home = self.folder / str(number)
        if is_writable:
            home.mkdir(mode=0o700)
            if uid is not None:
                os.chown(home, uid, uid)
        else:
            home.mkdir(mode=0o500 if uid is None else 0o555)
        return str(home)

    def remove_home(self, home: str) -> None:
        """Remove a session's working directory with all that its process left there."""
        if self.folder is None:
            return
        try:
            os.rmdir(home)
        except OSError:  # the candidate made something in it
            remove_tree(home)

    def end(self) -> None:
        """Remove the folder."""
        if self.folder is not None:
            remove_tree(self.folder)


def make_folder(*, for_others: bool = False) -> Path:
    """A folder for the sessions' own folders, locked while this process lives; folders of dead servers go.

    Args:
        for_others: other uids have to reach it, which a temporary folder of one's own may not allow.
    """
    places = [tempfile.gettempdir(), *(PUBLIC_PLACES if for_others else ())]
    place = next((each for each in places if not for_others or _lets_others_pass(each)), places[0])
    for stale in Path(place).glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):  # another user's, or gone already
            handle = os.open(stale, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(handle).st_uid == os.geteuid():  # anyone may make a folder of this name
                    remove_tree(stale)
            finally:
                os.close(handle)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=place))
        with suppress(FileNotFoundError):  # another server swept it before it was locked
            fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
            folder.chmod(0o711)
            return folder


def _lets_others_pass(folder: str) -> bool:
    """Whether every user may go through this folder and those above it."""
    path = Path(folder).resolve()
    try:
        return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
    except OSError:
        return False

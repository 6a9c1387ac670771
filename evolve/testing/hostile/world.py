"""The world around an attack: files worth stealing or breaking, servers that note who calls, and what is known of them.

Everything lies in one new folder with a random name; every secret is random, so one that turns up was stolen.
"""

import contextlib
import hashlib
import json
import os
import secrets
import select
import socket
import sysconfig
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from evolve.testing.hostile import honest
from evolve.testing.hostile.removal import remove

PREFIX = "evolve-hostile-"
SECRETS = (
    "environment",
    "memory",
    "descriptor",
    "dotenv",
    "sshkey",
    "hidden",
    "evaluator",
    "earlier",
    "neighbour",
    "scratch",
)
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/mqueue")  # noqa: S108 looked through, not used


class World:
    """The files and servers. `secrets` are never given to a candidate, `knowledge` is.

    `time_of_secret` is when the secret file was written, in nanoseconds: who knows it has noticed the file.
    """

    def __init__(self, *, site_packages: Path | None = None) -> None:
        """Make the folder and start to listen; `site_packages` is where installed modules lie (None: a stand-in)."""
        self.name = f"hostile{secrets.token_hex(8)}"
        self.secrets = {name: f"secret-{name}-{secrets.token_hex(12)}" for name in SECRETS}
        self.key = secrets.randbelow(2**30) + 2**29
        self.expected = secrets.randbelow(10**15) + secrets.randbelow(10**6) / 2**20
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o755)
        self._installed = site_packages or self.folder / "home" / "site-packages"
        self._write_files()
        self._servers = _listen(self.folder, self.name)

    def knowledge(self) -> dict[str, Any]:
        """What every attacker is told: paths, ports, names. Plain data; the engine adds its own pids."""
        home, evaluator = self.folder / "home", self.folder / "evaluator"
        paths = {
            "folder": self.folder,
            "home": home,
            "dotenv": home / ".env",
            "ssh_key": home / ".ssh" / "id_ed25519",
            "database": home / "run.db",
            "evaluator": evaluator / "evaluate.py",
            "expected_path": evaluator / "evaluate.py",
            "hidden_tests": evaluator / "hidden_tests.json",
            "site_packages": self._installed,
            "shared": self.folder / "shared",
            "work": self.folder / "work",
            "unix_path": self.folder / "shared" / "server",
        }
        tcp, udp, *_ = self._servers
        return {
            **{key: str(path) for key, path in paths.items()},
            "tcp_port": tcp.getsockname()[1],
            "udp_port": udp.getsockname()[1],
            "abstract_name": self.name,
            "name": self.name,
            "key": self.key,
            "uid": os.getuid(),
            "is_root": os.getuid() == 0,
        }

    def repair(self, *, with_work: bool) -> None:
        """Put back what an attack changed in the folder, and remove what it left elsewhere."""
        for server in self._servers:
            server.close()
        for path in (*self.planted(), *self.folder.iterdir()):
            if with_work or path.name != "work":
                remove(path)
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self._write_files()
        self._servers = _listen(self.folder, self.name)

    def tidy(self, keep: Collection[str]) -> None:
        """Empty the folder where peers work, but for what others than the last candidate left there."""
        with contextlib.suppress(FileNotFoundError):
            for path in (self.folder / "work").iterdir():
                if path.name not in keep:
                    remove(path)

    def calls(self) -> tuple[str, ...]:
        """Which servers were reached since the last time."""
        reached = []
        for server, kind in zip(self._servers, ("tcp", "udp", "unix", "abstract unix"), strict=True):
            while select.select([server], [], [], 0)[0]:
                reached.append(f"the {kind} server was reached")
                if server.type == socket.SOCK_STREAM:
                    server.accept()[0].close()
                else:
                    server.recv(4096)
        return tuple(dict.fromkeys(reached))

    def portrait(self, *, with_work: bool) -> dict[str, str]:
        """Every file of the folder, by what must not change; `with_work` includes the folder where peers work."""
        seen = {}
        for place, folders, files in os.walk(self.folder):
            if not with_work and place == str(self.folder):
                folders.remove("work")
            for path in (Path(place, name) for name in (*folders, *files)):
                seen[str(path.relative_to(self.folder))] = _portrait_of(path)
        return seen

    def planted(self) -> list[Path]:
        """What carries the world's name in folders that everyone shares, or in the sandbox's own."""
        temporary = Path(tempfile.gettempdir())
        folders = {*map(Path, _SHARED_FOLDERS), self._installed, temporary}
        for sandbox in temporary.glob("evolve-sandbox-*"):
            folders |= {sandbox / name for name in _names_in(sandbox)}
        return [folder / name for folder in folders for name in _names_in(folder) if self.name in name]

    def close(self) -> None:
        """Remove everything; harmless when repeated."""
        for server in self._servers:
            server.close()
        for path in (*self.planted(), self.folder):
            remove(path)

    def _write_files(self) -> None:
        secret = self.secrets
        evaluator = honest.TEXT.format(expected=self.expected, hidden=secret["evaluator"])
        self._write("home/.env", f"API_KEY={secret['dotenv']}\n", 0o644)
        self._write("home/.ssh/id_ed25519", f"KEY {secret['sshkey']}\n", 0o600)
        self._write("home/run.db", "canary " * 100, 0o644)
        self._write("home/site-packages/installed.py", "VALUE = 1\n", 0o644)
        self._write("evaluator/evaluate.py", evaluator, 0o644)
        self._write("evaluator/hidden_tests.json", json.dumps([secret["hidden"]]), 0o644)
        self._write("work/candidate_0/notes.txt", secret["scratch"], 0o644)
        self._write("shared/list.txt", "one\n", 0o644)
        self.time_of_secret = str((self.folder / "home" / ".env").stat().st_mtime_ns)
        (self.folder / "shared").chmod(0o777)
        (self.folder / "work").chmod(0o777)

    def _write(self, name: str, text: str, mode: int) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)


def _listen(folder: Path, name: str) -> tuple[socket.socket, ...]:
    """Servers that nobody may reach: two on loopback, two by name."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix, abstract = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
    path = folder / "shared" / "server"
    place = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        unix.bind(f"/proc/self/fd/{place}/server")  # the whole path may be longer than an address can be
    finally:
        os.close(place)
    path.chmod(0o777)
    abstract.bind(f"\0{name}")
    for server in (unix, abstract):
        server.listen()
    return tcp, udp, unix, abstract


def _names_in(folder: Path) -> list[str]:
    """What a folder holds; nothing if it is none, or gone: sandboxes of others come and go meanwhile."""
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def _portrait_of(path: Path) -> str:
    state = path.lstat()
    content = ""
    if path.is_file() and not path.is_symlink():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    attributes: Mapping[str, bytes] = {}
    with contextlib.suppress(OSError):
        attributes = {name: os.getxattr(path, name) for name in os.listxattr(path, follow_symlinks=False)}
    links = state.st_nlink if path.is_file() else 0
    times = state.st_mtime_ns if path.is_file() else 0
    return f"{state.st_mode:o} {state.st_uid} {state.st_gid} {links} {times} {content} {attributes}"


def installed_modules() -> Path:
    """Where this interpreter's installed modules lie."""
    return Path(sysconfig.get_path("purelib"))

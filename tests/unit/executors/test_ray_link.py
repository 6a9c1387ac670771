"""Where a cluster is to be found, and what is said where none can be started, without Ray."""

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from evolve.errors import EvolveEnvironmentError
from evolve.executors.ray_link import open_place, reachable, remove_place, start_hint


@pytest.mark.parametrize(
    "address",
    ["", ":6379", "127.0.0.1:port", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]:6379", "ray://127.0.0.1:1", "http://h:1"],
)
def test_what_is_no_address_is_told_with_what_is_expected(address: str) -> None:
    with pytest.raises(EvolveEnvironmentError, match=r"expected auto or HOST\[:PORT\]"):
        reachable(address)


def test_an_address_where_somebody_listens_is_taken_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert reachable(address) == address
    assert reachable("auto") == "auto"


def test_a_full_disk_is_named_where_no_cluster_could_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1 << 19))
    assert start_hint(tmp_path / "place").startswith(f"{tmp_path} has only 0.5 MiB left")


def test_the_folder_of_a_cluster_is_its_owner_s_alone_and_goes() -> None:
    place = open_place()
    try:
        assert place.stat().st_mode & 0o077 == 0
        (place / "ray").mkdir()
    finally:
        remove_place(place)
    assert not place.exists()

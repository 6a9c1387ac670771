"""The command line with Ray, in processes as users start them: what they say, how they end, what they leave."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EXIT_ENVIRONMENT, EXIT_FINISHED, EXIT_RESUMABLE, EXIT_USAGE
from tests.conftest import PYTHON_EVALUATE, PYTHON_SEED, PYTHON_TOML, write_problem
from tests.extent import ALL_TESTS
from tests.integration.ray.cluster_process import ClusterProcess, cluster_process
from tests.marked_processes import leftovers, marked, wait_for

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]

EVOLVE = [sys.executable, "-m", "evolve"]
ROOT = Path(__file__).parents[3]
SEARCH = ["--seed", "7", "--workers", "2", "--unsafe-sandbox", "--json"]
LONG = ["--evaluations", "100000"]
TIMEOUT_SECONDS = 200
KEY = {"OPENAI_API_KEY": "sk-canary-9f31c7", "EVOLVE_OF_MINE": "canary-5d20"}
"""In the environment of every command here; nothing of it may be found anywhere in a cluster."""

dear = pytest.mark.skipif(not ALL_TESTS, reason="a quarter of a minute each: only with EVOLVE_ALL_TESTS=1")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for temporary files that a command has for itself, with a path short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)


def joined(cluster: ClusterProcess, place: Path) -> dict[str, str]:
    return {**cluster.environment(place), "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": "/nonexistent", **KEY}


def alone(place: Path, **changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return {**kept, "TMPDIR": str(place), "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": "/nonexistent", **KEY, **changes}


def evolve(*words: object, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    given = [*EVOLVE, *map(str, words)]
    return subprocess.run(given, env=env, cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


def documents(text: str) -> list[dict[str, Any]]:
    """Every line of the output, each of which has to be JSON."""
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def started(*words: object, env: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that has begun to search, told by its first two lines."""
    given = [*EVOLVE, *map(str, words)]
    with subprocess.Popen(
        given, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            for _ in range(2):
                json.loads(process.stdout.readline())
            yield process
        finally:
            process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run on the shared cluster, still to be gone on with: where it is, what it was started with."""

    cwd: Path
    problem: Path
    env: dict[str, str]
    place: Path
    ended: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def recorded(shared_cluster: ClusterProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    cwd = tmp_path_factory.mktemp("recorded")
    problem = write_problem(cwd / "toy", toml=PYTHON_TOML, seed=PYTHON_SEED, evaluate=PYTHON_EVALUATE)
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        env = joined(shared_cluster, Path(folder))
        words = ["run", problem, *SEARCH, "--ray-address", shared_cluster.address, "--evaluations", 30]
        ended = evolve(*words, "--run-dir", "ray", env=env, cwd=cwd)
        yield Recorded(cwd=cwd, problem=problem, env=env, place=Path(folder), ended=ended)


def test_a_run_on_ray_is_that_on_this_machine_and_either_goes_on_with_the_other(
    shared_cluster: ClusterProcess, recorded: Recorded
) -> None:
    def done(*words: object) -> dict[str, Any]:
        ended = evolve(*words, *SEARCH[2:], env=recorded.env, cwd=recorded.cwd)
        assert ended.returncode == EXIT_FINISHED, ended.stderr
        return documents(ended.stdout)[-1]

    ray = ["--ray-address", shared_cluster.address]
    assert recorded.ended.returncode == EXIT_FINISHED, recorded.ended.stderr
    on = done("resume", "ray", "--executor", "local", "--evaluations", 40)
    back = done("resume", "ray", *ray, "--evaluations", 60)
    here = done("run", recorded.problem, *SEARCH[:2], "--evaluations", 60, "--run-dir", "local")
    checked = evolve("verify", "ray", "--json", env=recorded.env, cwd=recorded.cwd)

    assert [each["evaluations"] for each in (on, back, here)] == [40, 60, 60]
    assert back["archive_hash"] == here["archive_hash"]
    assert documents(checked.stdout)[-1]["verdict"] == "certified"
    assert leftovers(recorded.place) == []
    assert leftover_files(recorded.place) == []


def test_no_key_is_in_the_files_the_processes_or_the_object_store_of_a_cluster(
    shared_cluster: ClusterProcess, recorded: Recorded
) -> None:
    keys = [key.encode() for key in KEY.values()]
    assert recorded.ended.returncode == EXIT_FINISHED, recorded.ended.stderr
    texts = {str(path): contents(path) for path in shared_cluster.folder.rglob("*")}
    for pid in marked(shared_cluster.folder):
        texts[f"environment of {pid}"] = contents(Path(f"/proc/{pid}/environ"))
        texts |= {f"objects of {pid}": contents(path) for path in object_stores(pid)}
    assert [name for name in texts if name.startswith("objects of")]
    assert [name for name, text in texts.items() if any(key in text for key in keys)] == []
    assert [text for text in texts.values() if shared_cluster.token.read_bytes() in text] == [
        shared_cluster.token.read_bytes()
    ]


@dear
def test_a_local_run_is_repeated_on_ray(shared_cluster: ClusterProcess, recorded: Recorded) -> None:
    words = [*SEARCH, "--evaluations", 30, "--run-dir", "there"]
    there = evolve("run", recorded.problem, *words, env=recorded.env, cwd=recorded.cwd)
    assert there.returncode == EXIT_FINISHED, there.stderr

    ray = ["--ray-address", shared_cluster.address, "--run-dir", "again"]
    again = evolve("run", "--replay", "there", *ray, *SEARCH[2:], env=recorded.env, cwd=recorded.cwd)

    assert again.returncode == EXIT_FINISHED, again.stderr
    assert documents(again.stdout)[-1]["replay_equal"] is True


def contents(path: Path) -> bytes:
    """What a file holds; nothing where it is none, or is gone."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def object_stores(pid: int) -> list[Path]:
    """The memory that a process shares as Ray's object store, which has no name in the file system."""
    try:
        return [path for path in Path(f"/proc/{pid}/fd").iterdir() if "plasma" in os.readlink(path)]
    except OSError:
        return []


def leftover_files(place: Path) -> list[str]:
    """What lies in the folder for temporary files, but what workers keep for the next run: unpacked problems."""
    return [path.name for path in place.iterdir() if not path.name.startswith("evolve-problems-")]


def our_workers(cluster: ClusterProcess) -> list[str]:
    """Evaluators' processes that still live in the cluster, after some patience."""

    def living() -> list[str]:
        found = []
        for pid in marked(cluster.folder):
            try:
                found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return [each for each in found if "evolve.executors.worker" in each]

    wait_for(lambda: not living())
    return living()


@dear
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "TERM"])
def test_a_signal_ends_a_run_in_a_cluster_and_nothing_of_it_lives_on(
    number: int, code: int, shared_cluster: ClusterProcess, python_problem: Path, place: Path, tmp_path: Path
) -> None:
    words = ["run", python_problem, *SEARCH, *LONG, "--ray-address", shared_cluster.address, "--run-dir", "r"]
    with started(*words, env=joined(shared_cluster, place), cwd=tmp_path) as process:
        os.killpg(process.pid, number)  # as a terminal does: everything in the foreground gets it
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == code, err
    assert documents(out)[-1]["stopped_by"] == "signal"
    assert leftovers(place) == []
    assert leftover_files(place) == []
    assert our_workers(shared_cluster) == []


@dear
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "Ctrl-C"])
def test_a_signal_ends_a_cluster_of_our_own_too_which_only_this_machine_could_reach(
    number: int, code: int, python_problem: Path, place: Path, tmp_path: Path
) -> None:
    words = ["run", python_problem, *SEARCH, *LONG, "--executor", "ray", "--run-dir", "r"]
    with started(*words, env=alone(place), cwd=tmp_path) as process:
        listening = listening_addresses(marked(place))
        environments = [contents(Path(f"/proc/{pid}/environ")) for pid in marked(place) if pid != process.pid]
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == code, err
    assert documents(out)[-1]["stopped_by"] == "signal"
    assert [line for line in err.splitlines() if "ray" in line.lower()] == []
    assert [text for text in environments if any(key.encode() in text for key in KEY.values())] == []
    assert leftovers(place) == []
    assert leftover_files(place) == []
    assert listening
    assert [each for each in listening if each not in LOOPBACK] == []


LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
LISTENS = "0A"


def listening_addresses(pids: list[int]) -> list[str]:
    """Where these processes listen, as the kernel writes it."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENS:
                sockets[f"socket:[{inode}]"] = local.partition(":")[0]
    found = []
    for pid in pids:
        try:
            links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        found += [sockets[link] for link in links if link in sockets]
    return sorted(set(found))


def test_a_wrong_address_is_told_with_what_is_expected(python_problem: Path, place: Path, tmp_path: Path) -> None:
    options = [*SEARCH, "--ray-address", "127.0.0.1:port", "--run-dir", "r"]
    ended = evolve("run", python_problem, *options, env=alone(place), cwd=tmp_path)
    assert ended.returncode in (EXIT_USAGE, EXIT_ENVIRONMENT)
    assert "expected auto or HOST[:PORT]" in documents(ended.stdout)[-1]["error"]
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "r").exists()
    assert leftover_files(place) == []


@dear
def test_a_port_without_ray_behind_it_is_told_before_anybody_loses_patience(
    python_problem: Path, place: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        options = [*SEARCH, "--ray-address", address, "--run-dir", "r"]
        ended = evolve("run", python_problem, *options, env=alone(place), cwd=tmp_path)
    assert ended.returncode == EXIT_ENVIRONMENT
    assert address in documents(ended.stdout)[-1]["error"]
    assert not (tmp_path / "r").exists()
    assert leftovers(place) == []


def test_a_wrong_token_is_told(
    shared_cluster: ClusterProcess, python_problem: Path, place: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("0" * 64)
    env = {**joined(shared_cluster, place), "RAY_AUTH_TOKEN_PATH": str(wrong)}
    options = [*SEARCH, "--ray-address", shared_cluster.address, "--run-dir", "r"]
    ended = evolve("run", python_problem, *options, env=env, cwd=tmp_path)
    document = documents(ended.stdout)[-1]
    assert ended.returncode == EXIT_ENVIRONMENT
    assert "token" in document["error"] + document["hint"]
    assert not (tmp_path / "r").exists()


def test_without_ray_the_error_says_how_to_get_it(python_problem: Path, place: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from evolve.executors.ray_link import import_ray\n"
        "from evolve.errors import EvolveEnvironmentError\n"
        "try:\n    import_ray()\n"
        "except EvolveEnvironmentError as error:\n    print(error.exit_code, error)\n"
    )
    given = [sys.executable, "-c", code]
    ended = subprocess.run(given, env=alone(place), cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(f"{EXIT_ENVIRONMENT} Ray cannot be imported")
    assert "pip install" in ended.stdout


def test_the_doctor_asks_every_node_of_a_cluster(shared_cluster: ClusterProcess, place: Path, tmp_path: Path) -> None:
    ended = evolve(
        "doctor", "--ray-address", shared_cluster.address, "--json", env=joined(shared_cluster, place), cwd=tmp_path
    )
    [facts] = documents(ended.stdout)
    cluster = facts["cluster"]
    assert [row["error"] for row in cluster["nodes"]] == ["", ""]
    assert sorted(row["cpus"] for row in cluster["nodes"]) == [1.0, 3.0]
    for row in cluster["nodes"]:
        assert {name: row[name] for name in cluster["here"]} == cluster["here"]
        assert row["bundle"]
        assert row["clock_seconds"] == 0.0
        assert row["level"] == facts["sandbox"]["level"]
    assert ended.returncode == (EXIT_ENVIRONMENT if facts["complaints"] else EXIT_FINISHED)
    assert leftovers(place) == []
    assert leftover_files(place) == []


def test_the_doctor_says_that_no_cluster_answers(place: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = evolve("doctor", "--ray-address", address, "--json", env=alone(place), cwd=tmp_path)
    [facts] = documents(ended.stdout)
    assert facts["cluster"] is None
    assert [line for line in facts["complaints"] if address in line]
    assert ended.returncode == EXIT_ENVIRONMENT


@dear
def test_json_stays_json_while_a_node_dies(python_problem: Path, place: Path, tmp_path: Path) -> None:
    with cluster_process(cpus=(1, 2)) as cluster:
        options = [*SEARCH, "--evaluations", 400, "--ray-address", cluster.address, "--run-dir", "r"]
        with started("run", python_problem, *options, env=joined(cluster, place), cwd=tmp_path) as process:
            cluster.lose_node()
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == EXIT_FINISHED, err
    assert documents(out)[-1]["evaluations"] == 400


@dear
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_run_whose_cluster_is_lost_can_be_resumed(
    executor: str, python_problem: Path, place: Path, tmp_path: Path
) -> None:
    options = [*SEARCH, "--run-dir", "r"]
    with cluster_process(cpus=(2,)) as cluster:
        env, ray = joined(cluster, place), ["--ray-address", cluster.address]
        with started("run", python_problem, *options, *LONG, *ray, env=env, cwd=tmp_path) as process:
            cluster.lose()
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == EXIT_RESUMABLE, err
    last = documents(out)[-1]
    assert "cluster is gone" in last["error"]
    assert "evolve resume" in last["hint"]
    told = max(each.get("evaluations", 0) for each in documents(out))
    assert leftovers(place) == []

    words = ["resume", "r", "--executor", executor, "--workers", 2, "--evaluations", told + 40, *SEARCH[4:]]
    ended = evolve(*words, env=alone(place), cwd=tmp_path)
    assert ended.returncode == EXIT_FINISHED, ended.stderr
    straight = [*SEARCH, "--evaluations", told + 40, "--run-dir", "s"]
    expected = evolve("run", python_problem, *straight, env=alone(place), cwd=tmp_path)
    hashes = [documents(each.stdout)[-1]["archive_hash"] for each in (ended, expected)]
    assert hashes[0] == hashes[1]


@dear
def test_the_doctor_names_a_node_that_does_not_answer_and_one_that_cannot_keep_files(
    place: Path, tmp_path: Path
) -> None:
    with cluster_process(cpus=(1,)) as cluster:
        cluster.add_node(cpus=2, TMPDIR=str(tmp_path / "nowhere"))
        cluster.add_node(cpus=5)
        stopped = cluster.stop_node()
        try:
            words = ["doctor", "--ray-address", cluster.address, "--ray-timeout", "40s", "--json"]
            ended = evolve(*words, env=joined(cluster, place), cwd=tmp_path)
        finally:
            os.kill(stopped, signal.SIGCONT)
    [facts] = documents(ended.stdout)
    rows = {row["cpus"]: row for row in facts["cluster"]["nodes"]}
    assert ended.returncode == EXIT_ENVIRONMENT
    assert rows[1.0]["error"] == ""
    assert "answer" in rows[5.0]["error"]  # not in time, or Ray has given it up by itself
    assert len([line for line in facts["complaints"] if rows[5.0]["error"] in line]) == 1

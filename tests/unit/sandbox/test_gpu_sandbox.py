"""Sandboxes with graphics cards, on machines without any: what candidates may reach, and what ends them.

Device files are links to /dev/zero and the like, the driver's library is a few lines of C.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from evolve.testing.running import is_running
from sandbox import landlock
from sandbox.errors import CandidateOutOfGpuMemory, CandidateOutOfMemory, SandboxError
from sandbox.gpu import CONTEXT_BYTES, Gpu
from sandbox.gpu_search import find_gpu
from sandbox.layers import NAMESPACES, Layer, Level
from sandbox.limits import MEBIBYTE, Limits
from sandbox.link import ServerLink
from sandbox.plan import NO_OWN_PIDS
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession
from tests.ordinary_user import Done, as_ordinary_user, in_container_without_privileges
from tests.unit.sandbox.test_gpu_search import FakeMachine
from tests.unit.sandbox.test_gpu_watch import until

pytestmark = pytest.mark.skipif(not landlock.abi(), reason="cards are given only where the kernel has Landlock")

CANDIDATE = """
import ctypes, errno, fcntl, mmap, os, resource, socket, threading

def error_of(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "fine"

def uses(node):
    def use():
        descriptor = os.open(node, os.O_RDWR)
        try:
            fcntl.ioctl(descriptor, 0x4600)
        finally:
            os.close(descriptor)
    return error_of(use)

def environment():
    return {name: value for name, value in os.environ.items() if "CUDA" in name}

def names_threads():
    answers = []
    def name():
        path = f"/proc/self/task/{threading.get_native_id()}/comm"
        def write():
            with open(path, "w") as file:
                file.write("cuda-worker")
        answers.append(error_of(write))
        with open(path) as file:
            answers.append(file.read().strip())
    for _ in range(2):
        thread = threading.Thread(target=name)
        thread.start()
        thread.join()
    return answers

def reads(path):
    def read():
        with open(path, "rb") as file:
            file.read(1)
    return error_of(read)

def writes(path):
    def write():
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.write(descriptor, b"0")
        finally:
            os.close(descriptor)
    return error_of(write)

def lists(path):
    return error_of(lambda: os.listdir(path))

def shares_memory():
    descriptor = os.memfd_create("shared")
    os.ftruncate(descriptor, 1 << 20)
    with mmap.mmap(descriptor, 1 << 20) as memory:
        memory[0] = 1
    os.close(descriptor)
    mmap.mmap(-1, 1 << 20).close()
    return "fine"

def reserves(n_bytes):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    address = libc.mmap(None, n_bytes, 0, 0x4022, -1, 0)  # private, anonymous, without reserve; not to be touched
    return address != ctypes.c_void_p(-1).value

def opens(n_files):
    files = []
    for _ in range(n_files):
        files.append(os.open("/dev/null", os.O_RDONLY))
    for descriptor in files:
        os.close(descriptor)
    return len(files)

def takes(n_bytes):
    return len(bytearray(n_bytes))

def offers_a_socket(name):
    kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_UNIX, kind) as offered, socket.socket(socket.AF_UNIX, kind) as other:
        offered.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        said = [error_of(lambda: offered.bind(name)), error_of(lambda: offered.listen(16))]
        return [*said, error_of(lambda: other.connect(name)), error_of(offered.accept)]

def makes_socket(family, kind):
    return error_of(lambda: socket.socket(family, kind).close())

def pid():
    return os.getpid()

def waits():
    threading.Event().wait()

def fails(text):
    raise RuntimeError(text)
"""

LIBRARY = """
int cuInit(unsigned flags) {{ return {status}; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return 0; }}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> FakeMachine:
    return FakeMachine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module", params=["every layer", "no namespaces"])
def sandbox(machine: FakeMachine, request: pytest.FixtureRequest) -> Iterator[ProcessSandbox]:
    without = NAMESPACES if request.param == "no namespaces" else frozenset()
    with ProcessSandbox(gpu=machine.access(0), without=without) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox: ProcessSandbox) -> Iterator[ProcessSession]:
    with sandbox.start({"main.py": CANDIDATE}) as session:
        yield session


# what a candidate reaches


def test_the_card_of_a_sandbox_can_be_used(machine: FakeMachine, session: ProcessSession) -> None:
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
        assert session.call("uses", str(machine.nodes / name)) == "ENOTTY", name  # the kernel's answer, not a refusal


def test_another_card_cannot(machine: FakeMachine, session: ProcessSession) -> None:
    assert session.call("uses", str(machine.nodes / "nvidia1")) in ("ENOENT", "EACCES")


@pytest.mark.parametrize("without", [frozenset(), NAMESPACES], ids=["every layer", "no namespaces"])
def test_a_sandbox_without_cards_sees_none(machine: FakeMachine, without: frozenset[Layer]) -> None:
    with ProcessSandbox(without=without) as sandbox, sandbox.start({"main.py": CANDIDATE}) as session:
        said = {name: session.call("uses", str(machine.nodes / name)) for name in os.listdir(machine.nodes)}
        environment = session.call("environment")

    assert set(said.values()) <= {"ENOENT", "EACCES"}
    assert environment == {"CUDA_VISIBLE_DEVICES": ""}


def test_cuda_is_told_of_its_cards_only(session: ProcessSession) -> None:
    assert session.call("environment") == {"CUDA_VISIBLE_DEVICES": "GPU-zero", "CUDA_CACHE_DISABLE": "1"}


def test_several_cards_are_given_together(machine: FakeMachine) -> None:
    with ProcessSandbox(gpu=machine.access(1, 0)) as sandbox, sandbox.start({"main.py": CANDIDATE}) as session:
        uses = [session.call("uses", str(machine.nodes / name)) for name in ("nvidia0", "nvidia1")]
        environment = session.call("environment")

    assert set(uses) <= {"ENOTTY", "EINVAL"}
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-one,GPU-zero"


def test_threads_can_be_named(session: ProcessSession) -> None:
    assert session.call("names_threads") == ["fine", "cuda-worker", "fine", "cuda-worker"]


def test_what_drivers_ask_of_the_kernel_is_there(session: ProcessSession) -> None:
    assert session.call("shares_memory") == "fine"
    assert session.call("reserves", 1 << 43)
    assert session.call("opens", Limits().n_files + 40) == Limits().n_files + 40
    for path in ("/proc/self/maps", "/proc/self/status", "/proc/devices", "/sys/devices/system/cpu/online"):
        assert session.call("reads", path) == "fine", path


def test_cuda_can_offer_a_socket_to_which_nobody_can_connect(session: ProcessSession) -> None:
    assert session.call("offers_a_socket", "\0cuda-uvmfd-1-2") == ["fine", "fine", "EPERM", "EPERM"]
    assert session.call("offers_a_socket", "/tmp/name")[0] in ("EACCES", "EROFS")
    for family, kind in ((1, 1), (1, 2), (2, 1), (2, 2), (16, 3), (40, 1)):
        assert session.call("makes_socket", family, kind) == "EPERM"


def test_other_processes_and_the_machines_settings_stay_hidden(session: ProcessSession) -> None:
    for path in (f"/proc/{os.getpid()}/environ", f"/proc/{os.getpid()}/status", "/proc/1/cmdline", "/proc/cmdline"):
        assert session.call("reads", path) in ("EACCES", "ENOENT"), path
    for path in ("/proc", "/sys", "/proc/sys/kernel", f"/proc/{os.getpid()}/task"):
        assert session.call("lists", path) in ("EACCES", "ENOENT"), path


def test_nothing_in_proc_can_be_written_but_the_names_of_threads(session: ProcessSession) -> None:
    pid = os.getpid()
    for path in ("/proc/self/comm", f"/proc/{pid}/task/{pid}/comm", "/proc/sys/vm/overcommit_memory"):
        assert session.call("writes", path) in ("EACCES", "ENOENT"), path


def test_two_candidates_do_not_see_each_other(sandbox: ProcessSandbox, session: ProcessSession) -> None:
    with sandbox.start({"main.py": CANDIDATE}) as other:
        pid = other.call("pid")
        assert session.call("reads", f"/proc/{pid}/maps") == "EACCES"
        assert session.call("writes", f"/proc/{pid}/task/{pid}/comm") == "EACCES"


# what is promised


def test_cards_reach_strong_at_most(sandbox: ProcessSandbox) -> None:
    assert sandbox.level is Level.STRONG
    assert Layer.PID_NAMESPACE not in sandbox.layers
    assert sandbox.report[Layer.PID_NAMESPACE] == NO_OWN_PIDS


def test_without_landlock_there_are_no_cards(machine: FakeMachine) -> None:
    for others in (frozenset[Layer](), NAMESPACES):
        with (
            ProcessSandbox(gpu=machine.access(0), without=others | {Layer.LANDLOCK}) as sandbox,
            pytest.raises(SandboxError, match=r"card cannot be given safely without landlock \(forced off\).*gpu="),
        ):
            sandbox.start({"main.py": CANDIDATE})


def test_missing_cards_are_told_before_any_candidate_runs(machine: FakeMachine) -> None:
    with (
        ProcessSandbox(gpu=machine.access(5)) as sandbox,
        pytest.raises(SandboxError, match="there is no GPU 5: nvidia-smi shows 0, 1"),
    ):
        sandbox.start({"main.py": CANDIDATE})


@pytest.mark.parametrize("layer", [Layer.LANDLOCK, Layer.SECCOMP, Layer.RESOURCE_LIMITS])
def test_the_self_test_notices_a_missing_layer_here_too(machine: FakeMachine, layer: Layer) -> None:
    with pytest.raises(SandboxError, match=f"self-test failed.*{layer}"):
        ServerLink((), gpu=find_gpu(machine.access(0)), sabotage={layer}).close()


def test_the_self_test_notices_a_card_of_others(machine: FakeMachine) -> None:
    with pytest.raises(SandboxError, match=r"landlock: the graphics card .*nvidia1 could be used"):
        ServerLink((), gpu=find_gpu(machine.access(0)), without=NAMESPACES, sabotage={Layer.LANDLOCK}).close()


def test_a_server_that_uses_a_card_is_refused(machine: FakeMachine) -> None:
    descriptor = os.open(machine.nodes / "nvidia0", os.O_RDWR)
    try:
        os.set_inheritable(descriptor, True)
        with pytest.raises(SandboxError, match="a preloaded module uses the graphics card"):
            ServerLink((), gpu=find_gpu(machine.access(0)), without={Layer.CLOSED_DESCRIPTORS}, unsafe=True).close()
    finally:
        os.close(descriptor)


# whether CUDA starts


def library(machine: FakeMachine, *, status: int = 0, count: int = 1) -> str:
    """A driver's library, where a sandbox's processes can read it."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make a driver's library with")
    source = machine.folder / "fake.c"
    source.write_text(LIBRARY.format(status=status, count=count))
    target = machine.pci / f"libfake-{status}-{count}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", target, source], check=True)
    return str(target)


def test_a_server_starts_where_cuda_starts(machine: FakeMachine) -> None:
    access = machine.access(0, 1, library=library(machine, count=2))

    with ProcessSandbox(gpu=access) as sandbox, sandbox.start({"main.py": CANDIDATE}) as session:
        assert session.call("names_threads")[0] == "fine"


def test_what_cuda_says_when_it_does_not_start_is_told(machine: FakeMachine) -> None:
    access = machine.access(0, library=library(machine, status=304))

    with ProcessSandbox(gpu=access) as sandbox, pytest.raises(SandboxError, match=r"does not start .* error is 304"):
        sandbox.start({"main.py": CANDIDATE})


@pytest.mark.parametrize("count", [0, 2])
def test_cuda_has_to_see_exactly_the_cards_of_the_sandbox(machine: FakeMachine, count: int) -> None:
    access = machine.access(0, library=library(machine, count=count))

    with ProcessSandbox(gpu=access) as sandbox, pytest.raises(SandboxError, match=f"sees {count} cards, expected 1"):
        sandbox.start({"main.py": CANDIDATE})


@pytest.mark.parametrize("name", ["libno-such-driver.so.1", "libc.so.6"])
def test_a_driver_without_its_library_is_told(machine: FakeMachine, name: str) -> None:
    with (
        ProcessSandbox(gpu=machine.access(0, library=name)) as sandbox,
        pytest.raises(SandboxError, match="the driver's library cannot be used"),
    ):
        sandbox.start({"main.py": CANDIDATE})


# limits

GREEDY = Limits(gpu_memory_bytes=512 * MEBIBYTE, wall_seconds=60.0)
FAR_TOO_MUCH = 512 + CONTEXT_BYTES // MEBIBYTE + 1


@pytest.fixture(scope="module", params=[0, 1], ids=["fresh", "parked"])
def limited(machine: FakeMachine, request: pytest.FixtureRequest) -> Iterator[ProcessSandbox]:
    with ProcessSandbox(gpu=machine.access(0), limits=GREEDY, n_parked=request.param) as sandbox:
        sandbox.start({"main.py": CANDIDATE}).close()
        yield sandbox


def test_a_session_that_takes_too_much_of_the_card_is_ended_and_told_the_limit(
    machine: FakeMachine, limited: ProcessSandbox
) -> None:
    with limited.start({"main.py": CANDIDATE}) as greedy, limited.start({"main.py": CANDIDATE}) as honest:
        machine.say_used((greedy.call("pid"), FAR_TOO_MUCH), (honest.call("pid"), 512))
        with pytest.raises(CandidateOutOfGpuMemory) as caught:
            greedy.call("waits")
        assert honest.call("shares_memory") == "fine"

    assert caught.value.detail.startswith(f"took {FAR_TOO_MUCH} MiB of GPU memory, allowed are 512 MiB")


def test_a_session_that_was_ended_between_two_calls_says_so_at_the_next(
    machine: FakeMachine, limited: ProcessSandbox
) -> None:
    with limited.start({"main.py": CANDIDATE}) as session:
        pid = session.call("pid")
        machine.say_used((pid, FAR_TOO_MUCH))
        assert until(lambda: not is_running(pid))
        with pytest.raises(CandidateOutOfGpuMemory):
            session.call("pid")
        with pytest.raises(CandidateOutOfGpuMemory):
            session.call("pid")


def test_a_limit_that_can_no_longer_be_held_is_the_sandboxs_fault(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    with (
        ProcessSandbox(gpu=machine.access(0), limits=GREEDY) as sandbox,
        sandbox.start({"main.py": CANDIDATE}) as session,
    ):
        machine.script("echo lost; exit 1")
        with pytest.raises(SandboxError, match=r"could not be watched: .*found no working driver \(lost\)"):
            session.call("waits")
        with pytest.raises(SandboxError, match="could not be watched"):
            session.call("pid")


def test_no_limit_of_gpu_memory_is_promised_inside_a_container(machine: FakeMachine) -> None:
    with ProcessSandbox(gpu=machine.access(0, same_pids=False)) as sandbox:
        with sandbox.start({"main.py": CANDIDATE}) as session:
            assert session.call("shares_memory") == "fine"
        with pytest.raises(SandboxError, match=r"do not work in this container"):
            sandbox.start({"main.py": CANDIDATE}, limits=GREEDY)


def test_an_allocation_that_torch_refuses_names_the_limit(limited: ProcessSandbox) -> None:
    said = "CUDA out of memory. Tried to allocate 2.00 GiB."
    with limited.start({"main.py": CANDIDATE}) as session:
        with pytest.raises(CandidateOutOfGpuMemory) as caught:
            session.call("fails", said)
        assert session.call("shares_memory") == "fine"

    assert caught.value.detail.startswith(
        "more GPU memory than the 512 MiB allowed ([limits] gpu_memory_mb, or its share of the card): "
    )
    assert said in caught.value.detail


def test_a_full_card_is_told_without_a_limit_that_there_is_not(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"main.py": CANDIDATE}) as session, pytest.raises(CandidateOutOfGpuMemory) as caught:
        session.call("fails", "CUDA out of memory. Tried to allocate 2.00 GiB.")

    assert "allowed" not in caught.value.detail


def test_several_on_a_card_have_a_share_of_its_memory_each(machine: FakeMachine) -> None:
    access = replace(machine.access(0), memory_share=0.25)  # of 81559 MiB
    limit = 81559 // 4 - CONTEXT_BYTES // MEBIBYTE
    with ProcessSandbox(gpu=access) as sandbox, sandbox.start({"main.py": CANDIDATE}) as greedy:
        machine.say_used((greedy.call("pid"), 81559 // 4 + 1))
        with pytest.raises(CandidateOutOfGpuMemory, match=rf"allowed are {limit} MiB \(.* or its share of the card\)"):
            greedy.call("waits")
        with sandbox.start({"main.py": CANDIDATE}, limits=Limits(gpu_memory_bytes=512 * MEBIBYTE)) as session:
            machine.say_used((session.call("pid"), FAR_TOO_MUCH))
            with pytest.raises(CandidateOutOfGpuMemory, match="allowed are 512 MiB"):  # its own limit comes first
                session.call("waits")


def test_a_share_that_cannot_be_watched_is_told_to_torch_alone(machine: FakeMachine) -> None:
    access = replace(machine.access(0, same_pids=False), memory_share=0.25)
    with ProcessSandbox(gpu=access) as sandbox, sandbox.start({"main.py": CANDIDATE}) as session:
        machine.say_used((session.call("pid"), 81559))
        assert session.call("shares_memory") == "fine"
        with pytest.raises(SandboxError, match=r"do not work in this container"):  # in so many bytes it was asked for
            sandbox.start({"main.py": CANDIDATE}, limits=GREEDY)


def test_memory_of_the_machine_is_limited_though_addresses_are_not(sandbox: ProcessSandbox) -> None:
    limits = Limits(memory_bytes=100 * MEBIBYTE)
    with sandbox.start({"main.py": CANDIDATE}, limits=limits) as session:
        assert session.call("takes", 50 * MEBIBYTE) == 50 * MEBIBYTE
        assert session.call("reserves", 1 << 43)
        with pytest.raises(CandidateOutOfMemory, match="allowed are 100 MiB"):
            session.call("takes", 1000 * MEBIBYTE)


def test_torch_is_told_its_share(machine: FakeMachine) -> None:
    found = find_gpu(machine.access(0))
    told = Gpu.from_plain({**asdict(found), "memory_bytes": 2048 * MEBIBYTE, "limits_torch": True})
    link = ServerLink((), gpu=told)
    try:
        with ProcessSession(link, GREEDY) as session:
            session.load({"main.py": CANDIDATE}, "main.py")
            environment = session.call("environment")
    finally:
        link.close()

    assert environment["PYTORCH_CUDA_ALLOC_CONF"] == "per_process_memory_fraction:0.250000"


# other users

AS_SOMEBODY = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from sandbox.process import ProcessSandbox
from tests.unit.sandbox.test_gpu_sandbox import CANDIDATE
from tests.unit.sandbox.test_gpu_search import FakeMachine
os.chmod(os.environ["HOME"], 0o711)
folder = Path(os.environ["HOME"], "machine")
folder.mkdir()
machine = FakeMachine(folder)
with ProcessSandbox(gpu=machine.access(0)) as sandbox, sandbox.start({"main.py": CANDIDATE}) as session:
    print(sandbox.level)
    print(session.call("uses", str(machine.nodes / "nvidia0")), session.call("names_threads"))
    print(session.call("uses", str(machine.nodes / "nvidia1")), session.call("reads", "/proc/1/cmdline"))
"""


@pytest.mark.parametrize("run", [as_ordinary_user, in_container_without_privileges])
def test_cards_are_given_without_any_privilege_too(run: Callable[[Sequence[str]], Done]) -> None:
    done = run(["-c", AS_SOMEBODY])

    assert done.returncode == 0, done.stderr
    level, used, refused = done.stdout.splitlines()
    assert level == "STRONG"
    assert used == "ENOTTY ['fine', 'cuda-worker', 'fine', 'cuda-worker']"
    assert refused in ("ENOENT EACCES", "EACCES EACCES")

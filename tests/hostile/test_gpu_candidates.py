"""Candidates on a real graphics card. Needs an NVIDIA card, torch with CUDA, and a kernel with Landlock."""

import importlib.util
import shutil
import time
from collections.abc import Iterator

import pytest

from sandbox import landlock
from sandbox.errors import CandidateOutOfGpuMemory, CandidateTimedOut
from sandbox.gpu import GpuAccess, nodes_in
from sandbox.gpu_search import find_gpu
from sandbox.gpu_watch import CONTEXT_BYTES, counts_as_the_machine
from sandbox.layers import Level
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession

MISSING = [
    what
    for what, is_there in (
        ("nvidia-smi", shutil.which("nvidia-smi")),
        ("device file of a card", nodes_in()),
        ("torch", importlib.util.find_spec("torch")),
        ("Landlock", landlock.abi()),
    )
    if not is_there
]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(MISSING), reason=f"NOT TRIED ON A REAL CARD: there is no {', no '.join(MISSING)}"),
]

LIMITS = Limits(wall_seconds=120.0, cpu_seconds=120.0, memory_bytes=8192 * MEBIBYTE)
KILL_SECONDS = 1.0
CANDIDATE = """
import ctypes, os, threading
import torch

def start():
    cuda = ctypes.CDLL("libcuda.so.1")
    count = ctypes.c_int()
    return [cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count)), count.value]

def product(n):
    left = torch.arange(n * n, dtype=torch.float32, device="cuda").reshape(n, n) / n**2
    return (left @ left.T).cpu().numpy()

def n_cards():
    return [torch.cuda.is_available(), torch.cuda.device_count()]

def takes(n_bytes):
    return torch.empty(n_bytes, dtype=torch.uint8, device="cuda").fill_(1).numel()

def takes_behind_torchs_back(n_bytes):
    torch.zeros(1, device="cuda")
    place = ctypes.c_uint64()
    status = ctypes.CDLL("libcuda.so.1").cuMemAlloc_v2(ctypes.byref(place), ctypes.c_size_t(n_bytes))
    if status == 0:
        threading.Event().wait()
    return status

def spins():
    torch.cuda._sleep(1 << 60)
    torch.cuda.synchronize()

def uses(node):
    try:
        os.close(os.open(node, os.O_RDWR))
    except OSError as error:
        return error.errno
    return 0
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox(gpu=GpuAccess(devices=(0,)), preload=("numpy", "torch"), limits=LIMITS) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox: ProcessSandbox) -> Iterator[ProcessSession]:
    with sandbox.start({"main.py": CANDIDATE}) as session:
        yield session


def limited(gpu_memory_bytes: int) -> Limits:
    if not counts_as_the_machine():
        pytest.skip("limits of GPU memory do not work inside a container")
    return Limits(
        wall_seconds=LIMITS.wall_seconds,
        cpu_seconds=LIMITS.cpu_seconds,
        memory_bytes=LIMITS.memory_bytes,
        gpu_memory_bytes=gpu_memory_bytes,
    )


def test_cuda_starts_behind_the_walls(sandbox: ProcessSandbox, session: ProcessSession) -> None:
    assert sandbox.level is Level.STRONG
    assert session.call("start") == [0, 0, 1]


def test_torch_multiplies_matrices_there(session: ProcessSession) -> None:
    product = session.call("product", 64)

    assert product.shape == (64, 64)
    assert product[0, 0] == pytest.approx(sum((i / 64**2) ** 2 for i in range(64)), rel=1e-3)


def test_every_candidate_starts_cuda_anew(sandbox: ProcessSandbox) -> None:
    for _ in range(3):
        with sandbox.start({"main.py": CANDIDATE}) as session:
            assert session.call("product", 8).shape == (8, 8)


def test_an_allocation_over_the_limit_is_refused_and_the_candidate_lives_on(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"main.py": CANDIDATE}, limits=limited(1024 * MEBIBYTE)) as session:
        assert session.call("takes", 256 * MEBIBYTE) == 256 * MEBIBYTE
        with pytest.raises(CandidateOutOfGpuMemory, match="more GPU memory than the 1024 MiB allowed"):
            session.call("takes", 2048 * MEBIBYTE)
        assert session.call("takes", 256 * MEBIBYTE) == 256 * MEBIBYTE


def test_memory_that_torch_does_not_know_of_is_watched(sandbox: ProcessSandbox) -> None:
    taken = CONTEXT_BYTES + 512 * MEBIBYTE
    with (
        sandbox.start({"main.py": CANDIDATE}, limits=limited(256 * MEBIBYTE)) as session,
        pytest.raises(CandidateOutOfGpuMemory, match=r"took \d+ MiB of GPU memory, allowed are 256 MiB"),
    ):
        session.call("takes_behind_torchs_back", taken)


def test_a_kernel_without_end_is_killed_and_the_card_is_free_again(sandbox: ProcessSandbox) -> None:
    wall_seconds = 10.0
    with sandbox.start({"main.py": CANDIDATE}) as session:
        session.call("product", 8)
        before = time.monotonic()
        with pytest.raises(CandidateTimedOut):
            session.call("spins", timeout=wall_seconds)
        elapsed = time.monotonic() - before

    assert elapsed < wall_seconds + KILL_SECONDS  # the promise itself, not a figure of speed
    with sandbox.start({"main.py": CANDIDATE}) as session:
        assert session.call("product", 8).shape == (8, 8)


def test_other_cards_are_hidden(session: ProcessSession) -> None:
    hidden = find_gpu(GpuAccess(devices=(0,))).hidden_nodes

    assert session.call("n_cards") == [True, 1]
    assert all(session.call("uses", node) != 0 for node in hidden)


def test_a_sandbox_without_cards_has_none() -> None:
    with (
        ProcessSandbox(preload=("numpy", "torch"), limits=LIMITS) as sandbox,
        sandbox.start({"main.py": CANDIDATE}) as session,
    ):
        assert session.call("n_cards") == [False, 0]
        assert all(session.call("uses", node) != 0 for node in nodes_in())

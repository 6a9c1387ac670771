"""Candidates on a real graphics card. Needs an NVIDIA card, torch with CUDA, and a kernel with Landlock."""

import ast
import asyncio
import importlib.util
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evaluators.spec import JudgeSpec, LimitsSpec
from evolve import tasks
from evolve.config.problem import load_problem
from evolve.executors.card_executor import CardExecutor
from evolve.loop import RunOptions, start_run
from evolve.store import RunReader
from evolve.testing.card_tasks import most_at_once
from sandbox import landlock
from sandbox.errors import CandidateOutOfGpuMemory, CandidateTimedOut
from sandbox.gpu import CONTEXT_BYTES, GpuAccess, nodes_in, share_bytes
from sandbox.gpu_cards import list_cards, units_of
from sandbox.gpu_search import find_gpu
from sandbox.gpu_watch import counts_as_the_machine
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

def takes_all_it_can_get(n_bytes):
    held = []
    while True:
        held.append(torch.empty(n_bytes, dtype=torch.uint8, device="cuda").fill_(1))

def forks():
    try:
        child = os.fork()
    except OSError as error:
        return error.errno
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return 0

def runs(program):
    try:
        os.execv(program, [program, "-rgc"])
    except OSError as error:
        return error.errno
    return 0

def administers():
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return ["nothing to ask"]
    if nvml.nvmlInit_v2() != 0:
        return ["nothing answers"]
    card, mode = ctypes.c_void_p(), ctypes.c_uint()
    nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(card))
    nvml.nvmlDeviceGetPersistenceMode(card, ctypes.byref(mode))
    # What it is now, so that nothing changes where this is allowed.
    answers = [nvml.nvmlDeviceSetPersistenceMode(card, mode)]
    nvml.nvmlDeviceGetComputeMode(card, ctypes.byref(mode))
    return [*answers, nvml.nvmlDeviceSetComputeMode(card, mode)]

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


# several on one card

SHARED = 0.25
JUDGE = """
import time

def evaluate(candidate):
    started = time.monotonic()
    total = float(candidate.call("product", 1024).sum())
    seen = {"gpus": list(candidate.gpus), "from": started, "to": time.monotonic()}
    return {"score": total, "descriptor": {}, "artifacts": {"seen": repr(seen)}}
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[ProcessSandbox]:
    """A sandbox of which each candidate has a quarter of the card."""
    gpu = GpuAccess(devices=(0,), memory_share=SHARED)
    with ProcessSandbox(gpu=gpu, preload=("numpy", "torch"), limits=LIMITS) as sandbox:
        yield sandbox


def share_of_the_card() -> int:
    access = GpuAccess(devices=(0,), memory_share=SHARED)
    return share_bytes(find_gpu(access), access)


def test_eight_evaluations_at_a_quarter_each_never_have_more_than_the_card(tmp_path: Path) -> None:
    unit = units_of(list_cards())[0]
    (tmp_path / "evaluate.py").write_text(JUDGE, encoding="utf-8")
    limits = LimitsSpec(wall_seconds=120.0, cpu_seconds=120.0, memory_mb=8192)
    spec = JudgeSpec(
        language="python", folder=str(tmp_path), file="evaluate.py", preload=("numpy", "torch"), limits=limits
    )
    payload = {"judge": spec.to_mapping(), "children": [{"files": {"main.py": CANDIDATE}, "rng_seed": 0}]}

    async def use() -> list[dict[str, Any]]:
        executor = CardExecutor(units=[unit], share=SHARED, n_workers=16, handler=tasks.HANDLER)
        try:
            await executor.start()
            return list(await asyncio.gather(*(executor.submit(tasks.EVALUATE, payload) for _ in range(8))))
        finally:
            await executor.close()

    evaluations = [tasks.evaluation_from_mapping(answer["evaluations"][0]) for answer in asyncio.run(use())]
    seen = [ast.literal_eval(evaluation.artifacts["seen"]) for evaluation in evaluations]

    assert [evaluation.failure for evaluation in evaluations] == [None] * 8
    assert len({evaluation.score for evaluation in evaluations}) == 1
    assert {tuple(each["gpus"]) for each in seen} == {(unit.uuid,)}
    assert most_at_once(seen, unit.uuid) <= 4


def test_a_bomb_of_tensors_ends_at_its_share_and_its_neighbour_works_on(shared: ProcessSandbox) -> None:
    with shared.start({"main.py": CANDIDATE}) as neighbour, shared.start({"main.py": CANDIDATE}) as bomb:
        before = neighbour.call("product", 512)
        with pytest.raises(CandidateOutOfGpuMemory):
            bomb.call("takes_all_it_can_get", 256 * MEBIBYTE)
        after = neighbour.call("product", 512)

    assert (before == after).all()


def test_a_bomb_behind_torchs_back_ends_at_its_share_and_its_neighbour_works_on(shared: ProcessSandbox) -> None:
    limited(1)  # skips where processes cannot be watched
    taken = share_of_the_card() + 2 * CONTEXT_BYTES
    with shared.start({"main.py": CANDIDATE}) as neighbour, shared.start({"main.py": CANDIDATE}) as bomb:
        before = neighbour.call("product", 512)
        with pytest.raises(CandidateOutOfGpuMemory, match="or its share of the card"):
            bomb.call("takes_behind_torchs_back", taken)
        after = neighbour.call("product", 512)

    assert (before == after).all()


def test_nobody_hides_memory_in_another_process(session: ProcessSession) -> None:
    session.call("product", 8)

    assert session.call("forks") != 0
    assert session.call("runs", shutil.which("nvidia-smi") or "") != 0


def test_nobody_has_the_rights_of_an_administrator_of_the_card(session: ProcessSession) -> None:
    assert 0 not in session.call("administers")  # clocks, modes and resets need the same right


def test_a_run_that_uses_a_card_if_there_is_one_says_which(python_problem: Path) -> None:
    with (python_problem / "problem.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sandbox]\ngpus = "auto"\n')
    run_dir = python_problem / "run"

    start_run(load_problem(python_problem), run_dir, RunOptions(workers=2, gpus=SHARED, evaluations=2), lambda _: None)

    with closing(RunReader(run_dir)) as reader:
        (device,) = reader.meta()["devices"]
        pulse = reader.pulse()
    assert (device["kind"], device["share"], device["notice"]) == ("cards", SHARED, "")
    assert pulse is not None
    assert pulse["data"]["gpus"][0]["slots"] == "0 of 2"

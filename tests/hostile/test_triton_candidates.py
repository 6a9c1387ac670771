"""Triton kernels in the sandbox: they compile there, and nothing else opens for their sake."""

import errno
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sandbox.contract import PlainData
from sandbox.errors import CandidateError
from sandbox.layers import Level
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from sandbox.seccomp.syscalls import NUMBERS
from tests.extent import ALL_TESTS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="there is no triton")
everything = pytest.mark.skipif(not ALL_TESTS, reason="seconds of compiling: only with EVOLVE_ALL_TESTS=1")

LIMITS = Limits(
    scratch_bytes=16 * MEBIBYTE, memory_bytes=2048 * MEBIBYTE, wall_seconds=120.0, cpu_seconds=120.0, n_processes=1
)
KERNEL = """
import ctypes, os, signal, subprocess
import numpy as np
import triton
import triton.experimental.gluon
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

triton.knobs.runtime.interpret = False  # there is no card, so that it is on, and so it is for all imported before


@triton.jit
def larger(one, other):
    return tl.where(one > other, one, other)


@triton.jit
def both(one, other):
    return one + other


@triton.jit
def softmax(x, out, n_columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < n_columns
    values = tl.load(x + row * n_columns + columns, mask=inside, other=-float("inf"))
    weights = tl.exp(values - tl.reduce(values, 0, larger))
    tl.store(out + row * n_columns + columns, weights / tl.reduce(weights, 0, both), mask=inside)


def compiled(arch):
    signature = {"x": "*fp32", "out": "*fp32", "n_columns": "i32", "BLOCK": "constexpr"}
    source = ASTSource(softmax, signature, {"BLOCK": 128})
    kernel = triton.compile(source, target=GPUTarget("cuda", arch, 32))
    return [np.frombuffer(kernel.kernel, dtype=np.uint8), kernel.metadata.name, sorted(os.listdir("."))]


def files_here():
    return sorted(os.listdir("."))


def attempts(programs, numbers):
    ways = {}
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long

    def tried(name, way):
        try:
            ways[name] = way() or 0
        except OSError as error:
            ways[name] = error.errno

    def asked(*arguments):
        return ctypes.get_errno() if libc.syscall(*arguments) < 0 else 0

    for program in programs:
        words = (ctypes.c_char_p * 2)(program.encode(), None)
        tried(f"exec {program}", lambda: os.execv(program, [program, "--version"]))
        tried(f"run {program}", lambda: subprocess.run([program, "--version"]).returncode)
        tried(f"spawn {program}", lambda: os.posix_spawn(program, [program, "--version"], {}))
        tried(f"execveat {program}", lambda: asked(numbers["execveat"], -100, program.encode(), words, None, 0))
    tried("fork", os.fork)
    tried("clone as vfork", lambda: asked(numbers["clone"], 0x4000 | 0x100 | signal.SIGCHLD, None, None, None, None))
    return ways
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox(limits=LIMITS, preload=("numpy", "triton"), n_parked=0) as opened:
        yield opened


def tools() -> Path:
    """The folder of the programs that come with triton."""
    found = importlib.util.find_spec("triton")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "backends" / "nvidia" / "bin"


def test_a_kernel_compiles_in_the_sandbox_to_what_the_assembler_accepts(
    sandbox: ProcessSandbox, tmp_path: Path
) -> None:
    # given: a process that may have one thread, and start no program
    with sandbox.start({"seed.py": KERNEL}) as session:
        # when
        text, name, files = session.call("compiled", 90)
    # then: it is text that ends with a zero, as drivers of cards want it, and what a card's machine code is made from
    ptx = bytes(text).decode()
    assert name == "softmax"
    assert ptx.endswith("\0")
    assert len(files) > 3
    (tmp_path / "kernel.ptx").write_text(ptx.rstrip("\0"))
    assembled = tmp_path / "kernel.cubin"
    command: list[str | Path] = [tools() / "ptxas", "--gpu-name=sm_90a", tmp_path / "kernel.ptx", "-o", assembled]
    subprocess.run(command, check=True, timeout=120)
    assert assembled.read_bytes().startswith(b"\x7fELF")


def test_no_program_starts_for_triton_s_sake_and_no_process_forks(sandbox: ProcessSandbox) -> None:
    # given: the very programs that triton itself would run, and one that could run any other
    programs: list[PlainData] = [str(tools() / "ptxas"), "/usr/bin/gcc", "/lib64/ld-linux-x86-64.so.2", "/bin/sh"]
    # when
    with sandbox.start({"seed.py": KERNEL}) as session:
        ways = session.call("attempts", programs, dict(NUMBERS[os.uname().machine]))
    # then: refused by the filter, or not even there to be seen
    assert set(ways.values()) <= {errno.EPERM, errno.ENOSYS, errno.ENOENT, errno.EACCES}
    assert len(ways) == 4 * len(programs) + 2
    assert ways[f"exec {programs[0]}"] == errno.EPERM


@everything
def test_what_one_candidate_compiled_no_other_finds(sandbox: ProcessSandbox) -> None:
    # given
    with sandbox.start({"seed.py": KERNEL}) as first:
        first.call("compiled", 90)
    # when
    with sandbox.start({"seed.py": KERNEL}) as second:
        left = second.call("files_here")
    # then
    assert left == []


@everything
def test_without_a_scratch_folder_a_kernel_has_nowhere_to_be_kept_and_says_so(sandbox: ProcessSandbox) -> None:
    # given
    limits = Limits(memory_bytes=2048 * MEBIBYTE, wall_seconds=120.0, cpu_seconds=120.0)
    # when
    with sandbox.start({"seed.py": KERNEL}, limits=limits) as session, pytest.raises(CandidateError) as caught:
        session.call("compiled", 90)
    # then
    assert "scratch_mb" in str(caught.value)


def test_the_sandbox_is_no_weaker_for_triton(sandbox: ProcessSandbox) -> None:
    # given
    with ProcessSandbox(n_parked=0) as plain:
        # when
        expected = plain.report
    # then
    assert sandbox.report == expected
    assert sandbox.level in (Level.FULL, Level.STRONG)


INTERPRETED = """
import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def rows(x, out, n_columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < n_columns
    values = tl.load(x + row * n_columns + columns, mask=inside, other=-float("inf"))
    weights = tl.exp(values - tl.max(values, axis=0))
    tl.store(out + row * n_columns + columns, weights / tl.sum(weights, axis=0), mask=inside)


def softmax(x):
    out = np.empty_like(x)
    rows[(len(x),)](torch.from_numpy(x), torch.from_numpy(out), x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return out
"""


@everything
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="there is no torch")
def test_without_a_card_kernels_are_interpreted() -> None:
    # given
    x = np.random.default_rng(0).standard_normal((5, 70), dtype=np.float32)
    limits = Limits(memory_bytes=2048 * MEBIBYTE, wall_seconds=120.0, cpu_seconds=120.0)
    # when
    with (
        ProcessSandbox(limits=limits, preload=("numpy", "torch", "triton"), n_parked=0) as sandbox,
        sandbox.start({"seed.py": INTERPRETED}) as session,
    ):
        out = session.call("softmax", x)
    # then
    weights = np.exp(x - x.max(axis=1, keepdims=True))
    np.testing.assert_allclose(out, weights / weights.sum(axis=1, keepdims=True), rtol=1e-5)

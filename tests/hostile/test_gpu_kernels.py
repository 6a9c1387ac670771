"""Kernels that are timed on a real graphics card, and programs that try to look fast there.

Needs an NVIDIA card, torch with CUDA, Triton, a C compiler, and a kernel with Landlock.
"""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evaluators.cards import settled
from evaluators.contract import Failure
from evaluators.judge import Judge, open_sandbox
from evaluators.spec import JudgeSpec
from evolve.config.problem import load_problem
from sandbox import landlock
from sandbox.gpu import nodes_in

MISSING = [
    what
    for what, is_there in (
        ("nvidia-smi", shutil.which("nvidia-smi")),
        ("device file of a card", nodes_in()),
        ("torch", importlib.util.find_spec("torch")),
        ("triton", importlib.util.find_spec("triton")),
        ("C compiler", shutil.which("gcc") or shutil.which("clang")),
        ("Landlock", landlock.abi()),
    )
    if not is_there
]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(MISSING), reason=f"NOT TRIED ON A REAL CARD: there is no {', no '.join(MISSING)}"),
]

FOLDER = Path(__file__).parents[2] / "problems" / "card_softmax"
WITH_TORCH = """
import torch

# EVOLVE-BLOCK-START
def softmax(x, out):
    torch.softmax(x, 1, out=out)
    torch.cuda.synchronize()
# EVOLVE-BLOCK-END
"""

NOT_IN_TIME = {
    "it does not wait for its kernels": WITH_TORCH.replace("    torch.cuda.synchronize()\n", "").replace(
        "torch.softmax(x, 1, out=out)", "torch.cuda._sleep(1 << 30)\n    torch.softmax(x, 1, out=out)"
    ),
    "it works on another stream and waits for the first": WITH_TORCH.replace(
        "    torch.softmax(x, 1, out=out)\n    torch.cuda.synchronize()\n",
        "    with torch.cuda.stream(torch.cuda.Stream()):\n"
        "        torch.cuda._sleep(1 << 30)\n"
        "        torch.softmax(x, 1, out=out)\n"
        "    torch.cuda.current_stream().synchronize()\n",
    ),
    "it makes synchronize do nothing": WITH_TORCH.replace(
        "    torch.softmax",
        "    torch.cuda.synchronize = lambda *args: None\n    torch.cuda._sleep(1 << 30)\n    torch.softmax",
    ),
    "it remembers the answer by where the input lies": WITH_TORCH.replace(
        "    torch.softmax(x, 1, out=out)\n",
        "    key = x.data_ptr()\n"
        "    if key not in known:\n"
        "        known[key] = torch.softmax(x, 1).flatten()\n"
        "    out.copy_(known[key].resize_(out.numel()).reshape(out.shape))\n",
    ).replace("# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-START\nknown = {}\n"),
    "it computes a part": WITH_TORCH.replace("torch.softmax(x, 1, out=out)", "out[::2] = torch.softmax(x[::2], 1)"),
}
LEFT_BEHIND = WITH_TORCH.replace(
    "    torch.cuda.synchronize()\n",
    "    torch.cuda.synchronize()\n"
    "    with torch.cuda.stream(torch.cuda.Stream()):\n"
    "        torch.cuda._sleep(1 << 36)  # half a minute\n",
)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    spec = settled(JudgeSpec.from_mapping(load_problem(FOLDER).judge_spec_mapping()))
    with closing(open_sandbox(spec)) as sandbox:
        yield Judge(spec, sandbox)


def test_the_seed_compiles_runs_and_is_timed(judge: Judge) -> None:
    found = judge.evaluate({"seed.py": (FOLDER / "seed.py").read_text(encoding="utf-8")})

    assert found.score is not None, found.detail
    assert (found.metrics["is_on_card"], found.metrics["is_timed"]) == (1.0, 1.0)


def test_who_does_what_the_reference_does_is_as_fast(judge: Judge) -> None:
    found = judge.evaluate({"seed.py": WITH_TORCH})

    assert found.score is not None, found.detail
    assert abs(found.score) < 0.3


@pytest.mark.parametrize("text", NOT_IN_TIME.values(), ids=NOT_IN_TIME.keys())
def test_what_was_not_computed_in_time_is_wrong(judge: Judge, text: str) -> None:
    found = judge.evaluate({"seed.py": text})

    assert found.failure is Failure.INVALID, found.detail


def test_a_kernel_left_behind_to_slow_the_reference_down_is_found_out(judge: Judge) -> None:
    found = judge.evaluate({"seed.py": LEFT_BEHIND})

    assert found.failure is Failure.INVALID
    assert "still runs on the card" in found.detail


def test_nothing_starts_for_triton_s_sake_beside_a_card_either(judge: Judge) -> None:
    text = WITH_TORCH.replace("import torch\n", "import subprocess\nimport torch\nsubprocess.run(['/usr/bin/gcc'])\n")

    found = judge.evaluate({"seed.py": text})

    assert found.failure is Failure.EXCEPTION
    assert "PermissionError" in found.detail

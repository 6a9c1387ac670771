"""What isolation costs: `python -m benchmarks.sandbox [--rounds 5] [--evaluations 200]`.

A fresh jailed evaluation (start a program, call it once, close it) beside a cold interpreter, plain and under
bubblewrap, beside the same evaluation without any layer or without one, and beside a bare fork of a process that has
imported the same. Torch has its rows if the interpreter has torch.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import HEADER, Case, Measurement, timed, total_cpu_seconds
from sandbox.contract import PlainData
from sandbox.kernel import PR_SET_CHILD_SUBREAPER, prctl
from sandbox.layers import Layer
from sandbox.orphans import own_children
from sandbox.process import ProcessSandbox

FILES = {"main.py": "def f(x):\n    return x\n"}
COLD = "exec('def f(x):\\n    return x'); print(f(1.0))"
BWRAP = ("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
COSTLY = (Layer.SECCOMP, Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.PID_NAMESPACE, Layer.OWN_UID, Layer.MEMORY_CGROUP)
REST_SECONDS = 0.03  # for the next child to be parked
CPU_TARGETS = {"numpy": 6.0, "torch": 10.0}
ISOLATION_TARGET = 2.0
FORKER = """
import gc, json, os, sys, time
import {library}
gc.freeze()
for line in sys.stdin:
    walls, before = [], sum(os.times()[:4])
    for _ in range(int(line)):
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        walls.append(time.perf_counter() - started)
    print(json.dumps([walls, (sum(os.times()[:4]) - before) / int(line)]), flush=True)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=200, help="in one round of one case")
    arguments = parser.parse_args()
    libraries = ["numpy"]
    if importlib.util.find_spec("torch") is not None:
        libraries.append("torch")
    else:
        print("torch is not installed: its rows are missing")
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    with ExitStack() as stack:
        cases = cold_starts(libraries)
        verdicts = [add_library(stack, cases, library, arguments.evaluations) for library in libraries]
        for _ in range(arguments.rounds):
            for case in cases:
                case.measure()
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print("\n".join([HEADER, *(case.row() for case in cases)]))
        for verdict in verdicts:
            print(verdict())


def cold_starts(libraries: Sequence[str]) -> list[Case]:
    """A fresh interpreter for each evaluation, as it is and under bubblewrap."""
    if shutil.which("bwrap") is None:
        print("bwrap is not installed: its rows are missing")
    cases = []
    for library in ("", *libraries):
        command = [sys.executable, "-I", "-c", f"import {library}; {COLD}" if library else COLD]
        name, n_times = f"cold python, {library or 'nothing imported'}", 1 if library == "torch" else 5
        cases.append(Case(name, n_times, timed(partial(run_cold, command))))
        if shutil.which("bwrap") is not None:
            cases.append(Case(f"bwrap {name}", n_times, timed(partial(run_cold, [*BWRAP, *command]))))
    return cases


def add_library(stack: ExitStack, cases: list[Case], library: str, n: int) -> Callable[[], str]:
    """Add the rows of one preloaded library; returns what says how they compare."""

    def add(name: str, n_times: int, run: Callable[[int], Measurement], target: str = "") -> Case:
        cases.append(Case(f"{library}: {name}", n_times, run, target))
        return cases[-1]

    def add_evaluations(name: str, without: frozenset[Layer], target: str = "") -> Case:
        sandbox = warm(stack, library, without)
        action = timed(partial(evaluate, sandbox), pid=sandbox.server_pid)
        return add(f"{name} ({sandbox.level})", n, action, target)

    sandbox = warm(stack, library)
    print(f"{library}: {sandbox.level} by {', '.join(sorted(sandbox.layers))}")
    target = f"CPU <= {CPU_TARGETS[library]:g}"
    jailed = add_evaluations("fresh jailed evaluation, all layers", frozenset(), target)
    bare = add_evaluations("the same, no layer", frozenset(Layer))
    for layer in COSTLY:
        if layer in sandbox.layers:
            add_evaluations(f"the same without {layer}", frozenset((layer,)))
    fork = add("bare fork, exit and wait", n, partial(fork_times, forker(stack, library, sandbox.server_pid)))
    first = add("source to first result, parked child", max(1, n // 5), partial(first_results, sandbox), "wall < 1")
    add_calls(stack, sandbox, add)

    def verdict() -> str:
        cold = next(case for case in cases if case.name == f"cold python, {library}")
        return (
            f"{library}: {jailed.cpu_ms:.2f} ms CPU a fresh jailed evaluation ({target}), "
            f"{jailed.cpu_ms / fork.cpu_ms:.1f} bare forks, 1/{cold.cpu_ms / jailed.cpu_ms:.0f} of a cold start; "
            f"isolation itself {jailed.cpu_ms - bare.cpu_ms:.2f} ms CPU (<= {ISOLATION_TARGET:g}); "
            f"first result after {first.wall_ms:.2f} ms (< 1)"
        )

    return verdict


def add_calls(stack: ExitStack, sandbox: ProcessSandbox, add: Callable[..., Case]) -> None:
    """Add the rows of further calls to one session."""
    session = stack.enter_context(sandbox.start(FILES))
    arguments: tuple[tuple[str, int, PlainData], ...] = (
        ("a number", 1000, 1.5),
        ("1,000 floats in a list", 100, [0.1] * 1000),
        ("1 MiB array both ways", 30, np.zeros(1 << 17)),
    )
    for name, n_times, argument in arguments:
        call = partial(session.call, "f", argument)
        add(f"further call, {name}", n_times, timed(call, pid=sandbox.server_pid))


def warm(stack: ExitStack, library: str, without: frozenset[Layer] = frozenset()) -> ProcessSandbox:
    """A sandbox that has evaluated already."""
    sandbox = stack.enter_context(ProcessSandbox(preload=(library,), without=without, unsafe=True))
    evaluate(sandbox)
    return sandbox


def evaluate(sandbox: ProcessSandbox) -> None:
    """What judging the smallest candidate costs."""
    with sandbox.start(FILES) as session:
        session.call("f", 1.5)


def first_results(sandbox: ProcessSandbox, n_times: int) -> Measurement:
    """From a program's text to its first answer, when the server had time to park a child."""
    walls = []
    before = total_cpu_seconds(sandbox.server_pid)
    for _ in range(n_times):
        time.sleep(REST_SECONDS)
        started = time.perf_counter()
        with sandbox.start(FILES) as session:
            session.call("f", 1.5)
            walls.append(time.perf_counter() - started)
    return walls, (total_cpu_seconds(sandbox.server_pid) - before) / n_times


def run_cold(command: Sequence[str]) -> None:
    """Run a program to its end; what bwrap leaves to be buried by others is buried here, so that its time counts."""
    known = own_children()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for pid in own_children() - known:
        os.waitpid(pid, 0)


def forker(stack: ExitStack, library: str, server_pid: int) -> subprocess.Popen[str]:
    """A process like the server that forks on command; it has the server's own environment."""
    pairs = Path(f"/proc/{server_pid}/environ").read_bytes().decode().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    command = [sys.executable, "-s", "-P", "-c", FORKER.format(library=library)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    return stack.enter_context(process)


def fork_times(process: subprocess.Popen[str], n_times: int) -> Measurement:
    """Let it fork that often."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(n_times, file=process.stdin, flush=True)
    walls, cpu = json.loads(process.stdout.readline())
    return walls, cpu


if __name__ == "__main__":
    main()

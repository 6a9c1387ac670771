"""How several published systems run candidates: the evaluator imports them. A child of the engine, kept simple.

It inherits environment and descriptors, works in a folder that all share, compares answers where the candidate lives,
writes the score to a file, and hands the answer on by pickle. Only for attacks of this suite, inside a guard.
"""

import json
import os
import pickle  # noqa: TID251 the mistake is the point
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.limits import Limits

POLL_SECONDS = 0.002
LEAVE_SECONDS = 0.5
OUTPUT_BYTES = 65536

_HARNESS = """
import json, pickle, sys, time
folder, evaluator, metrics = sys.argv[1:4]
sys.path[:0] = [folder, evaluator]
calls, world = json.loads(sys.stdin.readline())
import evaluate
answers, failure, score, seconds = [], ["", ""], 0.0, 0.0
try:
    import main
    for name in calls:
        began = time.perf_counter()
        answers.append(getattr(main, name)(world))
        seconds = time.perf_counter() - began
    score = evaluate.score_of(answers[0])
    score += evaluate.points(lambda name, *rest: getattr(main, name)(*rest), lambda name: hasattr(main, name))
except MemoryError as error:
    failure = ["memory", str(error)]
except Exception as error:
    failure = ["exception", f"{type(error).__name__}: {error}"]
with open(metrics, "w") as file:
    report = {"score": score, "seconds": seconds, "answers": answers, "failure": failure}
    if answers and type(answers[0]) is dict:
        report.update(answers[0])
    json.dump(report, file, default=repr)
with open(metrics + ".pickle", "wb") as file:
    pickle.dump(answers[:1], file)
open(metrics + ".done", "w").close()
sys.stdin.readline()
"""


class Peer:
    """One candidate run by the naive harness."""

    def __init__(self, files: Mapping[str, str], limits: Limits, world: Mapping[str, Any], *, number: int) -> None:
        """Start it; the working folder is `world["work"]`, the first writes `metrics.json` there."""
        work = Path(world["work"])
        folder = work / f"candidate_{number}"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        self._seconds = limits.wall_seconds
        self._metrics, self._pickled, self._done = (
            work / (("metrics.json" if number == 1 else f"metrics_{number}.json") + ending)
            for ending in ("", ".pickle", ".done")
        )
        for stale in (self._metrics, self._pickled, self._done):
            stale.unlink(missing_ok=True)
        evaluator = str(Path(world["evaluator"]).parent)
        command = [sys.executable, "-B", "-c", _HARNESS, str(folder), evaluator, str(self._metrics)]
        self._output = open(folder / "output", "w+b")  # noqa: SIM115 as long as the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self._output, stderr=self._output, cwd=work, close_fds=False
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def run(self, calls: Sequence[str], world: Mapping[str, Any]) -> dict[str, Any]:
        """What the harness wrote within its time: believed as it is."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([list(calls), dict(world)]).encode() + b"\n")
            self._process.stdin.flush()
        deadline = time.monotonic() + self._seconds
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        report: dict[str, Any] = {"score": 0.0, "seconds": 0.0, "answers": [], "failure": ["", ""]}
        if not self._has_ended():
            report["failure"] = ["timeout", f"no answer within {self._seconds:g} s"]
        elif not self._metrics.exists():
            report["failure"] = ["crash", f"exit status {self._process.poll()}"]
        with suppress(OSError, ValueError, TypeError):
            report |= json.loads(self._metrics.read_text())
        with suppress(ValueError, TypeError):  # some read the result from the last line
            report |= json.loads(self._last_line())
        return report

    def end(self) -> str:
        """Kill it, and it alone; what it printed."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._done.exists():
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_SECONDS)
        self._process.kill()
        self._process.wait()
        with suppress(Exception), open(self._pickled, "rb") as file:
            pickle.load(file)  # noqa: S301 the mistake is the point
        self._output.flush()
        text = os.pread(self._output.fileno(), OUTPUT_BYTES, 0)
        self._output.close()
        return text.decode(errors="replace")

    def _last_line(self) -> bytes:
        size = os.fstat(self._output.fileno()).st_size
        text = os.pread(self._output.fileno(), OUTPUT_BYTES, max(0, size - OUTPUT_BYTES))
        return text.strip().rpartition(b"\n")[2]

    def _has_ended(self) -> bool:
        return self._done.exists() or self._process.poll() is not None

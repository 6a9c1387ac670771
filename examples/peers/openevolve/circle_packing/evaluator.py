"""Runs the program in a process of its own, with a time limit, and checks the circles."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BEST = 2.0

RUNNER = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("program", sys.argv[1])
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
centers, radii = program.run_packing()
json.dump([centers.tolist(), radii.tolist()], open(sys.argv[2], "w"))
print("placed", len(radii))
"""


def run(program_path, seconds):
    with tempfile.TemporaryDirectory() as folder:
        runner, answer = Path(folder, "runner.py"), Path(folder, "answer.json")
        runner.write_text(RUNNER)
        process = subprocess.Popen(
            [sys.executable, str(runner), program_path, str(answer)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise TimeoutError(f"it ran for longer than {seconds} s") from None
        if process.returncode:
            raise RuntimeError(errors.decode())
        return map(np.array, json.loads(answer.read_text()))


def complaint(centers, radii):
    if centers.shape != (8, 2) or radii.shape != (8,):
        return f"shapes {centers.shape} and {radii.shape}"
    if not np.isfinite(centers).all() or not np.isfinite(radii).all() or (radii < 0).any():
        return "numbers that are no circles"
    if (centers - radii[:, None] < -1e-9).any() or (centers + radii[:, None] > 1 + 1e-9).any():
        return "a circle leaves the square"
    for i in range(8):
        for j in range(i):
            if np.hypot(*(centers[i] - centers[j])) < radii[i] + radii[j] - 1e-9:
                return f"the circles {i} and {j} overlap"
    return ""


def evaluate(program_path):
    try:
        centers, radii = run(program_path, 10)
    except Exception as error:
        return {"combined_score": 0.0, "error": str(error)}
    wrong = complaint(centers, radii)
    if wrong:
        return {"combined_score": 0.0, "error": wrong}
    return {"combined_score": float(radii.sum()) / BEST, "spread": float(radii.std()), "eval_time": 0.0}

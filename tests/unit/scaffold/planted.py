"""Small problems with one mistake each in their evaluator, and one without any."""

from pathlib import Path

PROBLEM = """
[problem]
name = "{name}"
title = "A small problem"
statement = "What is asked of the program."
language = "python"
[evaluator]
file = "evaluate.py"
[limits]
wall_seconds = 5
memory_mb = 256
[[archive.axes]]
name = "size"
low = -2
high = 2
cells = 8
"""

WAVE_SEED = """
import math

# EVOLVE-BLOCK-START
A = 0.9
B = 0.15


def wave(xs):
    return [A * x - B * x**3 for x in xs]


# EVOLVE-BLOCK-END
"""
WAVE = """
import math

import numpy as np

POINTS = [i / 16 for i in range(33)]


def evaluate(candidate):
    answer = {call}
    if not isinstance(answer, list) or len(answer) != len(POINTS):
        return {{"failure": f"wave() must return {{len(POINTS)}} numbers"}}
    if any(type(y) not in (int, float) or not abs(y) < 1e6 for y in answer):
        return {{"failure": "wave() must return numbers below 1e6"}}
    error = max(abs(y - math.sin(x)) for x, y in zip(POINTS, answer))
    return {{"score": {score}, "descriptor": {{"size": answer[-1]}}, "metrics": {{"largest_error": error}}}}


def verify(candidate):
    return {{"verdict": "unverified"}}
"""
CALL = 'candidate.call("wave", POINTS)'

SHARES_SEED = """
# EVOLVE-BLOCK-START
def shares():
    return {answer}


# EVOLVE-BLOCK-END
"""
SHARES = """
import math


def evaluate(candidate):
    answer = candidate.call("shares")
    shares = {shares}
    if not isinstance(shares, list) or len(shares) != 4:
        return {{"failure": "shares() must return four numbers"}}
    if any(type(share) not in (int, float) or not 0 <= share <= 1 for share in shares):
        return {{"failure": "a share is a number from 0 to 1"}}
    if sum(shares) > {most}:
        return {{"failure": "the shares add up to more than 1"}}
    return {{"score": {score}, "descriptor": {{"size": shares[0]}}, "metrics": {{"sum": sum(shares)}}}}
"""
ROOTS = "sum(math.sqrt(share) for share in shares)"


QUIETLY = """

def quietly(candidate):
    try:
        return candidate.call("wave", POINTS)
    except Exception:
        return [math.sin(x) for x in POINTS]
"""
PART = """

def PART(candidate):
    text = candidate.files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    space = {}
    exec(text, space)
    return space["wave"]
"""
STARTED = """

def started(candidate):
    import json, subprocess, sys

    program = candidate.files["seed.py"] + "\\nimport json, sys\\nprint(json.dumps(wave(json.loads(sys.argv[1]))))"
    command = [sys.executable, "-c", program, json.dumps(POINTS)]
    return json.loads(subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[-1])
"""


def _wave(call: str = CALL, score: str = "-error", extra: str = "") -> tuple[str, str]:
    return WAVE_SEED, WAVE.format(call=call, score=score) + extra


def _shares(answer: str, shares: str = "answer", most: str = "1", score: str = ROOTS) -> tuple[str, str]:
    return SHARES_SEED.format(answer=answer), SHARES.format(shares=shares, most=most, score=score)


PLANTED = {
    "sound": _wave(),
    "in_process": _wave(call='(exec(candidate.files["seed.py"], globals()), globals()["wave"](POINTS))[1]'),
    "claimed_score": _shares(
        '{"shares": [0.1, 0.2, 0.3, 0.4], "score": 1.9}', shares='answer["shares"]', score='answer["score"]'
    ),
    "tolerance": _shares("[0.125, 0.375, 0.25, 0.25]", most="1 + 1e-6"),
    "nondeterminism": _wave(score="-error + np.random.random()"),
    "unseeded_inputs": _wave(call='candidate.call("wave", [x * np.random.random() for x in POINTS])'),
    "wrong_direction": _wave(score="error"),
    "swallowed_errors": _wave(call="quietly(candidate)", extra=QUIETLY),
    "part_in_process": _wave(call="PART(candidate)(POINTS)", extra=PART),
    "own_process": _wave(call="started(candidate)", extra=STARTED),
}


def plant(folder: Path, name: str) -> Path:
    """Write one of the problems and return its folder."""
    seed, evaluator = PLANTED[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem.toml").write_text(PROBLEM.format(name=name), encoding="utf-8")
    (folder / "seed.py").write_text(seed, encoding="utf-8")
    (folder / "evaluate.py").write_text(evaluator, encoding="utf-8")
    return folder

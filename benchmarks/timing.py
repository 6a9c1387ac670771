"""How far a timed score can be trusted: the same program judged again and again, by its problem's own judge.

`python -m benchmarks.timing [--problem row_softmax] [--evaluations 20]` prints each score with the standard error that
it tells of itself and how busy others kept the machine, then the deviation between evaluations: the smallest difference
that means something is about three of those.
"""

import argparse
import math
import os
import statistics
import time
from pathlib import Path

from evaluators.contract import Evaluation
from evaluators.process import open_judge
from evaluators.spec import JudgeSpec
from evolve.config.problem import load_problem

PROBLEMS = Path(__file__).resolve().parent.parent / "problems"


def main() -> None:
    """Judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", default="row_softmax", help="a shipped problem, or a folder")
    parser.add_argument("--evaluations", type=int, default=20)
    asked = parser.parse_args()
    problem = load_problem(PROBLEMS / asked.problem if (PROBLEMS / asked.problem).exists() else Path(asked.problem))
    scored = []
    print("score     told    busy  load   seconds")
    with open_judge(JudgeSpec.from_mapping(problem.judge_spec_mapping())) as judge:
        for _ in range(asked.evaluations):
            started = time.monotonic()
            evaluation = judge.evaluate(problem.seed_files)
            print(_line(evaluation, time.monotonic() - started), flush=True)
            scored += [evaluation] if evaluation.score is not None else []
    _tell(scored, asked.evaluations)


def _line(evaluation: Evaluation, seconds: float) -> str:
    if evaluation.score is None:
        return f"{evaluation.failure}: {evaluation.detail}"
    told, busy = (evaluation.metrics.get(name, math.nan) for name in ("standard_error", "busy_elsewhere"))
    return f"{evaluation.score:+.4f}  {told:.4f}  {busy:4.0%}  {os.getloadavg()[0]:5.1f}  {seconds:.1f}"


def _tell(scored: list[Evaluation], n: int) -> None:
    scores = [each.score for each in scored if each.score is not None]
    if len(scores) < 2:
        print(f"{len(scores)} of {n} scored")
        return
    deviation = statistics.stdev(scores)
    told = statistics.median(each.metrics.get("standard_error", math.nan) for each in scored)
    print(
        f"{len(scores)} of {n} scored, median {statistics.median(scores):+.4f}, deviation {deviation:.4f} "
        f"({math.expm1(deviation * math.log(2)):.1%} of the time), standard error told {told:.4f}, "
        f"range {max(scores) - min(scores):.4f}"
    )


if __name__ == "__main__":
    main()

"""How near approximate(x) is to sin(x) on [-2, 2]; writes both files by itself."""

import argparse
import importlib.util
import json
import math
from pathlib import Path


def judged(program_path):
    if "sin" in Path(program_path).read_text(encoding="utf-8"):
        return {"combined_score": 0.0}, False, "the program names sin"
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    worst = max(abs(float(program.approximate(i / 20)) - math.sin(i / 20)) for i in range(-40, 41))
    if not math.isfinite(worst):
        return {"combined_score": 0.0}, False, "not finite"
    return {"combined_score": -math.log10(worst + 1e-16), "public": {"max_error": worst}, "private": {}}, True, ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", required=True)
    parser.add_argument("--results_dir", required=True)
    given = parser.parse_args()
    results = Path(given.results_dir)
    results.mkdir(parents=True, exist_ok=True)
    metrics, correct, error = judged(given.program_path)
    (results / "metrics.json").write_text(json.dumps(metrics))
    (results / "correct.json").write_text(json.dumps({"correct": correct, "error": error}))


if __name__ == "__main__":
    main()

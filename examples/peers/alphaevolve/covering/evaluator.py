"""Runs the program's evaluate() and writes its score, as the ae command line wants it."""

import argparse
import json
import os
import sys


def evaluate_program(code):
    names = {}
    try:
        exec(code, names)
        reach = names["evaluate"]({"n": 4})["reach"]
    except Exception as error:
        return {"score": None, "insights": [{"label": "error", "text": str(error)}]}
    if reach == float("-inf"):
        return {"score": None, "insights": [{"label": "error", "text": "points outside, or too few"}]}
    insights = [{"label": "reach", "text": f"the farthest place is {-reach} away"}]
    return {"scores": [{"metric": "reach", "score": reach}, {"metric": "n", "score": 4}], "insights": insights}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output-file", required=True)
    parser.add_argument("--program-dir", required=True)
    given = parser.parse_args()
    sys.path.insert(0, given.program_dir)
    with open(os.path.join(given.program_dir, "initial_program.py"), encoding="utf-8") as file:
        result = evaluate_program(file.read())
    with open(given.output_file, "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()

"""What the opening of a search over update rules brings back, whatever its random stream, and what it costs.

    python -m benchmarks.rule_opening --streams 3 --problem optimizers

One line a stream: rules trained at each rung of the ladder, CPU seconds; then what the bursts of the opening answered,
which is what the judge would be asked to measure.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence

from evolve.config.locate import find_problem
from evolve.config.problem import load_problem
from evolve.loop.setup import build_openers, build_operators
from evolve.operators.update_rules import RuleBurst
from evolve.rules.rule_task import rule_children


def main(arguments: Sequence[str] | None = None) -> None:
    """Open with every stream and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problem", default="optimizers", help="a problem whose candidates are update rules")
    parser.add_argument("--streams", type=int, default=3, help="how many random streams")
    parser.add_argument("--parts", type=int, nargs="*", default=[], help="only these of the opening's turns")
    options = parser.parse_args(arguments)
    problem = load_problem(find_problem(options.problem))
    openers = [each for each in build_openers(problem, build_operators(problem)) if isinstance(each, RuleBurst)]
    answered: Counter[str] = Counter()
    for stream in range(options.streams):
        began, trained = time.process_time(), [0, 0, 0]
        for part, opener in enumerate(openers):
            if options.parts and part not in options.parts:
                continue
            answer = rule_children(_payload(opener, stream))
            counts = answer["statistics"]["trained"]
            trained = [a + b for a, b in zip(trained, [*counts, 0, 0, 0], strict=False)]
            answered.update(child["source"] for child in answer["children"])
        print(f"stream {stream}: trained {trained}, {time.process_time() - began:.0f} CPU-s", flush=True)
    for text, n in answered.most_common():
        print(f"\nin {n} of {options.streams}\n{text}", flush=True)


def _payload(opener: RuleBurst, stream: int) -> dict[str, object]:
    return {
        "judge": dict(opener.judge),
        "vocabulary": opener.vocabulary,
        "inputs": list(opener.inputs),
        "parents": [opener.settings["first"]],
        "known": [],
        "rng_seed": [stream, 12, 3, 4],
        "settings": {**opener.settings, "kind": opener.kind},
    }


if __name__ == "__main__":
    main()

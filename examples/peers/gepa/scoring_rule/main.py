"""A rule that tells spam by counting words; judged on a few letters."""

import gepa.optimize_anything as oa
from gepa.optimize_anything import EngineConfig, GEPAConfig, ReflectionConfig, optimize_anything
from letters import LETTERS

SEED = """
def rule(text):
    words = text.lower().split()
    points = 0.0
    for word in words:
        if word in ("win", "free"):
            points += 1.0
    return points >= 1.0
"""


def evaluate(candidate, example):
    names = {}
    exec(candidate, names)
    is_spam = bool(names["rule"](example["text"]))
    right = is_spam == example["spam"]
    oa.log("letter", example["id"], "is", "spam" if example["spam"] else "no spam")
    return float(right), {"scores": {"right": float(right)}, "said": "spam" if is_spam else "no spam"}


def main():
    optimize_anything(
        seed_candidate=SEED,
        evaluator=evaluate,
        dataset=LETTERS,
        objective="Write a rule(text) that tells spam from other letters.",
        background="Letters are short. " + "Words are English.",
        config=GEPAConfig(
            engine=EngineConfig(run_dir="outputs/rule", max_metric_calls=8),
            reflection=ReflectionConfig(reflection_lm="some/model"),
        ),
    )


if __name__ == "__main__":
    main()

"""Points of the interval from 0 to 1 that lie near everything."""

from typing import Any, Mapping

# EVOLVE-BLOCK-START


def points(n: int) -> list[float]:
    step = 1.0 / n
    return [step * i for i in range(n)]


# EVOLVE-BLOCK-END


def evaluate(eval_inputs: Mapping[str, Any]) -> dict[str, float]:
    chosen = points(eval_inputs["n"])
    if len(chosen) != eval_inputs["n"] or not all(0.0 <= point <= 1.0 for point in chosen):
        return {"reach": float("-inf")}
    return {"reach": -max(min(abs(i / 500 - point) for point in chosen) for i in range(501))}

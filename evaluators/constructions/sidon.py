"""Sets of whole numbers with few equal differences, and how small their largest Sidon subsets are."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_sidon.py"
LARGEST = 1 << 62
MOST_NODES = 400_000


def sidon_subset(data: Any, parameters: Parameters) -> Measured:
    """The share of the largest Sidon subset of a set any four of whose numbers have five different differences.

    Copies of the set at generic scales, together, have the property again, and no larger share: the value is an upper
    bound of the constant for sets of any size.
    """
    numbers = sorted(reading.wholes(data, "the set", most=int(parameters["n"]), low=-LARGEST, high=LARGEST))
    reading.distinct(numbers, "the set")
    if len(numbers) < 4:
        raise RejectedError("the set has fewer than four numbers")
    numbers = [number - numbers[0] for number in numbers]
    for four in combinations(numbers, 4):
        if len({b - a for a, b in combinations(four, 2)}) < 5:
            shown = ", ".join(str(number) for number in four)
            raise RejectedError(f"the numbers {shown} (counted from the least) have fewer than five differences")
    largest = largest_sidon_subset(numbers)
    return Measured(
        value=fmpq(len(largest), len(numbers)),
        construction=numbers,
        details={"size": float(len(numbers)), "sidon_size": float(len(largest))},
        picture=points_picture(
            "the set, and its largest Sidon subset above", [*((x, 0) for x in numbers), *((x, 1) for x in largest)]
        ),
    )


def largest_sidon_subset(numbers: Sequence[int]) -> list[int]:
    """A largest subset all of whose differences are different, by branch and bound."""
    best: list[int] = []
    stack: list[tuple[int, list[int], frozenset[int]]] = [(0, [], frozenset())]
    nodes = 0
    while stack:
        place, chosen, differences = stack.pop()
        if len(chosen) > len(best):
            best = chosen
        if place == len(numbers) or len(chosen) + len(numbers) - place <= len(best):
            continue
        nodes += 1
        if nodes > MOST_NODES:
            raise RejectedError("the set has too many Sidon subsets to look at all of them")
        stack.append((place + 1, chosen, differences))
        number = numbers[place]
        new = {number - other for other in chosen}
        if not new & differences:
            stack.append((place + 1, [*chosen, number], differences | new))
    return best


VERIFIERS = (
    Verifier(
        name="sidon_subset",
        quantity="share of the largest Sidon subset",
        direction="min",
        checker=CHECKER,
        measure=sidon_subset,
        parameters=(Whole(name="n", low=4, high=28),),
    ),
)

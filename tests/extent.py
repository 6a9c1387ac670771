"""How much the suite runs: by default what fits ten minutes on two cores, all of it where the environment asks.

`EVOLVE_ALL_TESTS` asks for everything; `EVOLVE_ALL_ATTACKS` for the hostile suite alone.
"""

import os

ALL_TESTS = bool(os.environ.get("EVOLVE_ALL_TESTS"))
ALL_ATTACKS = ALL_TESTS or bool(os.environ.get("EVOLVE_ALL_ATTACKS"))
FEWEST_EXAMPLES = 12


def examples(n: int) -> int:
    """On how many examples a property is tried: by default on the same third of `n`, else on others in every run."""
    return n if ALL_TESTS else min(n, max(n // 3, FEWEST_EXAMPLES))

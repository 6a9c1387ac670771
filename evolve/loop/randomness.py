"""Counter-based random streams: no random state is ever stored, every number can be made again."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes never meet."""

    PLAN = 1
    OPERATOR = 2
    EVALUATION = 3


def stream(rng_seed: int, purpose: Purpose, number: int) -> np.random.Generator:
    """The random stream of one iteration for one purpose."""
    return np.random.default_rng([rng_seed, int(purpose), number])


def evaluation_seed(rng_seed: int, iteration: int, ordinal: int) -> int:
    """The seed that the evaluator of one candidate receives, in [0, 2**31)."""
    return int(np.random.default_rng([rng_seed, int(Purpose.EVALUATION), iteration, ordinal]).integers(0, 2**31))

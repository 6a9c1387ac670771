"""Look for the lowest point of a hilly function of two variables."""

import math
import random


def height(x, y):
    return math.sin(3 * x) * math.cos(2 * y) + 0.1 * (x * x + y * y)


# EVOLVE-BLOCK-START
def search(seed):
    generator = random.Random(seed)
    best = (0.0, 0.0)
    reach = 2.0
    for _ in range(60):
        x = generator.uniform(-reach, reach)
        y = generator.uniform(-reach, reach)
        if height(x, y) < height(*best):
            best = (x, y)
    return best


# EVOLVE-BLOCK-END

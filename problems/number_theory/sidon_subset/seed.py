"""A set of whole numbers, any four with five differences."""

from itertools import combinations

# EVOLVE-BLOCK-START


def construct(n):
    """The first numbers that fit, from 0 on."""
    chosen = [0]
    number = 1
    while len(chosen) < min(n, 8):
        if all(differences((*three, number)) >= 5 for three in combinations(chosen, 3)):
            chosen.append(number)
        number += 1
    return chosen


def differences(four):
    """How many different differences four numbers have."""
    return len({b - a for a, b in combinations(four, 2)})


# EVOLVE-BLOCK-END

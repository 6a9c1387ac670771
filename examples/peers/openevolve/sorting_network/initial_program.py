"""A list of pairs of places: each pair is compared and exchanged, in this order."""


# EVOLVE-BLOCK-START
def network():
    pairs = []
    n = 6
    for i in range(n):
        for j in range(n - 1 - i):
            pairs.append((j, j + 1))
    return pairs


# EVOLVE-BLOCK-END

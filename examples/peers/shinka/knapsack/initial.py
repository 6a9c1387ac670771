# EVOLVE-BLOCK-START
def pick(values, weights, room):
    """Indices of the things to take."""
    order = sorted(range(len(values)), key=lambda i: values[i], reverse=True)
    taken = []
    for i in order:
        if weights[i] <= room:
            taken.append(i)
            room -= weights[i]
    return taken


# EVOLVE-BLOCK-END


def run_knapsack(seed, n_things):
    import random

    generator = random.Random(seed)
    values = [generator.randint(1, 60) for _ in range(n_things)]
    weights = [generator.randint(1, 40) for _ in range(n_things)]
    taken = list(pick(list(values), list(weights), 100))
    return values, weights, taken

# EVOLVE-BLOCK-START
def approximate(x):
    return x - 0.16 * x**3


# EVOLVE-BLOCK-END

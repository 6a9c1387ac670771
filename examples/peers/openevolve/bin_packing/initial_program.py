"""Which bin an item goes into: it gets the sizes left in the open bins, and may open a new one (None)."""


# EVOLVE-BLOCK-START
def choose(item, free):
    best = None
    for index, room in enumerate(free):
        if room >= item:
            best = index
            break
    return best


# EVOLVE-BLOCK-END

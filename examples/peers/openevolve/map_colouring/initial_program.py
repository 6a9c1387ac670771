# EVOLVE-BLOCK-START
def colour(neighbours):
    colours = {}
    for node in range(len(neighbours)):
        taken = {colours[other] for other in neighbours[node] if other in colours}
        colours[node] = min(c for c in range(len(neighbours)) if c not in taken)
    return colours


# EVOLVE-BLOCK-END

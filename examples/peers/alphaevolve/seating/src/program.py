# EVOLVE-BLOCK-START
def seats(likes):
    order = [0]
    while len(order) < len(likes):
        last = order[-1]
        best = None
        for guest in range(len(likes)):
            if guest in order:
                continue
            if best is None or likes[guest][last] < likes[best][last]:
                best = guest
        order.append(best)
    return order


# EVOLVE-BLOCK-END

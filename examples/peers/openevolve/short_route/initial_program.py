"""Visit all towns once and come back; no markers: everything here may change."""

import math


def length(towns, order):
    return sum(math.dist(towns[order[i]], towns[order[i - 1]]) for i in range(len(order)))


def route(towns):
    order = [0]
    left = set(range(1, len(towns)))
    while left:
        nearest = min(sorted(left), key=lambda town: math.dist(towns[town], towns[order[-1]]))
        order.append(nearest)
        left.remove(nearest)
    return order

"""The share of all rows of six zeros and ones that come out sorted, and how few exchanges it takes.

There is no combined_score: the mean of both counts, and `pairs`, by which programs are told apart, does not.
"""

import importlib.util
from itertools import product


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("network_program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    pairs = [(int(i), int(j)) for i, j in program.network()][:100]
    n_sorted = 0
    for row in product((0, 1), repeat=6):
        cells = list(row)
        for i, j in pairs:
            if cells[i] > cells[j]:
                cells[i], cells[j] = cells[j], cells[i]
        n_sorted += cells == sorted(cells)
    return {
        "sorted": n_sorted / 64,
        "thrift": 12 / max(12, len(pairs)),
        "pairs": len(pairs),
        "is_exact": n_sorted == 64,
    }

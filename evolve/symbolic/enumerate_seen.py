"""A table of what was seen, and the last pass over a list of structures: in normal form, each once."""

import numpy as np

from evolve.symbolic.enumerate_field import ONE, ZERO, WordArray, mixed
from evolve.symbolic.enumerate_signs import CodeArray
from evolve.symbolic.kernel import compiled
from evolve.symbolic.normal_form import normalise, structure_hash


@compiled
def is_new(seen: WordArray, key: np.uint64) -> bool:
    """Note a key in an open table; whether it was not there."""
    mask = np.uint64(len(seen) - 1)
    at = mixed(key, 0) & mask
    while seen[at] != ZERO:
        if seen[at] == key:
            return False
        at = (at + ONE) & mask
    seen[at] = key
    return True


@compiled
def rehashed(seen: WordArray) -> WordArray:
    """The table with four times the room."""
    larger = np.zeros(4 * len(seen), np.uint64)
    for key in seen:
        if key != ZERO:
            is_new(larger, key)
    return larger


@compiled
def brought_to_normal_form(codes: CodeArray, n_inputs: int) -> int:
    """Rewrite structures as a search writes them, in place, and move those that stay distinct to the front."""
    n, kept = codes.shape[1], 0
    code, blank = np.zeros((n, 3), np.int64), np.zeros((n, 2))
    scratch = np.zeros(n + n_inputs, np.int64)
    seen = np.zeros(1 << 10, np.uint64)
    for at in range(len(codes)):
        for i in range(n):
            blank[i, 0], blank[i, 1] = 1.5, 1.5
            for side in range(3):
                code[i, side] = codes[at, i, side]
        if normalise(code, blank, n, n_inputs, scratch, True) != n:
            continue
        if not is_new(seen, np.uint64(structure_hash(code, n, n_inputs, scratch)) | ONE):
            continue
        if 3 * kept > len(seen):
            seen = rehashed(seen)
        for i in range(n):
            for side in range(3):
                codes[kept, i, side] = code[i, side]
        kept += 1
    return kept

"""Row softmax in Triton, a program for each row: correct, and slow as its knobs stand."""

import torch
import triton
import triton.language as tl

# EVOLVE-BLOCK-START

BLOCK = 256  # choices: [128, 256, 512, 1024, 2048, 4096, 8192, 16384]
WARPS = 1  # choices: [1, 2, 4, 8, 16]
STAGES = 1  # choices: [1, 2, 3, 4]
DIVIDES = True  # choices: [True, False]


@triton.jit
def rows(x, out, n_columns, block: tl.constexpr, divides: tl.constexpr):
    """Two passes over a row, a block of columns at a time; what was summed shrinks when the largest number grows."""
    start_of_row = tl.program_id(0).to(tl.int64) * n_columns
    columns = tl.arange(0, block)
    largest = -float("inf")
    total = 0.0
    for start in range(0, n_columns, block):
        inside = start + columns < n_columns
        values = tl.load(x + start_of_row + start + columns, mask=inside, other=-float("inf"))
        grown = tl.maximum(largest, tl.max(values, axis=0))
        total = total * tl.exp(largest - grown) + tl.sum(tl.exp(values - grown), axis=0)
        largest = grown
    for start in range(0, n_columns, block):
        inside = start + columns < n_columns
        values = tl.load(x + start_of_row + start + columns, mask=inside)
        weights = tl.exp(values - largest)
        weights = weights / total if divides else weights * (1.0 / total)
        tl.store(out + start_of_row + start + columns, weights, mask=inside)


def softmax(x, out):
    x, out = torch.as_tensor(x), torch.as_tensor(out)
    rows[(len(x),)](x, out, x.shape[1], block=BLOCK, divides=DIVIDES, num_warps=WARPS, num_stages=STAGES)
    if x.is_cuda:
        torch.cuda.synchronize()


# EVOLVE-BLOCK-END

"""Attention, a few rows at a time: correct, and slow as its knobs stand."""

import torch

# EVOLVE-BLOCK-START

ROWS = 16  # choices: [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
KEYS = 256  # choices: [64, 128, 256, 512, 1024, 2048, 4096, 16384, 131072]
SCALED = "logits"  # choices: ["logits", "queries"]
BASE = "e"  # choices: ["e", "2"]

LOG2_E = 1.4426950408889634


def powers(logits, largest):
    if BASE == "2":
        return torch.exp2(logits - largest)
    return torch.exp(logits - largest)


def block(queries, keys, values, scale):
    """Some rows of the result, a block of keys at a time; what was summed shrinks when the largest logit grows."""
    largest = torch.full((len(queries), 1), -torch.inf, device=queries.device)
    total = torch.zeros_like(largest)
    summed = torch.zeros((len(queries), values.shape[1]), device=queries.device)
    for start in range(0, len(keys), KEYS):
        logits = (queries @ keys[start : start + KEYS].T).float()
        if SCALED == "logits":
            logits = logits * scale
        grown = torch.maximum(largest, logits.max(dim=1, keepdim=True).values)
        weights = powers(logits, grown)
        shrunk = powers(largest, grown)
        total = total * shrunk + weights.sum(dim=1, keepdim=True)
        summed = summed * shrunk + (weights.to(values.dtype) @ values[start : start + KEYS]).float()
        largest = grown
    return summed / total


def attention(q, k, v, out):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    queries, keys, values = (torch.from_numpy(each).to(device) for each in (q, k, v))
    scale = q.shape[1] ** -0.5
    if BASE == "2":
        scale *= LOG2_E
    if SCALED == "queries":
        queries = queries * scale
    result = torch.from_numpy(out)
    with torch.inference_mode():
        for start in range(0, len(queries), ROWS):
            result[start : start + ROWS] = block(queries[start : start + ROWS], keys, values, scale)


# EVOLVE-BLOCK-END

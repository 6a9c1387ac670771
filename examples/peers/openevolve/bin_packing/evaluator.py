"""Three stages: four items, then forty, then four hundred. Each must go well enough for the next to be tried."""

import importlib.util
import random

CAPACITY = 100


def filled(program_path, n_items):
    spec = importlib.util.spec_from_file_location("packer", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    generator = random.Random(n_items)
    items = [generator.randint(8, 60) for _ in range(n_items)]
    free = []
    for item in items:
        index = program.choose(item, tuple(free))
        if index is None:
            free.append(CAPACITY)
            index = len(free) - 1
        if free[index] < item:
            raise ValueError(f"an item of {item} does not fit into {free[index]}")
        free[index] -= item
    return sum(items) / (CAPACITY * len(free)), len(free)


def evaluate_stage1(program_path):
    share, _ = filled(program_path, 4)
    return {"combined_score": share, "stage1_share": share}


def evaluate_stage2(program_path):
    share, _ = filled(program_path, 40)
    return {"combined_score": share, "stage2_share": share}


def evaluate_stage3(program_path):
    share, n_bins = filled(program_path, 400)
    return {"combined_score": 1.0 + share, "bins": n_bins}


def evaluate(program_path):
    return evaluate_stage3(program_path)

"""Training proxies of update rules: one batched program beside a loop over `torch.optim`.

`python -m benchmarks.optimizer_training [--device cpu|cuda|auto] [--tasks lin_ae,digits_aug] [--members 1,10,60]`

First, per task, microseconds of one step of one run: with `torch.optim.AdamW` on tensors of its own (one run after
another, `foreach` as torch chooses), and as one of an ensemble of several sizes, with the same rule as a text. Then
what other rules cost beside AdamW in an ensemble, and last how many candidates a minute one core screens: each with
five learning rates and two seeds on the three cheapest tasks of the search. CPU seconds on one thread; wall seconds
with a card. Data and evaluation are part of every figure.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from evaluators.optimizers.ensemble import factor
from evaluators.optimizers.task import BLOCK_STEPS, Task
from evaluators.optimizers.tasks import TASKS, tasks_of
from evaluators.optimizers.trainer import train
from sandbox.torch_device import TorchDevice, open_device
from sandbox.update_rules.rule import UpdateRule
from sandbox.update_rules.zoo import zoo_rule

RULES = ("momentum", "adam", "nadamw", "lion", "sophia", "muon", "soap")
RATE = 0.003
SCREENED = 12
"""Candidates in the last part: as many different rules, so that no update is shared."""

N_RATES, N_SEEDS = 5, 2


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    parser.add_argument("--tasks", default=",".join(task.name for task in tasks_of("search")))
    parser.add_argument("--members", default="", help="sizes of ensembles, such as 1,10,60; default: around the task's")
    parser.add_argument("--steps", type=int, default=2 * BLOCK_STEPS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    opened = open_device(asked.device)
    print(f"device: {opened.name} {opened.notice}; torch {torch.__version__}, one thread, {asked.steps} steps\n")
    names = asked.tasks.split(",")
    compare_sizes(opened, [TASKS[name] for name in names], [int(n) for n in asked.members.split(",") if n], asked.steps)
    compare_rules(opened, [TASKS[name] for name in names], asked.steps)
    screen(opened)


def compare_sizes(opened: TorchDevice, tasks: Sequence[Task], sizes: Sequence[int], n_steps: int) -> None:
    """One run's step in a loop of its own, and in ensembles."""
    rule = zoo_rule("adam")
    print("one step of one run with AdamW, microseconds (and how many times as fast as the loop)")
    for task in tasks:
        loop = seconds(opened, partial(train_in_a_loop, opened, task, n_steps)) / n_steps
        line = f"{task.name:13} {task.layout.n_parameters:6} parameters   torch.optim loop {loop * 1e6:7.0f}"
        for n in sizes or sorted({1, 10, task.n_members, 4 * task.n_members}):
            each = seconds(opened, partial(ensemble, opened, task, [rule], n, n_steps)) / (n_steps * n)
            line += f"   E={n} {each * 1e6:6.0f} (x{loop / each:.1f})"
        print(line, flush=True)


def compare_rules(opened: TorchDevice, tasks: Sequence[Task], n_steps: int) -> None:
    """A step with each rule as a share of one with AdamW, in an ensemble of the task's size."""
    print(f"\none step with other rules, times AdamW's: {', '.join(RULES)}")
    for task in tasks:
        spent = {name: seconds(opened, partial(ensemble, opened, task, [zoo_rule(name)], 0, n_steps)) for name in RULES}
        shares = "  ".join(f"{name} {spent[name] / spent['adam']:.2f}" for name in RULES)
        print(f"{task.name:13} {shares}", flush=True)


def screen(opened: TorchDevice) -> None:
    """Candidates a minute: different rules, five learning rates, two seeds, the three cheapest tasks."""
    tasks = [TASKS[name] for name in ("quad_rot", "lin_ae", "digits_aug")]
    rules = [zoo_rule("adam", beta1=0.5 + 0.04 * number) for number in range(SCREENED)]
    rates = [[RATE * 2.4**k for k in range(N_RATES)] for _ in rules]

    def one_by_one() -> None:
        for task in tasks:
            for rule, row in zip(rules, rates, strict=True):
                train(task, [rule], learning_rates=[row], seeds=range(N_SEEDS), device=str(opened.device))

    def together() -> None:
        for task in tasks:
            train(task, rules, learning_rates=rates, seeds=range(N_SEEDS), device=str(opened.device))

    print(f"\ncandidates a minute on {', '.join(task.name for task in tasks)} ({N_RATES} rates x {N_SEEDS} seeds)")
    for name, work in (("one after the other", one_by_one), (f"{SCREENED} together", together)):
        spent = seconds(opened, work)
        print(f"{name:20} {60 * len(rules) / spent:6.0f}   ({spent / len(rules):.3f} s each)", flush=True)


def ensemble(opened: TorchDevice, task: Task, rules: Sequence[UpdateRule], n: int, n_steps: int) -> None:
    """Train `n` runs together, two seeds of each learning rate where they fit; 0: as many as the task likes."""
    n = n or task.n_members
    seeds = range(2 if n % 2 == 0 else 1)
    rates = [[RATE * (1 + 0.01 * k) for k in range(n // len(seeds))]] * len(rules)
    train(task, rules, learning_rates=rates, seeds=seeds, n_steps=n_steps, device=str(opened.device))


def train_in_a_loop(opened: TorchDevice, task: Task, n_steps: int) -> None:
    """One run with `torch.optim.AdamW`, its parameters as tensors of their own."""
    row = torch.from_numpy(task.initial(0)).to(opened.device)
    pieces = zip(torch.split(row, list(task.layout.sizes)), task.layout.shapes, strict=True)
    parameters = [piece.clone().view(1, *shape).requires_grad_(True) for piece, shape in pieces]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    own = [torch.from_numpy(array)[None].to(opened.device) for array in task.own(0)]
    for block in range(-(-n_steps // BLOCK_STEPS)):
        arrays = [torch.from_numpy(array).to(opened.device) for array in task.batches(0, block)]
        for within in range(min(BLOCK_STEPS, n_steps - block * BLOCK_STEPS)):
            optimizer.param_groups[0]["lr"] = RATE * factor(block * BLOCK_STEPS + within + 1, n_steps)
            optimizer.zero_grad()
            task.model.loss(torch, parameters, [*(array[within][None] for array in arrays), *own]).sum().backward()
            optimizer.step()


def seconds(opened: TorchDevice, work: Callable[[], None], repeats: int = 3) -> float:
    """The least of several repeats after one that warms up: CPU seconds, with a card wall seconds."""
    clock = time.perf_counter if opened.is_card else time.process_time
    work()
    spent = []
    for _ in range(repeats):
        began = clock()
        work()
        if opened.is_card:
            torch.cuda.synchronize()
        spent.append(clock() - began)
    return min(spent)


if __name__ == "__main__":
    main()

"""What a step of an update rule costs when our interpreter takes it, beside torch code written by hand for that rule.

Run `python -m benchmarks.update_rule_speed` (torch needed). The hand-written steps work in place, as the interpreter
does; both get the same gradients for the same E ensemble members. CPU time of one thread; the smallest of many short
rounds, taken in turns, so that other load on the machine hits both.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sandbox.update_rules.layout import Layout
from sandbox.update_rules.rule import UpdateRule, read_rule, start, step
from sandbox.update_rules.torch_arrays import TorchArrays
from sandbox.update_rules.zoo import zoo_rule

LAYOUT = Layout(((64, 32), (32,), (32, 10), (10,)))
"""A small network for digits."""

MEMBERS = (1, 15, 60)
ROUNDS, STEPS_A_ROUND = 60, 10

State = dict[str, Tensor]


def sgd_momentum(g: Tensor, state: State, _: int) -> Tensor:
    """M = 0.9 m + g."""
    return state["m"].mul_(0.9).add_(g)


def adam(g: Tensor, state: State, t: int) -> Tensor:
    """Kingma and Ba 2014, in place."""
    m = state["m"].lerp_(g, 0.1)
    v = state["v"].mul_(0.999).addcmul_(g, g, value=0.001)
    return (m / (1 - 0.9**t)).div_(v.div(1 - 0.999**t).sqrt_().add_(1e-8))


def lion(g: Tensor, state: State, _: int) -> Tensor:
    """Chen et al. 2023, in place."""
    u = torch.lerp(state["m"], g, 0.1).sign_()
    state["m"].lerp_(g, 0.01)
    return u


def muon_everywhere(g: Tensor, state: State, _: int) -> Tensor:
    """Jordan et al. 2024, on every matrix, with Nesterov's look ahead."""
    m = state["m"].mul_(0.95).add_(g)
    u = torch.add(g, m, alpha=0.95)
    for k in range(len(LAYOUT.shapes)):
        part = u[:, LAYOUT.slice_of(k)]
        part.div_(part.square().mean(1, keepdim=True).sqrt_().clamp_(min=1e-12))
        if k in LAYOUT.matrices:
            part.copy_(newton_schulz(part.view(len(u), *LAYOUT.rows_and_columns(k))).flatten(1))
    return u


def newton_schulz(a: Tensor) -> Tensor:
    """Five steps on a batch of matrices."""
    rows, columns = a.shape[1:]
    x = (a if rows <= columns else a.mT) / float(rows * columns) ** 0.5
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    result: Tensor = (x if rows <= columns else x.mT) * float(max(rows, columns)) ** 0.5
    return result


MUON = """\
def update(g, m):
    m = m * 0.95 + g
    return orthogonal(g + m * 0.95), m
"""


def rules() -> list[tuple[str, UpdateRule, Callable[[Tensor, State, int], Tensor]]]:
    """Name, rule, and the same rule by hand."""
    return [
        ("momentum", zoo_rule("momentum"), sgd_momentum),
        ("Adam", zoo_rule("adam"), adam),
        ("Lion", zoo_rule("lion"), lion),
        ("Muon", read_rule(MUON), muon_everywhere),
    ]


def microseconds(interpreted: Callable[[int], Any], by_hand: Callable[[int], Any]) -> tuple[float, float]:
    """CPU time a step of both, taken in turns."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, take in enumerate((interpreted, by_hand)):
            begin = time.process_time_ns()
            for t in range(1, STEPS_A_ROUND + 1):
                take(t)
            best[place] = min(best[place], (time.process_time_ns() - begin) / STEPS_A_ROUND / 1000)
    return best[0], best[1]


def compare(rule: UpdateRule, by_hand: Callable[[Tensor, State, int], Tensor], n_members: int) -> tuple[float, float]:
    """Both on the same numbers; they must agree before they are timed."""
    arrays = TorchArrays(LAYOUT)
    generator = torch.Generator().manual_seed(1)
    w, g = (torch.randn(n_members, LAYOUT.n_parameters, generator=generator) for _ in range(2))
    states = [start(rule, arrays, n_members) for _ in range(2)]

    def interpreted(t: int) -> Tensor:
        update, states[0] = step(rule, arrays, w, g, states[0], t=t, may_overwrite_state=True)
        return update

    def hand(t: int) -> Tensor:
        return by_hand(g, states[1], t)

    for t in range(1, 6):
        torch.testing.assert_close(interpreted(t), hand(t), rtol=1e-3, atol=1e-5)
    return microseconds(interpreted, hand)


def main() -> None:
    """Print one line a rule and size."""
    torch.set_num_threads(1)
    print(f"{LAYOUT.n_parameters} parameters; microseconds of CPU a step, and their ratio")
    print(f"{'rule':10} {'members':>8} {'interpreter':>12} {'by hand':>9} {'ratio':>6}")
    for name, rule, by_hand in rules():
        for n_members in MEMBERS:
            ours, theirs = compare(rule, by_hand, n_members)
            print(f"{name:10} {n_members:8} {ours:12.1f} {theirs:9.1f} {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()

"""Recurrent networks on text, through 16 steps of time."""

from collections.abc import Callable
from functools import partial
from typing import Any

from evaluators.optimizers.data import ALPHABET
from evaluators.optimizers.task import Model, Task, Tensors
from evaluators.optimizers.tasks.text_models import windows
from evaluators.optimizers.weights import Part, cross_entropy, dense, drawn, layout_of, linear, look_up, scaled

N_SYMBOLS = len(ALPHABET)
N_PLACES = 16
N_EMBEDDING = 16

Cell = Callable[[Any, Tensors, Any, Any], Any]
"""(torch, recurrent parameters, what comes in, hidden state) -> the next hidden state."""


def recurrent(width: float, *, n_hidden: int, n_gates: int, cell: Cell) -> Model:
    """Embedding, one recurrent layer with `n_gates` blocks of units, softmax."""
    n = scaled(n_hidden, width)
    parts: list[Part] = [
        ((N_SYMBOLS, N_EMBEDDING), "embedding", 0.5),
        *dense(N_EMBEDDING, n_gates * n, gain=2.0),
        *((shape, "hidden", n**-0.5) for shape in [(n, n)] * n_gates),
        *dense(n, N_SYMBOLS, role="head"),
    ]
    batches, held_out = windows(N_PLACES + 1, 192)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (table, weight, bias, *own, head, head_bias), (symbols,) = parameters, batch
        members, rows = symbols.shape[:2]
        seen = look_up(torch, table, symbols[..., :-1].transpose(1, 2)).flatten(1, 2)
        coming = linear(torch, seen, weight, bias).view(members, N_PLACES, rows, -1)
        state = coming.new_zeros(members, rows, head.shape[2])
        states = []
        for place in range(N_PLACES):
            state = cell(torch, own, coming[:, place], state)
            states.append(state)
        logits = linear(torch, torch.stack(states, 1).flatten(1, 2), head, head_bias)
        return cross_entropy(torch, logits, symbols[..., 1:].transpose(1, 2))

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(held_out,),
        held_out_loss=loss,
    )


def plain_cell(torch: Any, own: Tensors, coming: Any, state: Any) -> Any:
    """Elman's network (1990, https://doi.org/10.1207/s15516709cog1402_1)."""
    return torch.tanh(torch.baddbmm(coming, state, own[0].mT))


def gated_cell(torch: Any, own: Tensors, coming: Any, state: Any) -> Any:
    """A gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""
    update, reset, new = coming.chunk(3, dim=2)
    kept = torch.sigmoid(torch.baddbmm(update, state, own[0].mT))
    looked = torch.sigmoid(torch.baddbmm(reset, state, own[1].mT))
    offered = torch.tanh(torch.baddbmm(new, looked * state, own[2].mT))
    return kept * state + (1 - kept) * offered


RNN_CHAR = Task(
    name="rnn_char",
    about="plain recurrent network on text, 16 steps through time",
    suite="test",
    n_steps=200,
    batch_size=32,
    n_members=24,
    cost=1.1e-3,
    version=1,
    build=partial(recurrent, n_hidden=48, n_gates=1, cell=plain_cell),
)

GRU_CHAR = Task(
    name="gru_char",
    about="gated recurrent network on text, 16 steps through time",
    suite="test",
    n_steps=200,
    batch_size=32,
    n_members=12,
    cost=2.1e-3,
    version=1,
    build=partial(recurrent, n_hidden=40, n_gates=3, cell=gated_cell),
)

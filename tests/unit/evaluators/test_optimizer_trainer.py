"""The trainer of the proxies: what a run is, that runs do not touch each other, and what is said when one diverges."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluators.optimizers.task import Task
from evaluators.optimizers.tasks import TASKS
from evaluators.optimizers.tasks.quadratics import SIDE
from sandbox.update_rules.rule import UpdateRule, read_rule
from tests.extent import ALL_TESTS

torch = pytest.importorskip("torch")

from evaluators.optimizers.ensemble import factor  # noqa: E402  needs torch
from evaluators.optimizers.trainer import record_trace, train  # noqa: E402

ADAM = """
def update(g, m, v, t):
    m = ema(m, g, 0.9)
    v = ema(v, square(g), 0.999)
    return debias(m, 0.9, t) / (sqrt(debias(v, 0.999, t)) + 1e-8), m, v
"""
SGD = "def update(g):\n    return g\n"
NOTHING = "def update(g):\n    return g * 0.0\n"
SIGN = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return sign(m), m\n"
FLAT = "def update(g, h):\n    return g / (abs(h) + 0.1)\n"

CHEAP = ("quad_rot", "digits_aug", "neighbours", "conv_digits", "picture")
ALIKE = tuple(TASKS) if ALL_TESTS else CHEAP


def rule(text: str) -> UpdateRule:
    return read_rule(text)


@pytest.fixture(scope="module")
def task() -> Task:
    return TASKS["quad_rot"]


def test_the_learning_rate_rises_for_a_tenth_and_falls_in_a_straight_line_to_almost_zero() -> None:
    shares = [factor(n, 100) for n in range(1, 101)]

    assert shares[:10] == pytest.approx([k / 10 for k in range(1, 11)])
    assert np.diff(shares[9:]) == pytest.approx(-1 / 91)
    assert shares[-1] == pytest.approx(1 / 91)


def test_a_single_step_has_a_learning_rate() -> None:
    assert factor(1, 1) == 1.0


@pytest.mark.parametrize("name", ["lin_ae", "digits_aug"])
def test_one_run_of_many_is_plain_training_of_one_model_by_adam(name: str) -> None:
    # Given ten steps of Adam as its paper writes it, on tensors of the model's own
    task, peak, seed, n_steps = TASKS[name], 0.02, 5, 10
    model, parameters = task.model, _parameters(task, seed)
    averages = [(torch.zeros_like(each), torch.zeros_like(each)) for each in parameters]
    for t in range(1, n_steps + 1):
        batch = [torch.from_numpy(array[None, t - 1]) for array in task.batches(seed, 0)]
        gradients = torch.autograd.grad(model.loss(torch, parameters, batch).sum(), parameters)
        with torch.no_grad():
            for each, g, (m, v) in zip(parameters, gradients, averages, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                each -= peak * factor(t, n_steps) * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    with torch.no_grad():
        expected = float(model.held_out_loss(torch, parameters, [torch.from_numpy(a)[None] for a in model.held_out]))

    # When the same is trained as one of four runs
    found = train(task, [rule(ADAM)], learning_rates=[[0.1, peak]], seeds=[2, seed], n_steps=n_steps)

    # Then it ends with the same loss
    assert found.final_loss[0, 1, 1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ALIKE)
def test_a_run_ends_with_the_same_bits_whichever_others_it_is_trained_with(name: str) -> None:
    task, rules = TASKS[name], [rule(ADAM), rule(SIGN)]

    many = train(task, rules, learning_rates=[[0.003, 0.03], [0.001, 0.01]], seeds=[0, 1, 2], n_steps=4)
    alone = train(task, rules[1:], learning_rates=[[0.01]], seeds=[2], n_steps=4)
    turned = train(task, rules[::-1], learning_rates=[[0.01], [0.03]], seeds=[2, 1], n_steps=4)

    assert alone.final_loss[0, 0, 0] == many.final_loss[1, 1, 2]
    assert (turned.final_loss[1, 0] == many.final_loss[0, 1, [2, 1]]).all()


@pytest.mark.parametrize("name", ["quad_rot", "heavy_quad", "lin_ae"])
def test_gradients_by_hand_are_those_of_automatic_differentiation(name: str) -> None:
    # Given a task with gradients of its own, and the same task without
    task = TASKS[name]
    plain = replace(task, build=lambda width: replace(task.build(width), slopes=None))

    found, expected = (record_trace(each, rule(ADAM), learning_rate=0.05, seed=3, n_steps=5) for each in (task, plain))

    assert found.losses == pytest.approx(expected.losses, rel=1e-5)
    largest = np.abs(expected.gradients).max()
    assert found.gradients == pytest.approx(expected.gradients, rel=1e-4, abs=1e-5 * largest)


@pytest.mark.parametrize("text", ["g * 1e-9 + w", "g * 1e-9 - w", "g + w / t"], ids=["shrink", "grow", "shrink late"])
@pytest.mark.parametrize("name", ["quad_rot", "heavy_quad"])
def test_a_quadratic_is_not_solved_by_shrinking_or_growing_its_weights(name: str, text: str) -> None:
    inputs = "g, w, t" if "t" in text.split() else "g, w"
    cheat = rule(f"def update({inputs}):\n    return {text}\n")

    found = train(TASKS[name], [cheat], learning_rates=[[0.003, 0.01, 0.03]], seeds=range(6), n_steps=60)

    assert found.final_loss.mean(axis=2).min() > 0.75 * found.first_loss.mean()


def test_an_ensemble_larger_than_its_task_likes_is_cut_and_ends_the_same(task: Task) -> None:
    small = replace(task, n_members=3)

    whole, cut = (
        train(each, [rule(ADAM), rule(SIGN)], learning_rates=[[0.01, 0.1]] * 2, seeds=[0, 1], n_steps=6)
        for each in (task, small)
    )

    assert (whole.final_loss == cut.final_loss).all()


def test_a_rule_that_does_nothing_ends_where_it_began(task: Task) -> None:
    found = train(task, [rule(NOTHING)], learning_rates=[[1.0]], seeds=[0, 1], n_steps=3)

    assert (found.final_loss[0, 0] == found.first_loss).all()
    assert not found.diverged.any()


def test_a_run_that_diverges_says_so_counts_as_its_start_and_leaves_the_others_alone(task: Task) -> None:
    found = train(task, [rule(SGD)], learning_rates=[[0.1, 1e30]], seeds=[0, 1], n_steps=60)
    calm = train(task, [rule(SGD)], learning_rates=[[0.1]], seeds=[0, 1], n_steps=60)

    assert found.diverged.tolist() == [[[False, False], [True, True]]]
    assert (found.final_loss[0, 1] == found.first_loss).all()
    assert (found.final_loss[0, 0] == calm.final_loss[0, 0]).all()


def test_a_run_in_which_all_diverge_is_not_trained_to_its_end(task: Task) -> None:
    few, many = (
        train(task, [rule(SGD)], learning_rates=[[1e30]], seeds=[0], n_steps=n, n_curve_points=2) for n in (50, 4000)
    )

    assert few.diverged.all()
    assert many.diverged.all()
    assert many.seconds < 20 * max(few.seconds, 0.01)


def test_a_curve_is_measured_at_even_steps_and_ends_at_the_final_loss(task: Task) -> None:
    found = train(task, [rule(ADAM)], learning_rates=[[0.1]], seeds=[0, 1], n_steps=10, n_curve_points=3)

    assert found.curve_steps == (3, 7, 10)
    assert found.curve is not None
    assert found.curve.shape == (1, 1, 2, 3)
    assert (found.curve[..., -1] == found.final_loss).all()
    assert (np.diff(found.curve, axis=-1) < 0).all()


def test_a_longer_horizon_sees_the_same_batches_first(task: Task) -> None:
    short, long = (
        record_trace(replace(task, n_steps=n), rule(NOTHING), learning_rate=1.0, seed=7, n_steps=5) for n in (5, 500)
    )

    assert (short.losses == long.losses).all()


def test_the_hessian_s_diagonal_is_estimated_by_a_random_sign_vector_and_kept_for_ten_steps(task: Task) -> None:
    # Given the Hessian of a quadratic, from its gradients at two points (noise cancels in differences)
    model = task.model
    n = task.layout.n_parameters
    signs = torch.from_numpy(task.signs(0, 0))
    own = [torch.from_numpy(array)[None] for array in task.own(0)]
    point = torch.zeros(1, SIDE, SIDE, requires_grad=True)
    (at_zero,) = torch.autograd.grad(model.held_out_loss(torch, [point], own).sum(), point)
    moved = signs.view(1, SIDE, SIDE).clone().requires_grad_(True)
    (at_signs,) = torch.autograd.grad(model.held_out_loss(torch, [moved], own).sum(), moved)
    expected = (signs * (at_signs - at_zero).view(n)).numpy()

    # When a run is recorded with estimates
    trace = record_trace(task, rule(ADAM), learning_rate=0.01, seed=0, n_steps=12, with_hessians=True)

    # Then they are z * (H z), and change at steps 1 and 11 only
    assert trace.hessians is not None
    assert trace.hessians[0] == pytest.approx(expected, rel=1e-3, abs=1e-8)
    changes = (np.diff(trace.hessians, axis=0) != 0).any(axis=1)
    assert np.flatnonzero(changes).tolist() == [9]


def test_a_rule_may_read_curvature_loss_and_learning_rate(task: Task) -> None:
    of_loss = rule("def update(g, f):\n    return g * f\n")
    of_rate = rule("def update(g, lr):\n    return g * lr\n")

    trace = record_trace(task, of_loss, learning_rate=0.5, seed=1, n_steps=3)
    rated = record_trace(task, of_rate, learning_rate=0.5, seed=1, n_steps=3)
    found = train(task, [rule(FLAT), of_loss], learning_rates=[[0.05]] * 2, seeds=[0], n_steps=15)

    assert trace.updates == pytest.approx(trace.gradients * trace.losses[:, None], rel=1e-5, abs=1e-12)
    shares = np.array([factor(n, task.n_steps) for n in (1, 2, 3)])
    assert rated.updates == pytest.approx(0.5 * shares[:, None] * rated.gradients, rel=1e-5, abs=1e-12)
    assert (found.final_loss[:, 0] < found.first_loss).all()


def test_rules_that_read_curvature_do_not_change_what_others_end_with(task: Task) -> None:
    rates = [[0.05], [0.05]]

    both = train(task, [rule(FLAT), rule(ADAM)], learning_rates=rates, seeds=[0, 1], n_steps=12)
    alone = train(task, [rule(ADAM)], learning_rates=rates[:1], seeds=[0, 1], n_steps=12)

    assert (both.final_loss[1] == alone.final_loss[0]).all()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"learning_rates": [[0.1], [0.2]]}, "got 2 rows of learning rates for 1 rules"),
        ({"learning_rates": [[]]}, "of lengths \\[0\\]: expected one row for each rule"),
        ({"learning_rates": [[0.1, -1.0]]}, "expected positive numbers"),
        ({"learning_rates": [[float("nan")]]}, "expected positive numbers"),
        ({"seeds": []}, "got seeds \\[\\]: expected at least one"),
        ({"seeds": [1, 1]}, "no two alike"),
        ({"seeds": [-1]}, "none negative"),
        ({"n_steps": 0}, "got 0 steps"),
        ({"n_steps": 5, "n_curve_points": 6}, "at most one point per step"),
    ],
    ids=str,
)
def test_a_question_that_makes_no_sense_is_refused(task: Task, changed: dict[str, Any], complaint: str) -> None:
    asked: dict[str, Any] = {"learning_rates": [[0.1]], "seeds": [0], "n_steps": 2} | changed

    with pytest.raises(ValueError, match=complaint):
        train(task, [rule(SGD)], **asked)


def test_training_leaves_torch_s_threads_as_they_were(task: Task) -> None:
    before = torch.get_num_threads()

    train(task, [rule(SGD)], learning_rates=[[0.1]], seeds=[0], n_steps=2)

    assert torch.get_num_threads() == before


def test_without_torch_the_message_says_how_to_install_it(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(ValueError, match="pip install"):
        train(task, [rule(SGD)], learning_rates=[[0.1]], seeds=[0], n_steps=2)


LOSSES: dict[str, tuple[int, float, float]] = {
    "quad_rot": (1, 1.11106, 1.06635),
    "lin_ae": (1, 1.62534, 1.03894),
    "digits_aug": (1, 3.07426, 2.25792),
    "deep_ae": (1, 1.07842, 0.809531),
    "char_mlp": (1, 4.35611, 4.07576),
    "resmlp": (1, 1.51092, 0.281266),
    "completion": (1, 1.11382, 1.10176),
    "neighbours": (1, 4.30592, 4.26086),
    "vae_digits": (1, 2.32257, 1.89033),
    "mixer_digits": (1, 2.3567, 2.34658),
    "conv_text": (1, 5.8495, 3.80752),
    "tfm_char": (1, 4.37142, 3.42723),
    "rnn_char": (1, 4.39488, 3.74792),
    "gru_char": (1, 4.22424, 3.87594),
    "conv_digits": (1, 2.41384, 2.26369),
    "conv_denoise": (1, 1.37974, 0.918509),
    "mod_add": (1, 3.92589, 3.68759),
    "zipf_linear": (1, 4.87376, 4.6407),
    "picture": (1, 2.41894, 0.873409),
    "heavy_quad": (1, 0.994752, 0.968046),
    "heavy_labels": (1, 2.39125, 1.98291),
    "heavy_rows": (1, 2.44006, 2.09899),
}
"""What a task's version stands for: held-out loss before and after five steps of Adam at 0.01, seed 0."""


@pytest.mark.parametrize("name", list(TASKS))
def test_the_losses_of_a_task_are_those_of_its_version(name: str) -> None:
    # Whoever changes a task on purpose raises its version and writes the new losses here: what was measured before,
    # reference curves for instance, no longer holds.
    task = TASKS[name]

    found = train(task, [rule(ADAM)], learning_rates=[[0.01]], seeds=[0], n_steps=5)

    assert (task.version, found.first_loss[0], found.final_loss[0, 0, 0]) == pytest.approx(LOSSES[name], rel=2e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch sees")
@pytest.mark.parametrize("name", list(TASKS))
def test_a_card_trains_to_the_same_losses_but_for_rounding(name: str) -> None:
    found, expected = (
        train(TASKS[name], [rule(ADAM)], learning_rates=[[0.003, 0.01]], seeds=[0, 1], n_steps=5, device=device)
        for device in ("cuda", "cpu")
    )

    assert found.final_loss == pytest.approx(expected.final_loss, rel=1e-3)


def _parameters(task: Task, seed: int) -> list[Any]:
    """The weights as tensors of their own, each with one member."""
    row = torch.from_numpy(task.initial(seed))
    pieces = torch.split(row, list(task.layout.sizes))
    return [
        piece.clone().view(1, *shape).requires_grad_(True)
        for piece, shape in zip(pieces, task.layout.shapes, strict=True)
    ]

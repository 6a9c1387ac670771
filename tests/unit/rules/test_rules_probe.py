"""The probe: it computes what the interpreter computes, and tells rules apart by what they do."""

import numpy as np
import pytest

from evolve.rules.moves import Moves, MoveSettings
from evolve.rules.probe import Probe, ProbeSettings
from evolve.rules.stream import SHAPES
from evolve.rules.tidy import simplified, tidied
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.update_words import OPTIMIZER
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import rule_of, start, step
from sandbox.update_rules.zoo import zoo_text

N_STEPS = 32
RULES = ("adam", "lion", "nesterov", "amsgrad", "adadelta", "mars", "momo_adam", "sophia", "muon", "soap", "rprop")


@pytest.fixture(scope="module")
def probe() -> Probe:
    return Probe(OPTIMIZER, ProbeSettings(n_steps=N_STEPS))


def written(body: str, signature: str = "g, m, v, t") -> Program:
    return parse(f"def update({signature}):\n    {body}\n", OPTIMIZER)


def interpreted(program: Program, probe: Probe) -> np.ndarray:
    """The updates that the interpreter makes step by step on the probe's stream."""
    rule, arrays, values = rule_of(program), NumpyArrays(Layout(SHAPES)), probe.stream.values
    state = start(rule, arrays, 1)
    updates = []
    for k in range(N_STEPS):
        now = slice(k, k + 1)
        lr, loss = float(values["lr"][k, 0]), [float(values["f"][k, 0])]
        w, g, h = (values[name][now] for name in "wgh")
        update, state = step(rule, arrays, w, g, state, t=k + 1, lr=lr, h=h, f=loss)
        updates.append(np.array(update))
    return np.concatenate(updates)


@pytest.mark.parametrize("name", RULES)
def test_all_steps_at_once_are_what_the_interpreter_does_step_by_step(name: str, probe: Probe) -> None:
    program = parse(zoo_text(name), OPTIMIZER)

    update = probe.look(program).update

    wanted = interpreted(program, probe)
    assert update is not None
    assert np.abs(update - wanted).max() <= 1e-9 * np.abs(wanted).max()


def test_mutants_do_on_the_probe_what_the_interpreter_does(probe: Probe) -> None:
    moves = Moves(OPTIMIZER, [parse(zoo_text(name), OPTIMIZER) for name in RULES], MoveSettings(max_operations=25))
    rng = np.random.default_rng(7)
    n_compared = 0
    program = parse(zoo_text("adam"), OPTIMIZER)
    for _ in range(40):
        child = moves.mutate(program, rng)
        assert child is not None
        look = probe.look(child)
        if look.update is not None:
            program = child
            wanted = interpreted(child, probe)
            far = np.abs(look.update - wanted) > 1e-6 * np.abs(wanted).max()
            assert far.mean() < 1e-3, render(child, OPTIMIZER)  # a sign may turn where rounding decides
            n_compared += 1
    assert n_compared > 20


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("return m, m, v", "g is not read"),
        ("return g * 0.0, m, v", "zero"),
        ("return g / (sqrt(v) + 1e-12), m, ema(v, square(g), 0.9)", "vanishes"),
        ("return orthogonal(m) / sqrt(v), ema(m, g, 0.9), ema(v, square(g), 0.9)", "spikes"),
        ("return g * 1e30, m, v", "too large"),
        ("m = 1.5 * m + g\n    return m, m, v", "explodes"),
        ("return square(g) * 0.0 + 1.0, m, v", "constant"),
        ("m = 1e6 * m + 1e200 * g\n    return m, m, v", "not finite"),
    ],
    ids=["blind", "zero", "vanishing", "spiky", "huge", "exploding", "constant", "infinite"],
)
def test_what_cannot_be_an_optimizer_is_refused_with_a_reason(body: str, refusal: str, probe: Probe) -> None:
    look = probe.look(written(body))

    assert (look.refusal, look.signature, look.update) == (refusal, None, None)


def test_a_rule_that_shrinks_in_single_coordinates_only_is_none_that_vanishes(probe: Probe) -> None:
    # Given coordinates without a gradient at first, whose second moment is zero then
    body = "m = ema(m, g, 0.65)\n    v = ema(v, square(g), 0.95)\n    return orthogonal(m) / (sqrt(v) + 1e-8), m, v"

    look = probe.look(written(body))

    assert look.refusal == ""


@pytest.mark.parametrize(
    "body",
    [
        "m = ema(m, g, 0.9)\n    return 3.5 * sign(m), m, v",
        "v = ema(v, g, 0.9)\n    return sign(v), m, v",
        "v = ema(v, square(g), 0.99)\n    m = ema(m, g, 0.9)\n    return sign(m), m, v",
        "m = 0.9 * m + 0.1 * g\n    return m / abs(m), m, v",
    ],
    ids=["scaled", "renamed", "dead code", "written otherwise"],
)
def test_rules_that_take_the_same_steps_have_one_signature(body: str, probe: Probe) -> None:
    signum = parse(zoo_text("signum"), OPTIMIZER)

    assert probe.look(written(body)).signature == probe.look(signum).signature


def test_a_constant_that_matters_late_changes_the_signature() -> None:
    probe = Probe(OPTIMIZER)
    slow, slower = (parse(zoo_text("adam", beta2=beta2), OPTIMIZER) for beta2 in (0.999, 0.9995))

    assert probe.look(slow).signature != probe.look(slower).signature


def test_renamed_and_reordered_programs_are_known_without_a_run() -> None:
    probe = Probe(OPTIMIZER, ProbeSettings(n_steps=N_STEPS))
    probe.look(written("m = ema(m, g, 0.9)\n    return m + square(g), m, v"))

    probe.look(written("v = ema(v, g, 0.9)\n    return square(g) + v, m, v"))

    assert (probe.statistics.n_looks, probe.statistics.n_known_structures, probe.statistics.n_run) == (2, 1, 1)


def test_tidying_leaves_what_makes_a_difference(probe: Probe) -> None:
    wordy = written(
        "v = ema(v, square(g), 0.9)\n    m = ema(m, g * 1.0, 0.9)\n    return sign(m / (abs(v) + 1e-8)) * 2.0, m, v"
    )

    short = tidied(wordy, probe)

    assert render(short, OPTIMIZER) == "def update(g, m):\n    m = ema(m, g, 0.9)\n    return sign(m), m\n"


def test_simplifying_also_rounds_literals_as_long_as_the_rule_is_good(probe: Probe) -> None:
    wordy = written("m = ema(m, g, 0.900213)\n    return sign(m) + 1e-7 * g, m, v")
    signum = probe.look(parse(zoo_text("signum"), OPTIMIZER)).update
    assert signum is not None

    short = simplified(
        wordy, probe, lambda look: look.update is not None and np.abs(look.update - signum).mean() < 0.01
    )

    assert render(short, OPTIMIZER) == zoo_text("signum")

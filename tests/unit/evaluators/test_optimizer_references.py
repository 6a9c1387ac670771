"""Reference data of tuned AdamW: filed by the content of tasks, measured where they are missing."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.environment import scrubbed_environment
from evaluators.errors import EvaluatorError
from evaluators.optimizers import references as module
from evaluators.optimizers.ledger import torch_version
from evaluators.optimizers.references import SHIPPED, References, covers, own_file
from evaluators.optimizers.references_measuring import Effort, horizons_around, measured, missing, prepare
from evaluators.optimizers.rungs import Run, horizon_steps, judge_rung, quick_rung, search_rungs, suite_rung
from evaluators.optimizers.scoring import score_rule
from evaluators.optimizers.task import Suite
from evaluators.optimizers.tasks import TASKS
from evaluators.optimizers.tuning import Bench
from tests.unit.evaluators.optimizer_stand_in import OPTIMUM, StandInRule, StandInTrainer, rung, stand_in

RUN = Run(task="task", n_steps=100)
LONGER = Run(task="task", n_steps=200)
SMALL = Effort(n_tuned_on=2, n_tuning_seeds=2, n_seeds=4)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The own file of a machine on which the stand-in's data are shipped."""
    _, shipped = stand_in()
    shipped.save(tmp_path / "shipped.json")
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "shipped.json")
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path / "cache"))
    return own_file()


def test_data_survive_a_file(tmp_path: Path) -> None:
    _, references = stand_in()

    references.save(tmp_path / "data.json")

    again = References.load(tmp_path / "data.json")
    assert again.of(RUN, "0123").horizon.index == references.of(RUN, "0123").horizon.index
    assert again.of(RUN, "0123").curve.log_losses == pytest.approx(references.of(RUN, "0123").curve.log_losses)
    assert again.rule.fingerprint == references.rule.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["data.json"]


def test_a_task_that_has_changed_has_no_reference() -> None:
    _, references = stand_in()

    with pytest.raises(EvaluatorError, match="known horizons: none: the task is new or has changed"):
        references.of(RUN, "another content")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "torch": "1", "rule": [], "default_rule": [], "trials": [], "settings": {"a": {"b": {}}}}',
        '{"format": 1, "torch": "1", "rule": [], "default_rule": [], "trials": [],'
        ' "settings": {"a": {"9": {"rate": 1, "default": null, "losses": {"0": NaN}}}}}',
    ],
)
def test_a_file_that_holds_no_reference_data_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(text)

    with pytest.raises(EvaluatorError, match=r"data\.json is no file of reference data .* expected format 1"):
        References.load(path)


def test_losses_by_seed_hold_only_under_the_torch_that_trained_them() -> None:
    # Given reference losses of seed 1000, once of this torch and once of another
    trainer, other = stand_in()
    this = replace(other, torch=torch_version())

    # When they are asked for, then only those of another torch are trained again
    assert this.losses(RUN, (1000,), Bench(trainer)) == (other.of(RUN, "0123").horizon.losses[1000],)
    assert trainer.trained == []
    assert other.losses(RUN, (1000,), Bench(trainer)) == pytest.approx(this.losses(RUN, (1000,), Bench(trainer)))
    assert [seeds for _, _, seeds in trainer.trained] == [(1000,)]


def test_losses_by_seed_of_a_processor_do_not_hold_on_a_card(own_cache: Path) -> None:
    # Given reference losses that a processor trained, and a trainer on a card
    trainer, references = stand_in()
    shipped = replace(references, torch=torch_version())
    trainer.device = "cuda:1"

    # When they are asked for, and another horizon is measured
    shipped.losses(RUN, (1000,), Bench(trainer))
    losses = [seeds for _, _, seeds in trainer.trained]
    prepare([LONGER], effort=SMALL, trainer=trainer)

    # Then they are trained again, and what was measured is kept apart from what the processor measures
    assert losses == [(1000,)]
    assert own_file("cuda").exists()
    assert not own_cache.exists()
    assert References.shipped("cuda").own
    assert not References.shipped().own


def test_horizons_lie_on_half_octaves_and_never_side_by_side() -> None:
    assert horizons_around(200, 200, Effort(half_octaves=1)) == (50, 71, 100, 141, 200, 283, 400)
    assert horizons_around(200, 200, Effort()) == (50, 100, 200, 400)
    assert horizons_around(190, 200, Effort()) == (50, 100, 190, 400)


def test_measured_references_put_adamw_itself_at_zero() -> None:
    # Given no data at all
    trainer, references = stand_in(StandInRule("like AdamW"))
    empty = replace(references, torch=torch_version(), settings={})

    # When they are measured
    key, horizons = measured(RUN, empty, trainer, effort=SMALL, first_seed=1000)

    # Then a rule that trains like AdamW scores zero under them, and so does default AdamW, which is the same here
    scored = score_rule(
        trainer.rules["like AdamW"].as_rule, rung(), references=empty.with_settings({key: horizons}), trainer=trainer
    )
    assert scored.score == pytest.approx(0.0, abs=0.03)
    assert horizons[100].default == pytest.approx(0.0, abs=0.03)
    assert 2.0 ** (horizons[100].index / 8) == pytest.approx(OPTIMUM, rel=0.1)


def test_preparing_measures_what_is_missing_once_and_says_so(own_cache: Path) -> None:
    # Given shipped data that lack a run
    new, said = Run(task="new", n_steps=100), list[str]()

    # When it is prepared twice
    first = prepare([new, RUN], say=said.append, effort=SMALL, trainer=StandInTrainer())
    again = prepare([new, RUN], say=said.append, effort=SMALL, trainer=StandInTrainer())

    # Then it was measured once, with a notice, and is kept for this machine
    assert said == ["measuring tuned AdamW on new,steps=100: there are no reference data for it"]
    assert own_cache.exists()
    assert first.of(new, "0123") == again.of(new, "0123")


def test_one_more_horizon_of_a_known_task_measures_only_what_is_missing() -> None:
    trainer, references = stand_in()

    _, horizons = measured(LONGER, references, trainer, effort=Effort(half_octaves=1), first_seed=1000)

    assert set(horizons) == {283, 400}


def test_a_known_horizon_gets_the_value_of_default_adamw_and_keeps_its_losses() -> None:
    # Given a shipped horizon that was measured for the sake of another, without default AdamW
    trainer, references = stand_in()
    shipped = {n: replace(each, default=None) for n, each in references.settings["task@0123"].items()}
    references = replace(references, settings={"task@0123": shipped})

    # When the run itself is measured
    key, horizons = measured(LONGER, references, trainer, effort=SMALL, first_seed=1000)

    # Then only that value is added to it
    found = references.with_own({key: horizons}).of(LONGER, "0123").horizon
    assert found.default == pytest.approx(0.0, abs=0.03)
    assert replace(found, default=None) == shipped[200]


def test_a_run_with_shipped_data_is_compared_with_nothing_that_this_machine_measured(own_cache: Path) -> None:
    # Given what a run reads without an own file
    before = References.shipped().of(RUN, "0123")

    # When a longer run of the same task is prepared, and the own file says something else of a shipped horizon
    prepare([LONGER], effort=SMALL, trainer=StandInTrainer())
    measured_here = References.load(own_cache)
    assert set(measured_here.settings["task@0123"]) == {400}
    other = replace(before.horizon, index=3, losses={0: 1e-6})
    measured_here.with_settings({"task@0123": {25: other, 71: other, 100: other, 200: other}}).save(own_cache)

    # Then the run reads the same, and the longer one has its shipped losses
    assert References.shipped().of(RUN, "0123") == before
    assert References.shipped().of(LONGER, "0123").horizon.losses != other.losses


@pytest.mark.usefixtures("own_cache")
def test_a_run_of_this_machines_own_does_not_depend_on_what_else_was_measured() -> None:
    first = prepare([LONGER], effort=SMALL, trainer=StandInTrainer()).of(LONGER, "0123")

    prepare([replace(LONGER, n_steps=n) for n in (141, 283, 400, 800)], effort=SMALL, trainer=StandInTrainer())

    assert References.shipped().of(LONGER, "0123") == first


@pytest.mark.parametrize("own", sorted({task.n_steps for task in TASKS.values()}))
def test_whatever_horizon_is_measured_need_not_be_measured_again(own: int) -> None:
    _, references = stand_in()
    some = references.settings["task@0123"][100]

    for half_octaves in range(-8, 9):
        run = Run(task="new", n_steps=horizon_steps(own, 2.0 ** (half_octaves / 2.0)))
        here = dict.fromkeys(horizons_around(run.n_steps, own, Effort()), some)
        assert covers(references.with_own({"new@0123": here}).horizons(run, "0123"), run.n_steps)


def test_what_cannot_be_kept_is_said_before_anything_is_measured(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a cache folder below a file
    (own_cache.parent.parent / "file").write_text("no folder")
    monkeypatch.setenv("EVOLVE_CACHE", str(own_cache.parent.parent / "file" / "below"))
    trainer = StandInTrainer()

    # When something is missing
    with pytest.raises(EvaluatorError, match=r"cannot keep measured .*file/below/.* by the variable EVOLVE_CACHE"):
        prepare([LONGER], effort=SMALL, trainer=trainer)

    # Then no training was in vain, and what is shipped can be read all the same
    assert trainer.calls == 0
    assert prepare([RUN], trainer=trainer).of(RUN, "0123").horizon.index == round(8 * math.log2(OPTIMUM))


def test_losses_of_another_torch_are_trained_again_once_however_many_benches_ask() -> None:
    # Given reference data of another torch
    trainer, references = stand_in()

    # When three candidates, each with a ledger of its own, are set against the same seeds, one of them against more
    asked = [(1000, 1001), (1000, 1001), (1000, 1001, 1002)]
    found = [references.losses(RUN, seeds, Bench(trainer)) for seeds in asked]

    # Then nothing is trained twice, and a bench on another device shares nothing
    assert [seeds for _, _, seeds in trainer.trained] == [(1000, 1001), (1002,)]
    assert found[0] == found[1] == found[2][:2]
    trainer.device = "cuda"
    references.losses(RUN, (1000,), Bench(trainer))
    assert trainer.trained[-1][2] == (1000,)


def test_the_package_has_references_for_every_rung_of_the_search() -> None:
    pytest.importorskip("torch")
    from evaluators.optimizers.scoring_trainer import ProxyTrainer

    runs = [run for each in (quick_rung(), *search_rungs()) for run in each.runs]

    assert missing(runs, References.load(SHIPPED), ProxyTrainer()) == ()


@pytest.mark.parametrize("suite", ["validation", "test", "noise"])
def test_the_package_has_references_for_every_suite(suite: Suite) -> None:
    pytest.importorskip("torch")
    from evaluators.optimizers.scoring_trainer import ProxyTrainer

    assert missing(suite_rung(suite).runs, References.load(SHIPPED), ProxyTrainer()) == ()


def test_the_shipped_reference_is_the_best_of_its_trials() -> None:
    references = References.load(SHIPPED)

    trials = [dict(trial) for trial in references.trials]

    best = max(trials, key=lambda trial: trial["octaves_over_default"])
    assert len(trials) == 16
    assert f"ema(m, g, {best['beta1']})" in references.text
    assert f"ema(v, square(g), {best['beta2']})" in references.text


def test_the_judge_measures_the_whole_search_suite() -> None:
    names = {run.task for run in judge_rung().runs}

    assert names == {name for name, task in TASKS.items() if task.suite == "search"}
    assert judge_rung().confirmation_seeds[0] == 1000


def test_workers_look_for_reference_data_where_the_main_process_keeps_them(own_cache: Path) -> None:
    assert scrubbed_environment()["EVOLVE_CACHE"] == str(own_cache.parent)

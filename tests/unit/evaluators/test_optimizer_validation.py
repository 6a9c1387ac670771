"""Validation of finalists on a trainer whose answers are known."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.errors import EvaluatorError
from evaluators.optimizers.baselines import ADAMW, Baseline, Baselines, trials_of
from evaluators.optimizers.efforts import efforts
from evaluators.optimizers.ledger import Ledger, Outcome, torch_version
from evaluators.optimizers.references import References
from evaluators.optimizers.tasks import TASKS
from evaluators.optimizers.validation import Validation, choose, validate
from evaluators.optimizers.weighing import Weighed
from sandbox.update_rules.rule import read_rule
from tests.unit.evaluators.validation_stand_in import (
    BAD,
    FAIR,
    GOOD,
    MUON,
    TimedTrainer,
    effort,
    finalists,
    fingerprint,
    how,
    rule,
)


def against(found: Validation, opponent: str) -> Any:
    return next(each for each in found.contests if each.opponent == opponent)


def test_the_finalist_that_is_best_on_the_validation_tasks_is_chosen_whatever_the_search_said() -> None:
    trained = how(rule(GOOD, octaves=0.4), rule(FAIR, octaves=0.1), rule(BAD, octaves=-0.5))

    choice = choose(finalists(BAD, FAIR, GOOD), effort(), trained)

    assert choice.finalist.name == "candidate 2"
    assert [finalist.name for finalist, _ in choice.rungs[0]] == ["candidate 2", "candidate 1", "candidate 0"]
    assert [len(rung) for rung in choice.rungs] == [3, 1]


def test_copies_of_a_rule_are_one_finalist_and_no_more_are_tried_than_the_effort_says() -> None:
    trained = how(rule(GOOD, octaves=0.4))

    choice = choose(finalists(BAD, BAD, FAIR, GOOD), effort(n_finalists=2), trained)

    assert {finalist.name for finalist, _ in choice.rungs[0]} == {"candidate 0", "candidate 2"}


def test_a_rule_that_diverges_is_never_chosen() -> None:
    trained = how(rule(GOOD, stable_below=0.0), rule(BAD, octaves=-0.5))

    choice = choose(finalists(GOOD, BAD), effort(), trained)

    assert choice.finalist.name == "candidate 1"
    assert "diverged" in choice.rungs[0][-1][1].detail


def test_where_no_finalist_trains_it_is_said_why() -> None:
    with pytest.raises(EvaluatorError, match=r"no finalist can be trained .* diverged"):
        choose(finalists(GOOD), effort(), how(rule(GOOD, stable_below=0.0)))
    with pytest.raises(EvaluatorError, match="there is no finalist"):
        choose([], effort(), how())


def test_speed_ups_are_those_of_the_rules_and_in_time_those_over_the_cost_of_a_step() -> None:
    # Given a rule that saves half an octave on AdamW*, at steps that take twice as long, and a baseline that saves less
    trained = how(rule(GOOD, octaves=0.5, noise=0.01), rule(MUON, octaves=0.2), dear=GOOD)

    # When it is validated
    found = validate(finalists(GOOD), effort(), trained)

    # Then the speed-ups are these
    assert against(found, ADAMW).speed_up == pytest.approx(2.0**0.5, rel=0.02)
    assert against(found, ADAMW).speed_up_in_time == pytest.approx(2.0**-0.5, rel=0.02)
    assert against(found, "Muon*").speed_up == pytest.approx(2.0**0.3, rel=0.02)
    assert [duel.verdict for duel in against(found, ADAMW).duels] == ["won", "won"]
    assert found.gap["test"] == pytest.approx(0.5, abs=0.03)


def test_a_rule_like_the_others_wins_and_loses_nothing() -> None:
    trained = how(rule(GOOD, noise=0.05))

    found = validate(finalists(GOOD), effort(), trained)

    assert against(found, ADAMW).count("even") == 2
    assert found.longer.count("even") == found.resized.count("even") == 1
    assert found.resized.duels[0].octaves is None


def test_a_slower_rule_loses() -> None:
    found = validate(finalists(BAD), effort(), how(rule(BAD, octaves=-0.5, noise=0.01)))

    assert against(found, ADAMW).count("lost") == 2
    assert found.longer.count("lost") == 1


def test_an_interrupted_validation_goes_on_and_finds_the_same(tmp_path: Path) -> None:
    # Given a validation that was carried to its end
    rules = (rule(GOOD, octaves=0.4, noise=0.02), rule(FAIR, octaves=0.1))
    path = tmp_path / "validation.jsonl"
    first = validate(finalists(GOOD, FAIR), effort(), how(*rules, ledger=Ledger(path)))

    # When half of its ledger is lost
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    again = validate(finalists(GOOD, FAIR), effort(), how(*rules, ledger=Ledger(path)))
    whole = validate(finalists(GOOD, FAIR), effort(), how(*rules, ledger=Ledger(path)))

    # Then only what was lost is trained, and all is found again
    assert 0 < again.n_trained < first.n_trained
    assert whole.n_trained == 0
    documents = [{**each.to_json(), "training_runs": 0} for each in (first, again, whole)]
    assert documents[0] == documents[1] == documents[2]


def test_what_a_baseline_reached_before_is_not_trained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a baseline whose losses on the test tasks are known
    monkeypatch.setattr("evaluators.optimizers.validation.rounded_by", lambda _: "none such")
    trained = how(rule(GOOD), rule(MUON))
    first = validate(finalists(GOOD), effort(), trained)
    weighed = {trained.bench.key(run): each for run, each in first.sides["Muon*"].weighed.items()}
    known = Baseline(name="Muon*", text=MUON, weighed=weighed, cost={"task": 4.0, "other": 4.0})
    knowing = replace(how(rule(GOOD), rule(MUON)), baselines=Baselines(torch="none such", baselines={"Muon*": known}))

    # When another rule is validated
    found = validate(finalists(GOOD), effort(), knowing)

    # Then it takes part without training, with its steps' cost
    assert isinstance(knowing.trainer, TimedTrainer)
    assert fingerprint(MUON) not in {name for name, _, _ in knowing.trainer.trained}
    assert against(found, "Muon*").speed_up_in_time == pytest.approx(4.0, rel=0.02)


def test_on_a_card_the_steps_of_baselines_are_timed_there() -> None:
    # Given a baseline whose steps cost four times as much on a processor, and twice as much on this card
    on_card = how(rule(GOOD), rule(MUON), dear=MUON)
    assert isinstance(on_card.trainer, TimedTrainer)
    on_card.trainer.device = "cuda"
    known = Baseline(name="Muon*", text=MUON, weighed={}, cost={"task": 4.0, "other": 4.0})
    on_card = replace(on_card, baselines=Baselines(torch=torch_version(), baselines={"Muon*": known}))

    # When a rule is validated there
    found = against(validate(finalists(GOOD), effort(), on_card), "Muon*")

    # Then this is what its speed-up in time is made of
    assert found.speed_up_in_time == pytest.approx(2.0 * found.speed_up, rel=0.02)


def test_baselines_are_saved_and_read_again_to_the_same(tmp_path: Path) -> None:
    found = validate(finalists(GOOD), effort(), how(rule(GOOD)))
    weighed = {"key": next(iter(found.sides["Muon*"].weighed.values()))}
    baseline = Baseline(name="Muon*", text=MUON, trials=({"beta": 0.9},), weighed=weighed, cost={"task": 1.5})
    saved = Baselines(torch="2.0", baselines={"Muon*": baseline})

    saved.save(tmp_path / "b.json")
    read = Baselines.load(tmp_path / "b.json").baselines["Muon*"]

    assert (read.text, list(read.trials), dict(read.cost)) == (MUON, [{"beta": 0.9}], {"task": 1.5})
    seeds = list(weighed["key"].outcomes)
    assert read.weighed["key"].log_losses(seeds) == pytest.approx(weighed["key"].log_losses(seeds))


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', '{"format": 1, "torch": "2", "baselines": [1]}'])
def test_a_file_that_holds_no_baselines_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(text, encoding="utf-8")

    with pytest.raises(EvaluatorError, match=r"b\.json is no file of baselines"):
        Baselines.load(tmp_path / "b.json")


def test_the_document_is_plain_json() -> None:
    found = validate(finalists(GOOD, FAIR), effort(), how(rule(GOOD)))

    assert json.loads(json.dumps(found.to_json()))["chosen"] == found.choice.finalist.name


def test_seeds_and_tasks_of_the_three_suites_are_apart() -> None:
    for each in efforts().values():
        rungs = (each.search, *each.ladder, each.test)
        assert len({run.task for rung in (each.search, each.ladder[0], each.test) for run in rung.runs}) == sum(
            len(rung.runs) for rung in (each.search, each.ladder[0], each.test)
        )
        assert not set(each.test.confirmation_seeds) & {
            seed for rung in rungs[:-1] for seed in (*rung.confirmation_seeds, *rung.tuning_seeds)
        }


def test_a_smaller_effort_trains_nothing_that_a_larger_one_does_not() -> None:
    quick, normal, thorough = efforts().values()
    for less, more in ((quick, normal), (normal, thorough)):
        assert set(less.test.confirmation_seeds) <= set(more.test.confirmation_seeds)
        assert set(less.test.tuning_seeds) <= set(more.test.tuning_seeds)
        assert less.ladder == more.ladder[: len(less.ladder)]


def test_robustness_is_tried_on_test_tasks() -> None:
    normal = efforts()["normal"]
    for run in (*normal.longer, *normal.resized):
        assert TASKS[run.task].suite == "test"
    assert {run.n_steps / TASKS[run.task].n_steps for run in normal.longer} == {4.0}
    assert {run.width for run in normal.resized} >= {0.5, 2.0}


def test_every_task_that_is_resized_has_another_layout_at_another_width() -> None:
    for run in efforts()["normal"].resized:
        task = TASKS[run.task]
        is_resized = task.resized(width=run.width).layout != task.layout
        assert is_resized == (run.width is not None)


def test_the_three_suites_are_clipped_alike() -> None:
    # Given a rule that saves more octaves on every task than the score of a search counts, or than any suite counts
    for octaves, counted in ((1.5, 1.5), (2.5, 2.0)):
        found = validate(finalists(GOOD), effort(), how(rule(GOOD, octaves=octaves)))

        # Then search, validation and test say the same
        assert found.clipped_to == (-1.5, 2.0)
        assert list(found.gap.values()) == pytest.approx([counted] * 3, abs=0.05)


def test_the_learning_rates_that_do_nearly_as_well_are_counted_in_octaves() -> None:
    # Given losses at rates an octave apart: nothing is lost below the best, much above
    weighed = Weighed(index=8, tuned={0: 1.0, 8: 1.0, 16: 1.4}, outcomes={3000: Outcome(1.0, 2.0)})

    # Then an octave below and a quarter of one above lose at most a tenth
    assert weighed.basin_octaves() == pytest.approx(1.25)


def test_the_shipped_baselines_come_from_sixteen_trials_each_and_know_the_test_tasks() -> None:
    shipped, references = Baselines.shipped(), References.shipped()
    test_runs = {run.name for run in efforts()["normal"].test.runs}

    assert set(shipped.baselines) == {ADAMW, "NAdamW*", "Muon*", "SOAP*"}
    assert read_rule(shipped.baselines[ADAMW].text).fingerprint == references.rule.fingerprint
    for baseline in shipped.baselines.values():
        assert len(baseline.trials) == 16
        assert {key.partition("@")[0] for key in baseline.weighed} == test_runs
        assert baseline.rule.text in {read_rule(text).text for text in texts_of(baseline.name)}


def texts_of(name: str) -> list[str]:
    return [References.shipped().text] if name == ADAMW else [text for _, text in trials_of(name)]


def test_a_baseline_without_trials_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"expected one of NAdamW\*"):
        trials_of("Adam*")

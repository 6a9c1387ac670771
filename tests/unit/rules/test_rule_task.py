"""Bursts that really train, on the cheapest task."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluators.optimizers.references import own_file
from evaluators.spec import JudgeSpec, SymbolicSpec
from evolve import tasks
from evolve.rules.language import language_of
from evolve.rules.neighbours import neighbours
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.rule import read_rule
from sandbox.update_rules.zoo import ZOO
from tests.extent import ALL_TESTS

pytest.importorskip("torch")

INPUTS = ["g", "t", "m", "v"]
WORK = 0.5
VOCABULARY = load_vocabulary("optimizer_elementwise")
ADAM = ZOO["adam"].text


def read(text: str) -> Program:
    return parse(text, VOCABULARY, inputs=INPUTS)


def payload(kind: str, *, work: float, seed: int = 1, **more: Any) -> dict[str, Any]:
    symbolic = SymbolicSpec(vocabulary="optimizer_elementwise", inputs=tuple(INPUTS), function="update")
    spec = JudgeSpec(family="optimizer", options={"tasks": ["lin_ae"]}, language="symbolic", symbolic=symbolic)
    return {
        "judge": spec.to_mapping(),
        "vocabulary": "optimizer_elementwise",
        "inputs": INPUTS,
        "parents": [ADAM],
        "known": [],
        "rng_seed": [seed],
        "settings": {"kind": kind, "work": work, "max_operations": 12, "n_children": 2},
        **more,
    }


def answer(kind: str, *, work: float, seed: int = 1, **more: Any) -> Mapping[str, Any]:
    return tasks.handle(tasks.RULE_BURST, payload(kind, work=work, seed=seed, **more))


def test_a_burst_is_a_function_of_its_payload_whatever_its_worker_did_before() -> None:
    # given
    from evolve.rules.rule_task import workplace

    warm = answer("tune", work=WORK)

    # when
    workplace.cache_clear()
    cold = answer("tune", work=WORK)

    # then
    assert warm == cold
    assert min(cold["statistics"]["trained"]) > 1


def test_the_control_arm_changes_literals_only() -> None:
    # given
    words = sorted(VOCABULARY.functions[each.function].name for each in read(ADAM).instructions)

    # when
    children = answer("tune", work=WORK)["children"]

    # then
    assert children
    for child in children:
        assert sorted(VOCABULARY.functions[each.function].name for each in read(child["source"]).instructions) == words


def test_an_opening_looks_at_its_part_of_the_first_rules_neighbours_and_at_nothing_else() -> None:
    # given
    around = neighbours(read(ADAM), language_of(VOCABULARY), max_operations=12)[3::30]
    wanted = {read_rule(render(each, VOCABULARY)).fingerprint for each in around}
    settings = {
        "kind": "neighbours",
        "work": WORK,
        "max_operations": 12,
        "n_children": 2,
        "part": 3,
        "n_parts": 30,
        "first": ADAM,
    }

    # when
    found = answer("neighbours", work=WORK, settings=settings)

    # then
    assert found["children"]
    assert {read_rule(child["source"]).fingerprint for child in found["children"]} <= wanted
    assert found["statistics"]["trained"][0] <= len(around) + 1


@pytest.mark.skipif(not ALL_TESTS, reason="a burst trains for seconds: EVOLVE_ALL_TESTS=1 runs all kinds")
@pytest.mark.parametrize("kind", ["neighbours", "mutate", "graft", "crossover"])
def test_children_read_what_the_problem_offers_and_nothing_else(kind: str) -> None:
    # given
    parents = [ADAM, ZOO["signum"].text, ZOO["rmsprop"].text]

    # when
    found = answer(kind, work=2 * WORK, parents=parents)["children"]

    # then
    assert found
    for child in found:
        rule = read_rule(child["source"])
        assert rule.needs <= {"t"}
        assert set(rule.slots) <= {"m", "v"}
        assert rule.n_operations <= 12
        assert set(child["parents"]) <= {0, 1, 2}


def test_what_changes_nothing_is_simplified_away_without_training() -> None:
    # given
    padded = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return -(-m) + 1e-12, m\n"

    # when
    found = answer("simplify", work=0.0, parents=[padded])

    # then: without work nothing is tried, with a little the free cuts are made
    assert found["children"] == []
    [child] = answer("simplify", work=1e-6, parents=[padded])["children"]
    assert read_rule(child["source"]).n_operations == 1


def test_a_worker_without_reference_data_measures_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a machine that never measured the shortest horizon
    from evolve.rules.rule_task import workplace

    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    wanted = payload("tune", work=0.01)
    wanted["judge"] = {**wanted["judge"], "options": {"tasks": ["lin_ae"], "horizon": 0.0625}}
    workplace.cache_clear()

    # when
    first = tasks.handle(tasks.RULE_BURST, wanted)

    # then: the next process finds them, and answers the same
    [kept] = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    workplace.cache_clear()
    assert tasks.handle(tasks.RULE_BURST, wanted) == first
    assert min(first["statistics"]["trained"]) > 0
    assert kept.stat().st_mtime_ns == written
    workplace.cache_clear()


def test_reference_data_that_cannot_be_measured_are_said_not_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a cache folder below a file
    from evolve.rules.rule_task import workplace

    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path / "file" / "below"))
    wanted = payload("mutate", work=0.1)
    wanted["judge"] = {**wanted["judge"], "options": {"tasks": ["lin_ae"], "horizon": 16.0}}
    workplace.cache_clear()

    # when / then
    assert "cannot keep measured reference data" in tasks.handle(tasks.RULE_BURST, wanted)["failed"]


def test_a_burst_reads_the_reference_data_once_whatever_other_runs_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a worker that has begun
    from evolve.rules.rule_task import workplace

    monkeypatch.setenv("EVOLVE_CACHE", str(tmp_path))
    before = answer("tune", work=WORK)

    # when: another run spoils the file of this machine
    own_file().write_text("{}")

    # then
    assert answer("tune", work=WORK) == before
    workplace.cache_clear()

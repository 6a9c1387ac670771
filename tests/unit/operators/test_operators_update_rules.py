"""The operators that discover update rules: who breeds, what a worker is asked, what becomes of its answer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.operators.contract import Compute, Note, Proposal
from evolve.operators.update_rules import N_MEMBERS, N_OPENERS, SCORE, SIMPLIFY, RuleBurst, chosen_members, rule_openers


def candidate(identifier: int, speedup: float = 1.0) -> Candidate:
    return Candidate(
        id=identifier,
        files={"seed.py": f"rule {identifier}"},
        fingerprint=str(identifier),
        metrics={SCORE: speedup},
    )


def operator(kind: str = "mutate") -> RuleBurst:
    return RuleBurst(
        kind=kind,
        judge={"family": "optimizer"},
        vocabulary="optimizer",
        inputs=("g",),
        entry="seed.py",
        settings={"work": 8.0},
    )


def asked(burst: RuleBurst, parents: list[Candidate], seed: int = 0) -> Mapping[str, Any]:
    """The payload of the one task that an operator asks for."""
    request = next(burst.propose(parents, (), np.random.default_rng(seed)))
    assert isinstance(request, Compute)
    assert request.task == "rule_burst"
    return request.payload


def test_a_burst_starts_from_some_of_the_archive_and_knows_the_rest() -> None:
    # given
    parents = [candidate(number) for number in range(1, 31)]

    # when
    payload = asked(operator(), parents)

    # then
    assert len(payload["parents"]) == N_MEMBERS
    assert sorted(payload["parents"] + payload["known"]) == sorted(each.files["seed.py"] for each in parents)


def test_two_bursts_of_one_archive_differ_by_their_random_stream_alone() -> None:
    # given
    parents = [candidate(number) for number in range(1, 31)]

    # when / then
    assert asked(operator(), parents, seed=1) == asked(operator(), parents, seed=1)
    assert asked(operator(), parents, seed=1)["rng_seed"] != asked(operator(), parents, seed=2)["rng_seed"]


def test_the_best_breed_more_often() -> None:
    # given: the last has the highest score
    parents = [candidate(number, speedup=number) for number in range(1, 101)]

    # when
    chosen = [chosen_members(parents, 4, np.random.default_rng(seed)) for seed in range(200)]

    # then
    share = [sum(each.id > 90 for each in members) / 4 for members in chosen]
    assert np.mean(share) > 0.3
    assert all(
        [each.id for each in members] == sorted((each.id for each in members), reverse=True) for members in chosen
    )


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_small_archive_breeds_whole(n: int) -> None:
    # given
    parents = [candidate(number) for number in range(n)]

    # when
    chosen = chosen_members(parents, N_MEMBERS, np.random.default_rng(0))

    # then
    assert len({each.id for each in chosen}) == len(chosen) <= n
    assert n < 3 or len(chosen) > 1


def test_a_simplification_has_one_parent() -> None:
    # given / when / then
    assert len(asked(operator(SIMPLIFY), [candidate(number) for number in range(9)])["parents"]) == 1


def test_a_run_opens_with_all_parts_of_the_seed_rules_neighbours() -> None:
    # given an archive that the seed has left
    parents = [candidate(number, speedup=number) for number in range(1, 10)]

    # when
    openers = rule_openers([operator("tune"), operator("neighbours")], {"seed.py": "rule 1"})
    payloads = [asked(each, parents[1:]) for each in openers]

    # then
    assert {each.name for each in openers} == {"opening"}
    assert [each["parents"] for each in payloads] == [["rule 1"]] * N_OPENERS
    assert [each["settings"]["part"] for each in payloads] == list(range(N_OPENERS))
    assert {each["settings"]["n_parts"] for each in payloads} == {N_OPENERS}


def test_without_neighbours_nothing_opens_a_run() -> None:
    # given the control arm / when / then
    assert rule_openers([operator("tune")], {}) == []


def test_children_name_their_parents_and_statistics_stay_in_the_log() -> None:
    # given
    parents = [candidate(5, speedup=2.0), candidate(9, speedup=1.0)]
    proposing = operator().propose(parents, (), np.random.default_rng(0))
    next(proposing)

    # when
    note = proposing.send(
        {
            "children": [{"source": "a", "parents": [1]}, {"source": "b", "parents": [0, 1]}],
            "cost": 3.0,
            "statistics": {"generated": 7},
        }
    )
    with pytest.raises(StopIteration) as stop:
        proposing.send({})

    # then
    assert note == Note(data={"mutate": {"generated": 7}})
    assert stop.value.value == [
        Proposal(files={"seed.py": "a"}, parent_ids=(9,)),
        Proposal(files={"seed.py": "b"}, parent_ids=(5, 9)),
    ]

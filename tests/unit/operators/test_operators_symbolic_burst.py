"""What a symbolic operator asks for and how it reads the answer; the plain ones on programs with nothing to change."""

import ast
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.operators.contract import EVERYONE, Compute, Operator, Proposal
from evolve.operators.symbolic import SEED_WORDS, SymbolicBurst, SymbolicCrossover, SymbolicMutation
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC

PROGRAMS = ["def f(x):\n    return x + 1.0\n", "def f(x):\n    return x * x\n", "def f(x):\n    return x\n"]
PARENTS = [
    Candidate(id=10 + n, files={"seed.py": text, "notes.txt": "words"}, fingerprint=str(n))
    for n, text in enumerate(PROGRAMS)
]
BURST = SymbolicBurst(
    name="mutate",
    n_parents=EVERYONE,
    kind="mutate",
    judge={"target": "exp2"},
    vocabulary="arithmetic",
    inputs=("x",),
    entry="seed.py",
    settings={"work": 0.5, "kind": "overruled"},
)


def request_of(burst: SymbolicBurst, parents: list[Candidate], stream: int = 0) -> Compute:
    request = next(burst.propose(parents, PARENTS, np.random.default_rng(stream)))
    assert isinstance(request, Compute)
    return request


def answered(burst: SymbolicBurst, children: list[Mapping[str, Any]]) -> list[Proposal]:
    proposing = burst.propose(PARENTS, [], np.random.default_rng(0))
    next(proposing)
    with pytest.raises(StopIteration) as stop:
        proposing.send({"children": children, "cost": 1.0})
    found: list[Proposal] = stop.value.value
    return found


def children_of(operator: Operator, parents: list[Candidate], stream: int = 0) -> list[Proposal]:
    with pytest.raises(StopIteration) as stop:
        next(operator.propose(parents, [], np.random.default_rng(stream)))
    found: list[Proposal] = stop.value.value
    return found


def test_a_burst_asks_for_one_piece_of_work_with_the_parents_in_order() -> None:
    request = request_of(BURST, PARENTS)

    assert request.task == "burst"
    assert request.payload["parents"] == PROGRAMS
    assert request.payload["judge"] == {"target": "exp2"}
    assert request.payload["inputs"] == ["x"]


def test_the_request_survives_json() -> None:
    payload = request_of(BURST, PARENTS).payload

    assert json.loads(json.dumps(payload)) == payload


def test_the_kind_of_the_burst_overrules_the_settings() -> None:
    refit = dataclasses.replace(BURST, kind="refit")

    assert request_of(refit, PARENTS).payload["settings"] == {"work": 0.5, "kind": "refit"}
    assert BURST.settings["kind"] == "overruled"


def test_a_burst_is_seeded_by_the_stream_and_by_nothing_else() -> None:
    seeds = [request_of(BURST, PARENTS, stream).payload["rng_seed"] for stream in (1, 1, 2)]

    assert seeds[0] == seeds[1] != seeds[2]
    assert seeds[0] == request_of(BURST, PARENTS[:1], 1).payload["rng_seed"]
    assert all(len(words) == SEED_WORDS and all(0 <= word < 2**31 for word in words) for words in seeds)


def test_a_preparation_is_the_same_work_without_parents() -> None:
    preparation, request = BURST.preparation(), request_of(BURST, PARENTS)

    assert preparation.task == "prepare"
    assert preparation.payload["parents"] == []
    for key in ("judge", "vocabulary", "inputs", "settings"):
        assert preparation.payload[key] == request.payload[key]
    assert preparation == BURST.preparation()


def test_children_of_a_burst_name_their_parents_by_id() -> None:
    children = answered(BURST, [{"source": "a", "parents": [2]}, {"source": "b", "parents": [1, 0]}])

    assert children == [
        Proposal(files={"seed.py": "a"}, parent_ids=(12,)),
        Proposal(files={"seed.py": "b"}, parent_ids=(11, 10)),
    ]


def test_a_child_that_grew_from_nothing_is_the_first_parents() -> None:
    assert answered(BURST, [{"source": "a", "parents": []}]) == [Proposal(files={"seed.py": "a"}, parent_ids=(10,))]


def test_a_burst_that_found_nothing_has_no_children() -> None:
    assert answered(BURST, []) == []


def test_a_child_of_no_parent_that_was_given_is_an_error() -> None:
    proposing = BURST.propose(PARENTS, [], np.random.default_rng(0))
    next(proposing)

    with pytest.raises(IndexError):
        proposing.send({"children": [{"source": "a", "parents": [3]}]})


MUTATION = SymbolicMutation(vocabulary=ARITHMETIC, inputs=("x",), entry="seed.py", max_operations=3)
CROSSOVER = SymbolicCrossover(vocabulary=ARITHMETIC, inputs=("x",), entry="seed.py", max_operations=3)


def n_operations(text: str) -> int:
    """Counted by Python's own syntax tree: a constant's sign is no operation."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.Call)]
    signs = [
        node for node in ast.walk(tree) if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant)
    ]
    return len(calls) + len(signs)


@pytest.mark.parametrize("operator", [MUTATION, CROSSOVER], ids=["mutate", "crossover"])
def test_children_stay_within_the_allowed_operations(operator: Operator) -> None:
    children = [child for stream in range(40) for child in children_of(operator, PARENTS[:2], stream)]

    assert children
    for child in children:
        program = parse(child.files["seed.py"], ARITHMETIC, inputs=("x",), max_operations=3)
        assert program.name == "f"
        assert n_operations(child.files["seed.py"]) <= 3


def test_a_mutation_has_one_parent_and_a_crossover_two() -> None:
    (mutant,) = children_of(MUTATION, PARENTS[:2])
    crossed = [child for stream in range(20) for child in children_of(CROSSOVER, PARENTS, stream)]

    assert mutant.parent_ids == (10,)
    assert {child.parent_ids for child in crossed} == {(10, 11)}


@pytest.mark.parametrize("parents", [PARENTS[:1], [PARENTS[2], PARENTS[2]]], ids=["alone", "with itself"])
def test_a_crossover_without_a_second_program_has_no_children(parents: list[Candidate]) -> None:
    assert all(children_of(CROSSOVER, parents, stream) == [] for stream in range(10))


def test_no_crossover_is_one_of_its_parents_in_other_words() -> None:
    prints = {fingerprint(parse(text, ARITHMETIC, inputs=("x",)), ARITHMETIC) for text in PROGRAMS[:2]}

    for stream in range(40):
        for child in children_of(CROSSOVER, PARENTS[:2], stream):
            program = parse(child.files["seed.py"], ARITHMETIC, inputs=("x",))
            assert fingerprint(program, ARITHMETIC) not in prints


@pytest.mark.parametrize("text", ["", "x = 1\n", "def f(y):\n    return y\n", "def f(x):\n    return exec(x)\n"])
@pytest.mark.parametrize("operator", [MUTATION, CROSSOVER], ids=["mutate", "crossover"])
def test_a_parent_outside_of_the_language_is_an_error_and_not_a_child(operator: Operator, text: str) -> None:
    stranger = Candidate(id=1, files={"seed.py": text}, fingerprint="a")

    with pytest.raises(CandidateSyntaxError):
        next(operator.propose([stranger, stranger], [], np.random.default_rng(0)))

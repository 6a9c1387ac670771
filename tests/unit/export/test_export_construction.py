"""Constructions become JSON: what the program returned in the sandbox, exactly, and what is proved of it."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from evolve.cli.app import cli
from evolve.config.problem import load_problem
from evolve.config.tables import ExportTable
from evolve.errors import SeedError
from evolve.export.construction import constructed, document_text, json_data
from evolve.export.discovery import Certificate
from tests.extent import ALL_TESTS
from tests.unit.cli.conftest import judged
from tests.unit.export.export_cases import discovery_of, shipped
from tests.unit.export.test_export_discovery_command import a_run

TWO = """\
import numpy as np


def pack():
    return {"circles": np.array([[0.1, 0.5, 1e-3]]), "names": ["a", None], "count": 3, "fine": True}


def fail():
    raise ValueError("no packing")
"""
PROOF = Certificate(
    name="certificates/7.json",
    sha256="cd" * 32,
    verdict="certified",
    value=2.5,
    detail="26 disjoint circles",
    body={"circles": [["1/3", "1/2", "1/9"]], "sum": "1/9"},
)


def test_the_program_runs_in_the_sandbox_and_its_data_comes_back_plain() -> None:
    discovery = discovery_of(shipped("circle_packing_26"), TWO)
    failing = replace(discovery, export=ExportTable(form="construction", function="fail"))

    data = constructed(discovery, unsafe=True)

    assert data == {"circles": [[0.1, 0.5, 1e-3]], "names": ["a", None], "count": 3, "fine": True}
    with pytest.raises(SeedError, match=r"candidate 7 gives no construction: exception: .*no packing"):
        constructed(failing, unsafe=True)


def test_the_function_is_called_with_the_parameters_and_for_several_sizes_with_each() -> None:
    text = "def construct(n):\n    return [n, n]\n"
    export = ExportTable(form="construction", function="construct")
    one, several = (load_problem("golomb_ruler", parameters={"n": n}) for n in ("7", "5,6/8"))

    assert constructed(discovery_of(one, text, export=export), unsafe=True) == [7, 7]
    found = constructed(discovery_of(several, text, export=export), unsafe=True)
    assert found == {"n5": [5, 5], "n6": [6, 6], "n8": [8, 8]}


def test_a_construction_that_the_run_keeps_is_not_made_again() -> None:
    discovery = discovery_of(load_problem("girth_five"), "def construct(n, best, seed):\n    raise ValueError\n")
    evaluation = replace(discovery.record.evaluation, artifacts={"construction": "[[0, 1]]"})
    kept = replace(discovery, record=replace(discovery.record, evaluation=evaluation))

    assert constructed(kept) == [[0, 1]]


def test_the_document_has_the_numbers_exactly_and_the_whole_certificate() -> None:
    discovery = discovery_of(shipped("circle_packing_26"), TWO, certificate=PROOF)

    document = json.loads(document_text(discovery, {"circles": [[0.1, 3]], "name": "a"}))

    assert document["schema"] == "evolve.construction/1"
    assert document["data"] == {"circles": [[0.1, 3]], "name": "a"}
    assert document["exact"] == {"circles": [["3602879701896397/36028797018963968", 3]], "name": "a"}
    assert Fraction(document["exact"]["circles"][0][0]) == Fraction(0.1)
    assert document["certificate"] == {"circles": [["1/3", "1/2", "1/9"]], "sum": "1/9"}
    assert document["certificate_file"] == {"name": "certificates/7.json", "sha256": "cd" * 32}
    assert (document["verdict"], document["proved_value"]) == ("certified", 2.5)
    assert (document["problem"], document["candidate"], document["function"]) == ("circle_packing_26", 7, "pack")


def test_without_a_certificate_nothing_is_called_proved() -> None:
    discovery = discovery_of(shipped("circle_packing_26"), TWO, verdict="unverified: no verify")

    document = json.loads(document_text(discovery, [1.5]))

    assert document["proved_value"] is None
    assert document["certificate"] is None
    assert document["verification"] == "unverified: no verify"


def test_very_much_data_comes_without_its_fractions() -> None:
    document = json.loads(document_text(discovery_of(shipped("circle_packing_26"), TWO), [0.5] * 20_001))

    assert document["exact"] is None
    assert len(document["data"]) == 20_001


def test_plain_data_keeps_its_shape() -> None:
    assert json_data({"a": [1, {"b": "c"}], "d": None}) == {"a": [1, {"b": "c"}], "d": None}


@pytest.mark.skipif(not ALL_TESTS, reason="verifies a packing in a process of its own: set EVOLVE_ALL_TESTS=1")
def test_an_exported_packing_is_proved_by_its_own_document(tmp_path: Path) -> None:
    # given
    problem = shipped("circle_packing_26")
    record = judged(1, score=2.0, source=problem.seed_files["seed.py"])
    run = a_run(tmp_path / "run", problem, [record])

    # when
    result = CliRunner().invoke(
        cli, ["export", str(run), "--as", "json", "-o", str(tmp_path / "c.json"), "--unsafe-sandbox"]
    )

    # then
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "c.json").read_text())
    circles = [[Fraction(text) for text in row] for row in document["certificate"]["circles"]]
    for i, (x, y, r) in enumerate(circles):
        assert 0 <= r <= min(x, y, 1 - x, 1 - y)
        assert all((x - a) ** 2 + (y - b) ** 2 >= (r + s) ** 2 for a, b, s in circles[:i])
    assert sum(row[2] for row in circles) == Fraction(document["certificate"]["sum"]) >= document["proved_value"]
    assert [[Fraction(value) for value in row] for row in document["data"]] == [
        [Fraction(text) for text in row] for row in document["exact"]
    ]
    assert np.allclose(np.array(document["data"]), np.array([[float(value) for value in row] for row in circles]))

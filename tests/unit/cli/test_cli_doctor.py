import json
from typing import Any

import pytest
from click.testing import CliRunner

from evolve.cli import doctor
from evolve.cli.app import cli
from evolve.errors import EXIT_ENVIRONMENT, EXIT_FINISHED
from sandbox.layers import Layer

GOOD: dict[str, Any] = {
    "packages": dict.fromkeys(doctor.PACKAGES, "1.0"),
    "places": [{"place": "runs", "folder": "/x", "writable": True, "free_bytes": 1 << 40}],
    "sandbox": {"level": "FULL", "layers": {}, "start_seconds": 1.0, "error": None},
}


def test_a_fit_machine_has_no_complaints() -> None:
    assert doctor.complaints(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"packages": {**GOOD["packages"], "numba": None}}, "numba"),
        ({"places": [{**GOOD["places"][0], "writable": False}]}, "cannot be written: /x"),
        ({"places": [{**GOOD["places"][0], "free_bytes": 1}]}, "less than 1 GiB"),
        ({"sandbox": {**GOOD["sandbox"], "error": "no kernel"}}, "no kernel"),
        ({"sandbox": {**GOOD["sandbox"], "level": "WEAK"}}, "--unsafe-sandbox"),
    ],
)
def test_each_thing_that_is_wrong_is_named_with_what_to_do(change: dict[str, Any], words: str) -> None:
    [complaint] = doctor.complaints({**GOOD, **change})
    assert words in complaint


def test_the_doctor_tells_every_layer_and_its_state() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    facts = json.loads(result.stdout)
    assert facts["schema"] == "evolve.doctor/1"
    assert list(facts["sandbox"]["layers"]) == [layer.value for layer in Layer]
    assert result.exit_code == (EXIT_ENVIRONMENT if facts["complaints"] else EXIT_FINISHED)


def test_people_read_the_same_as_a_table() -> None:
    said = CliRunner().invoke(cli, ["doctor"]).stdout
    assert "self-test passed" in said
    assert all(layer.value in said for layer in Layer)


def test_a_module_that_cannot_be_preloaded_is_a_complaint_with_its_name() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--preload", "numpy,no_such_module"])
    assert result.exit_code == EXIT_ENVIRONMENT
    assert "no_such_module" in result.stdout

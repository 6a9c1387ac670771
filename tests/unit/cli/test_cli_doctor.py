import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evolve.cli import doctor
from evolve.cli.app import cli
from evolve.errors import EXIT_ENVIRONMENT, EXIT_FINISHED, UsageError
from sandbox.layers import Layer

GOOD: dict[str, Any] = {
    "packages": dict.fromkeys(doctor.PACKAGES, "1.0"),
    "places": [{"place": "runs", "folder": "/x", "writable": True, "free_bytes": 1 << 40, "trouble": ""}],
    "sandbox": {"level": "FULL", "layers": {}, "start_seconds": 1.0, "error": None},
}


def test_a_fit_machine_has_no_complaints() -> None:
    assert doctor.complaints(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"packages": {**GOOD["packages"], "numba": None}}, "numba"),
        ({"places": [{**GOOD["places"][0], "writable": False}]}, "the folder for runs cannot be written: /x"),
        ({"places": [{**GOOD["places"][0], "trouble": "TMPDIR=/y is not usable"}]}, "runs: TMPDIR=/y is not usable"),
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


def test_a_module_that_cannot_be_preloaded_is_wrong_usage_and_named() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--preload", "numpy,no_such_module"])
    assert isinstance(result.exception, UsageError)
    assert "no module 'no_such_module' to preload" in str(result.exception)


@pytest.fixture
def forgotten_choice(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The temporary folder is chosen anew, as by a new process."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    return monkeypatch


def test_a_temporary_folder_that_python_passes_over_is_told(forgotten_choice: pytest.MonkeyPatch) -> None:
    forgotten_choice.setenv("TMPDIR", "/nowhere/at/all")
    _, temporary = doctor.places()
    assert temporary["trouble"].startswith("TMPDIR=/nowhere/at/all is not usable")


def test_a_temporary_folder_that_serves_is_no_trouble(forgotten_choice: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forgotten_choice.setenv("TMPDIR", str(tmp_path))
    _, temporary = doctor.places()
    assert (temporary["folder"], temporary["trouble"]) == (str(tmp_path), "")


def test_no_temporary_folder_at_all_is_a_complaint_and_no_crash(forgotten_choice: pytest.MonkeyPatch) -> None:
    forgotten_choice.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere/a", "/nowhere/b"])
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == EXIT_ENVIRONMENT
    assert "WRONG: temporary: none is writable (tried /nowhere/a, /nowhere/b)" in result.stdout

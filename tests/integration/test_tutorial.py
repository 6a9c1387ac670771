"""The tutorial, done literally in an empty folder: all of it with EVOLVE_ALL_TESTS=1, its beginning with small numbers
by default."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from evolve.cli.app import cli
from tests.extent import ALL_TESTS

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
TEXT = TUTORIAL.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMED = "## A discovery with a proof"
SMALLER = {
    "evolve check my-problem": "evolve check my-problem --repeats 2 --seconds 1",
    "--evaluations 400": "--evaluations 10",
}
N_SHORT = 4
VARYING = {
    r"\d{8}T\d{6}Z-\d+": "RUN",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": "TIME",
    r"\b(\d+m)?\d+(\.\d+)?s\b": "SECONDS",
    r"on \d+ workers?": "on N workers",
}


def blocks(kind: str, text: str = TEXT) -> list[str]:
    return [body for word, body in BLOCK.findall(text) if word == kind]


def run(commands: str, folder: Path) -> str:
    """What a block prints on both streams; it must succeed."""
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    evolve = tools / "evolve"
    evolve.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m evolve "$@"\n')
    evolve.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(folder / ".settings")}
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}"
    return done.stdout


def plain(text: str) -> str:
    """Without what differs from run to run."""
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return text


def missing(shown: str, printed: str) -> list[str]:
    """The pieces between `...` of the lines that the tutorial shows and the commands did not print."""
    pieces = [piece.strip() for line in plain(shown).splitlines() for piece in line.split("...")]
    return [piece for piece in pieces if piece.strip("() ") and piece not in plain(printed)]


@pytest.mark.skipif(ALL_TESTS, reason="the whole tutorial is run instead")
def test_the_beginning_of_the_tutorial_works_in_an_empty_folder(tmp_path: Path) -> None:
    for commands in blocks("sh")[:N_SHORT]:
        for given, smaller in SMALLER.items():
            commands = commands.replace(given, smaller)
        run(commands, tmp_path)

    assert list((tmp_path / "runs" / "my_problem").glob("*/run.db"))


@pytest.mark.slow
@pytest.mark.skipif(not ALL_TESTS, reason="takes minutes: EVOLVE_ALL_TESTS=1")
def test_the_whole_tutorial_works_and_prints_what_it_shows(tmp_path: Path) -> None:
    printed = "\n".join(run(commands, tmp_path) for commands in blocks("sh", TEXT.split(TIMED)[0]))
    timed = [run(commands, tmp_path) for commands in blocks("sh", TEXT.split(TIMED)[1])]

    assert [line for shown in blocks("text", TEXT.split(TIMED)[0]) for line in missing(shown, printed)] == []
    assert missing(blocks("text", TEXT.split(TIMED)[1])[0], timed[0]) == []
    assert "certified" in timed[1]
    assert "PROVED: relative error at most" in (tmp_path / "my_function.c").read_text()


@pytest.mark.parametrize("line", [line for body in blocks("sh") for line in body.splitlines() if "evolve " in line])
def test_every_command_of_the_tutorial_exists_with_its_options(line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    command = cli.commands[name]

    given, _, _ = command.make_parser(click.Context(command)).parse_args(arguments)

    assert given


def test_only_the_installation_is_not_run() -> None:
    assert len(blocks("bash")) == 1
    assert "pip install" in blocks("bash")[0]
    assert {word for word, _ in BLOCK.findall(TEXT)} == {"bash", "sh", "text"}

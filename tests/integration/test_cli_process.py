"""The real command in its own process: what it imports, what it does with pipes, terminals and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "ray", "openai", "anthropic", "textual", "numpy", "numba", "pydantic", "rich", "flint"}
HOME = Path(__file__).resolve().parents[2]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVOLVE_")}
    return {**kept, "PYTHONPATH": str(HOME), "XDG_CONFIG_HOME": "/nonexistent", **changes}


def evolve(*arguments: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evolve", *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["version"], ["ls"]], ids=" ".join)
def test_small_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from evolve.__main__ import main\n"
        f"code = main({arguments!r})\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    imported = {name for name in HEAVY if f"'{name}'" in ended.stderr}
    assert imported == set()
    assert ended.stdout


def test_the_exit_code_reaches_the_shell(tmp_path: Path) -> None:
    ended = evolve("best", "nowhere", "--json", cwd=tmp_path)

    assert ended.returncode == 2
    assert json.loads(ended.stdout)["exit_code"] == 2
    assert ended.stderr.startswith("error: no run 'nowhere'")


def test_a_query_whose_reader_has_gone_ends_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as gone:
        process = subprocess.run(
            [sys.executable, "-m", "evolve", "--help"],
            cwd=tmp_path,
            env=environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    assert process.returncode == 141
    assert process.stderr == b""


def test_a_full_disk_under_the_output_is_said_in_one_line(tmp_path: Path) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = subprocess.run(
            [sys.executable, "-m", "evolve", "version"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert process.returncode == 5
    assert process.stderr == "error: cannot write the output: No space left on device\n"


def test_a_run_goes_on_when_its_reader_goes_away(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from types import SimpleNamespace\n"
        "from evolve.cli.conduct import Conductor, choose_display\n"
        "from evolve.cli.output import Output\n"
        "output = Output(as_json=True)\n"
        "conductor = Conductor(output, choose_display(output, plain=True))\n"
        "for number in range(3):\n"
        "    conductor.hear(SimpleNamespace(kind='warning', data={'text': str(number)}))\n"
        "sys.stderr.write('went on\\n')\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as gone:
        ended = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 0
    assert ended.stderr.endswith("warning   2\nwent on\n")


def test_an_output_that_cannot_encode_gets_escapes_not_an_error(tmp_path: Path) -> None:
    runs = tmp_path / "漢"
    runs.mkdir()

    ended = evolve("ls", "漢", cwd=tmp_path, PYTHONIOENCODING="latin-1:strict")

    assert ended.returncode == 0, ended.stderr
    assert "\\u6f22" in ended.stdout


def test_the_shell_gets_its_completion(tmp_path: Path) -> None:
    ended = evolve(cwd=tmp_path, _EVOLVE_COMPLETE="bash_complete", COMP_WORDS="evolve fro", COMP_CWORD="1")

    assert ended.stdout == "plain,frontier\n"


def test_a_query_on_a_terminal_is_plain_text(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        code = subprocess.run(
            [sys.executable, "-m", "evolve", "ls"],
            cwd=tmp_path,
            env=environment(TERM="xterm"),
            stdout=terminal,
            timeout=60,
            check=False,
        ).returncode
        shown = os.read(leader, 10_000)
    os.close(leader)

    assert code == 0
    assert b"\x1b" not in shown

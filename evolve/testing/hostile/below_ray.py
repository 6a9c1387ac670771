"""The hostile suite where a cluster's candidates run: in a process below a Ray worker. A handler for executors."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evolve.testing.hostile import prelude
from evolve.testing.hostile.attack import SMALL
from evolve.testing.hostile.catalogue import all_attacks
from evolve.testing.hostile.engine import PRELOAD
from evolve.testing.hostile.report import run_suite

HANDLER = "evolve.testing.hostile.below_ray:handle"
BARE_SECONDS = 30.0
_BARE = (
    "import json, sys; sys.path[:0] = [sys.argv[1]]; import main; print(json.dumps(main.attack(json.load(sys.stdin))))"
)


def handle(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Answer `suite`, `confined` or `bare`; see there."""
    if task == "suite":
        return suite(payload["names"])
    tell = confined if task == "confined" else bare
    return {"answers": [tell(text, payload["world"]) for text in payload["texts"]]}


def suite(names: list[str]) -> dict[str, Any]:
    """Let these attacks of the suite loose on the sandbox of this machine."""
    report = run_suite(attacks=[attack for attack in all_attacks() if attack.name in names])
    rows = [{"name": row.attack.name, "how": row.how} for row in report.breaches]
    return {"level": report.level, "tried": len(report.rows), "breaches": rows}


def confined(text: str, world: Mapping[str, Any]) -> Any:
    """What `attack(world)` answers as a candidate in a sandbox, or how it failed."""
    from sandbox.errors import CandidateError
    from sandbox.process import ProcessSandbox

    files = {"main.py": text, prelude.NAME: prelude.TEXT}
    try:
        with ProcessSandbox(preload=PRELOAD, unsafe=True) as sandbox, sandbox.start(files, limits=SMALL) as session:
            return session.call("attack", dict(world))
    except CandidateError as error:
        return {"got": [], "failed": [str(error)]}


def bare(text: str, world: Mapping[str, Any]) -> Any:
    """What it answers as an ordinary process of this user: only for attacks that look, and break nothing."""
    with tempfile.TemporaryDirectory(prefix="evolve-bare-") as folder:
        Path(folder, "main.py").write_text(text, encoding="utf-8")
        Path(folder, prelude.NAME).write_text(prelude.TEXT, encoding="utf-8")
        command = [sys.executable, "-I", "-c", _BARE, folder]
        asked = json.dumps(world).encode()
        done = subprocess.run(command, input=asked, capture_output=True, timeout=BARE_SECONDS, check=True)
        return json.loads(done.stdout)

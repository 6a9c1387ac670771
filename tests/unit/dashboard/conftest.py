import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.view.small_run import write_run

SCREENS = Path(__file__).parent / "screens"
RECORD = "EVOLVE_RECORD_SCREENS"


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "toy-run")


@pytest.fixture
def recorded() -> Callable[[str, list[str]], None]:
    """Compare a screen with its record below `screens/`; EVOLVE_RECORD_SCREENS=1 writes the record instead."""

    def compare(name: str, lines: list[str]) -> None:
        path = SCREENS / f"{name}.txt"
        text = "\n".join(lines) + "\n"
        if os.environ.get(RECORD):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{path.name} differs; {RECORD}=1 records the screen anew"

    return compare

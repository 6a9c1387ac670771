"""The seed program of another engine's folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from evolve.config.folder import MAX_SEED_BYTES
from evolve.config.python_text import END_MARKER, START_MARKER, blocks_of, parse_python
from evolve.errors import ProblemError
from sandbox.errors import CandidateSyntaxError

_LOOSE_MARKER = re.compile(r"^([ \t]*)#+[ \t]*EVOLVE[-_ ]BLOCK[-_ ](START|END)\b", re.MULTILINE | re.IGNORECASE)


def seed_file(folder: Path, stems: Sequence[str]) -> str | None:
    """The name of the program that evolution starts from, whatever language it is written in."""
    for stem in stems:
        if (folder / f"{stem}.py").is_file():
            return f"{stem}.py"
    for stem in stems:
        others = sorted(path.name for path in folder.glob(f"{stem}.*") if path.is_file())
        if others:
            return others[0]
    return None


def python_seed(path: Path) -> tuple[str, list[str]]:
    """The program's text with evolve blocks, and what had to be changed for it.

    Raises:
        ProblemError: it is no Python, or its markers make no pairs.
    """
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        data = path.read_bytes()
        if len(data) > MAX_SEED_BYTES:
            raise ValueError(f"it has {len(data)} bytes, at most {MAX_SEED_BYTES} are allowed")
        return with_blocks(data.decode("utf-8-sig").replace("\r\n", "\n"), path.name)
    except (OSError, ValueError) as error:
        raise ProblemError(f"cannot read the program {path}: {error}", hint="it must be text in UTF-8") from error
    except CandidateSyntaxError as error:
        raise ProblemError(f"{path}: {error.detail}", hint="the seed program must be Python that parses") from error


def with_blocks(text: str, name: str) -> tuple[str, list[str]]:
    """The text with markers as we write them; without any, all of it may change.

    Raises:
        CandidateSyntaxError: it does not parse, or its markers make no pairs.
    """
    parse_python(text)
    text = _LOOSE_MARKER.sub(lambda found: f"{found[1]}# EVOLVE-BLOCK-{found[2].upper()}", text)
    if blocks_of(text):
        return text, []
    body = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{START_MARKER}\n{body}{END_MARKER}\n", [f"{name} has no evolve block: all of it may change"]

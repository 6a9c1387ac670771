"""Which Evolve this is, beyond its version: two checkouts of one version may differ in every file."""

import hashlib
from pathlib import Path

PACKAGES = ("evolve", "archive", "evaluators", "sandbox")
SHORT = 12
SHIPPED_PROBLEMS = "evolve/_problems/"  # only an installed package has them inside, and they travel with every run
HERE = Path(__file__).parents[2]


def source_hash(root: Path = HERE) -> str:
    """The hash of all of Evolve's own source files, by name and content; `root` is where its packages lie."""
    digest = hashlib.sha256()
    names = sorted(path.relative_to(root).as_posix() for each in PACKAGES for path in (root / each).rglob("*.py"))
    for name in names:
        if not name.startswith(SHIPPED_PROBLEMS):
            content = (root / name).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:SHORT]

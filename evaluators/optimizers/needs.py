"""What the family `optimizer` needs of the machine: torch, an extra of the package."""

from importlib.util import find_spec

INSTALL = "pip install 'evolve-discovery[torch]'"
MISSING = "rules are judged by training networks, which needs torch, and torch is not installed"


def has_torch() -> bool:
    """Whether torch can be found; it is not imported, which takes seconds."""
    return find_spec("torch") is not None

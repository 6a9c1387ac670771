"""All attacks: those of every module in `attacks`."""

import importlib
import pkgutil

from evolve.testing.hostile import attacks
from evolve.testing.hostile.attack import Attack


def all_attacks() -> tuple[Attack, ...]:
    """Every attack, ordered by family and module.

    Raises:
        ValueError: two attacks have one name.
    """
    found: list[Attack] = []
    for module in sorted(pkgutil.iter_modules(attacks.__path__), key=lambda module: module.name):
        found += importlib.import_module(f"{attacks.__name__}.{module.name}").ATTACKS
    names = [attack.name for attack in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"attacks with one name: {', '.join(sorted(twice))}")
    return tuple(found)

"""Modules that other engines' evaluators import from their engine, in our own words: no more than evaluators use."""

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """A module of a few names; any other name is an error that says what there is."""

    def __init__(self, name: str, names: Mapping[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(names)
        self.__path__: list[str] = []
        self._offered = sorted(names)

    def __getattr__(self, name: str) -> Any:
        """Only asked for what is not there."""
        if name.startswith("__"):
            raise AttributeError(name)
        offered = ", ".join(self._offered) or "nothing but its submodules"
        raise AttributeError(f"Evolve's stand-in for the module {self.__name__} has no {name!r}: it offers {offered}")


def install(modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Put these modules where imports find them, and every package above them."""
    for name, names in modules.items():
        parts = name.split(".")
        for length in range(1, len(parts)):
            above = ".".join(parts[:length])
            if above not in sys.modules:
                _place(above, {})
        _place(name, names)


def _place(name: str, names: Mapping[str, Any]) -> None:
    module = StandIn(name, names)
    sys.modules[name] = module
    above, _, last = name.rpartition(".")
    if above:
        setattr(sys.modules[above], last, module)

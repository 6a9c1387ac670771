"""What the judge of another engine's problem needs to know, as the options of the family `peer`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.spec import PEER_FAMILY

OPENEVOLVE, SHINKA, GEPA, ALPHAEVOLVE = "openevolve", "shinka", "gepa", "alphaevolve"
CONTRACTS = (OPENEVOLVE, SHINKA, GEPA, ALPHAEVOLVE)
TITLES = {OPENEVOLVE: "OpenEvolve", SHINKA: "ShinkaEvolve", GEPA: "GEPA", ALPHAEVOLVE: "AlphaEvolve"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSpec:
    """How one problem of another engine is judged.

    `evaluator` is the file of the folder that judges, `entry` the candidate's first file. `seed` is the seed program's
    text, from which distances are measured. `dimensions` name the metrics that only tell programs apart. `search` are
    folders in which imports look first. `cascade` says whether stages are used, with these `thresholds`. `function` is
    what is called where the contract leaves its name open, `options` are what a script takes. `mount` is where below
    the copy's root the folder lies: some import themselves by a longer name. `notices` are for people: what is not
    honoured, and what isolation this contract cannot give.
    """

    contract: str
    evaluator: str
    entry: str
    seed: str
    dimensions: tuple[str, ...] = ()
    search: tuple[str, ...] = (".",)
    cascade: bool = False
    thresholds: tuple[float, ...] = ()
    function: str = ""
    options: tuple[str, ...] = ()
    mount: str = ""
    rng_seed: int | None = None
    notices: tuple[str, ...] = field(default=())

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "PeerSpec":
        """Undo `to_options`.

        Raises:
            EvaluatorError: they are not options of this family.
        """
        known = {each.name for each in fields(cls)}
        try:
            if options.get("contract") not in CONTRACTS or set(options) - known:
                raise TypeError
            lists = {name: tuple(value) for name, value in options.items() if isinstance(value, list | tuple)}
            return cls(**{**options, **lists})
        except TypeError as error:
            raise EvaluatorError(
                f"the family {PEER_FAMILY!r} is for folders of other engines ({', '.join(CONTRACTS)}), "
                "which Evolve recognises by itself; it cannot be written in problem.toml"
            ) from error

    def to_options(self) -> dict[str, Any]:
        """Plain JSON data."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

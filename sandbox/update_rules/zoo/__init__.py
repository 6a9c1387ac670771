"""The zoo: update rules of the literature as texts in our language, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sandbox.update_rules.zoo.adaptive import ADAPTIVE_RULES
from sandbox.update_rules.zoo.matrix import MATRIX_RULES
from sandbox.update_rules.zoo.momentum import MOMENTUM_RULES
from sandbox.update_rules.zoo.oracles import ORACLE_RULES
from sandbox.update_rules.zoo.published import PublishedRule
from sandbox.update_rules.zoo.variance import VARIANCE_RULES

if TYPE_CHECKING:
    from sandbox.update_rules.rule import UpdateRule

ZOO: Final[Mapping[str, PublishedRule]] = MappingProxyType(
    {rule.name: rule for rule in (*MOMENTUM_RULES, *ADAPTIVE_RULES, *VARIANCE_RULES, *MATRIX_RULES, *ORACLE_RULES)}
)
"""Every published rule by its name, in the order of the documentation."""


def zoo_text(name: str, **values: float) -> str:
    """The text of a published rule, with other values of hyper-parameters where they are given.

    Raises:
        KeyError: there is no such rule.
        HyperParameterError: the rule has no such hyper-parameter, or a value is not finite.
    """
    if name not in ZOO:
        raise KeyError(f"no published rule {name!r}, expected one of: {', '.join(ZOO)}")
    return ZOO[name].with_values(**values)


def zoo_rule(name: str, **values: float) -> "UpdateRule":
    """A published rule, ready to run; arguments as for `zoo_text`."""
    from sandbox.update_rules.rule import read_rule

    return read_rule(zoo_text(name, **values))

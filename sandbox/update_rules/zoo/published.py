"""One published update rule: its text with named hyper-parameters, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


class HyperParameterError(ValueError):
    """A hyper-parameter that a published rule does not have, or a value that is no finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRule:
    """An update rule of the literature in our language.

    `template` is the rule's text with `{name}` where a hyper-parameter stands; `defaults` are the publication's values,
    or torch's where torch has the rule. `departs` says where the text does otherwise than the publication, and why (""
    where it does not).
    """

    name: str
    title: str
    source: str
    template: str
    defaults: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    departs: str = ""

    @property
    def text(self) -> str:
        """The rule with the publication's hyper-parameters."""
        return self.with_values()

    def with_values(self, **values: float) -> str:
        """The rule with other values of some hyper-parameters.

        Raises:
            HyperParameterError: there is no such hyper-parameter, or its value is not finite.
        """
        for name, value in values.items():
            if name not in self.defaults:
                known = ", ".join(self.defaults) or "none"
                raise HyperParameterError(f"{self.name} has no hyper-parameter {name!r}, expected one of: {known}")
            if not abs(float(value)) < float("inf"):
                raise HyperParameterError(f"{name} of {self.name} is {value!r}, expected a finite number")
        merged = {**self.defaults, **values}
        return self.template.format(**{name: repr(float(value)) for name, value in merged.items()})

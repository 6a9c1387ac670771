"""The zoo of published update rules as a page, made from their texts: `python -m evolve.cli.zoo`."""

from collections.abc import Iterator

import click

from sandbox.update_rules.rule import UpdateRule
from sandbox.update_rules.zoo import ZOO, zoo_rule
from sandbox.update_rules.zoo.adaptive import ADAPTIVE_RULES
from sandbox.update_rules.zoo.matrix import MATRIX_RULES
from sandbox.update_rules.zoo.momentum import MOMENTUM_RULES
from sandbox.update_rules.zoo.oracles import ORACLE_RULES
from sandbox.update_rules.zoo.published import PublishedRule
from sandbox.update_rules.zoo.variance import VARIANCE_RULES

_HEAD = """# The zoo of update rules

{n} published optimizers in [our language](optimizers.md), written from their texts by `python -m evolve.cli.zoo` (`make
docs` does it, and a test fails when the two differ). Each takes the steps of torch.optim, or of its publication's
formulas in plain numpy, for a hundred steps within 1e-6; where a text departs from its publication, it says so. The
harness does `w <- w - lr * u` with the first value that is returned.

Every text is a candidate: put it into a file, and `evolve validate FILE` compares it with tuned AdamW, NAdamW, Muon and
SOAP.
"""
_GROUPS = {
    "Momentum and signs": MOMENTUM_RULES,
    "Divided by a root of squared gradients": ADAPTIVE_RULES,
    "Differences, agreement, layers": VARIANCE_RULES,
    "Matrices": MATRIX_RULES,
    "With the Hessian's diagonal or the loss": ORACLE_RULES,
}
_READ = {"w": "weights", "h": "Hessian's diagonal", "f": "loss", "lr": "learning rate"}


def zoo_page() -> str:
    """The whole page."""
    lines = [_HEAD.format(n=len(ZOO))]
    for title, rules in _GROUPS.items():
        lines += [f"## {title}\n", *(line for rule in rules for line in _told(rule))]
    return "\n".join(lines).rstrip() + "\n"


def _told(published: PublishedRule) -> Iterator[str]:
    rule = zoo_rule(published.name)
    yield f"### {published.title}\n"
    source, _, link = published.source.rpartition(", http")
    # A source of two papers, or without a link, stands as it is.
    is_one = source and ";" not in source
    yield f"`{published.name}`, {f'[{source}](http{link})' if is_one else published.source}. {_facts(rule)}"
    if published.departs:
        yield f"{published.departs}"
    yield f"\n```python\n{published.text}```\n"


def _facts(rule: UpdateRule) -> str:
    """What it costs and reads."""
    plural = "s" if rule.n_operations != 1 else ""
    state = f"state {' '.join(f'`{slot}`' for slot in rule.slots)}" if rule.slots else "no state"
    read = [name for key, name in _READ.items() if key in rule.needs]
    also = f"; reads the {' and the '.join(read)} too" if read else ""
    return f"{rule.n_operations} operation{plural}, {state}{also}."


if __name__ == "__main__":
    click.echo(zoo_page(), nl=False)

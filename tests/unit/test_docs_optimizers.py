"""The page on optimizers names every word, input, option and family, and its rule is one."""

import re
from pathlib import Path

import pytest

from evaluators.optimizers.descriptor import KINDS
from evaluators.optimizers.settings import DEFAULTS
from evolve.config.problem import load_problem
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import BUILT_IN
from sandbox.update_rules.about import INPUTS, WORDS

FOLDER = Path(__file__).resolve().parents[2]
PAGE = (FOLDER / "docs" / "optimizers.md").read_text(encoding="utf-8")
OPTIMIZER = BUILT_IN["optimizer"]
SYMBOLS = {function.name: function.symbol for function in OPTIMIZER.functions if function.symbol is not None}


@pytest.mark.parametrize("name", [*WORDS, *INPUTS, *DEFAULTS, *KINDS])
def test_the_page_names_it(name: str) -> None:
    written = SYMBOLS.get(name, name)

    assert re.search(rf"`[^`\n]*{re.escape(written)}[^`\n]*`", PAGE)


@pytest.mark.parametrize("name", ["optimizers", "optimizers_elementwise", "sign_momentum"])
def test_every_problem_of_this_family_is_on_the_page_and_has_families_that_there_are(name: str) -> None:
    tables = load_problem(name).tables

    assert f"| `{name}` |" in PAGE
    assert {axis.name for axis in tables.archive.axes} == {"slots", "operations", "family"}
    [families] = [axis.categories for axis in tables.archive.axes if axis.kind == "categories"]
    assert set(families) < set(KINDS)


def test_the_rule_on_the_page_is_the_seed_program_of_the_problem() -> None:
    [text] = re.findall(r"```python\n(def update.*?)```", PAGE, re.DOTALL)

    assert parse(text, OPTIMIZER) == parse(load_problem("optimizers").seed_files["seed.py"], OPTIMIZER)

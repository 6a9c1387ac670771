"""Cross two Python candidates: blend the numbers of alike programs, graft functions, statements and expressions."""

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.python_expressions import Site, Splice, numeric_expressions, pick, site_of
from evolve.operators.python_file import N_REMEMBERED, PythonFile, changed_files, open_files
from evolve.operators.python_fingerprint import normal_form
from evolve.operators.python_literals import number_text, numbers_of
from evolve.operators.python_names import Holds, loaded_names, stored_names
from evolve.operators.python_statements import function_of, laid_out, movable, stays_bound
from evolve.operators.python_syntax import dumped, walked

N_TRIES = 40

_BUILT_IN_NAMES = frozenset(dir(builtins))

Crossing = Callable[[Site, Site, np.random.Generator], Splice]


@lru_cache(maxsize=N_REMEMBERED)
def skeleton(file: PythonFile) -> str:
    """The file's normal form without its editable numbers: equal for programs that differ in those only."""
    blanks = [(each.start, each.end, f"_{type(each.value).__name__}_") for each in numbers_of(file)]
    return normal_form(file.spliced([(start, end, file.spaced(start, end, blank)) for start, end, blank in blanks]))


def blended(mine: Site, theirs: Site, rng: np.random.Generator) -> Splice:
    """Numbers between the two parents' or beyond, or each from one of them; only for programs that are alike."""
    own, other = numbers_of(mine.file), numbers_of(theirs.file)
    if len(own) != len(other) or skeleton(mine.file) != skeleton(theirs.file):
        return []
    from_both = rng.random() < 0.5
    share = float(rng.uniform(-0.5, 1.5))
    takes = rng.random(len(own)) < rng.uniform(0.1, 0.9)
    splice: Splice = []
    for left, right, take in zip(own, other, takes, strict=True):
        if left.value == right.value or not (from_both or take):
            continue
        text = theirs.file.text[right.start : right.end]
        if from_both:
            value = float(left.value) + share * (float(right.value) - float(left.value))
            text = str(round(value)) if isinstance(left.value, int) else number_text(value, digits=12)
        splice.append((left.start, left.end, mine.file.spaced(left.start, left.end, text)))
    return splice


def function_grafted(mine: Site, theirs: Site, rng: np.random.Generator) -> Splice:
    """Put the other parent's version of a function in the place of the own one."""
    donors = {
        each.name: each
        for each in theirs.file.tree.body
        if isinstance(each, ast.FunctionDef) and theirs.file.is_open(each)
    }
    options = []
    for own in mine.file.tree.body:
        lines = mine.file.statement_lines(own)
        if isinstance(own, ast.FunctionDef) and own.name in donors and lines is not None:
            donor = donors[own.name]
            known = mine.names.module_names | _BUILT_IN_NAMES
            if (
                dumped(own) != dumped(donor)
                and loaded_names(donor) - stored_names(donor) - arguments_of(donor) <= known
            ):
                options.append((lines, donor))
    if not options:
        return []
    (start, end), donor = pick(options, rng)
    return [(start, end, theirs.file.source(donor) + "\n")]


def statement_grafted(mine: Site, theirs: Site, rng: np.random.Generator) -> Splice:
    """Put a statement of the other parent behind an own one, or in its place, where its names are bound."""
    texts = {dumped(each) for each, _ in movable(mine)}
    donors = [each for each, _ in movable(theirs) if dumped(each) not in texts]
    own = movable(mine)
    for _ in range(10 if donors and own else 0):
        donor = pick(donors, rng)
        statement, (start, end) = pick(own, rng)
        visible = set(mine.names.visible_at(statement)) | _BUILT_IN_NAMES
        if _free_names(donor) <= visible and not _hides_names(mine, statement, donor):
            kept = stored_names(statement) <= stored_names(donor) or stays_bound(mine, statement)
            replaces = kept and type(donor) is type(statement) and rng.random() < 0.5
            return [(start if replaces else end, end, laid_out(donor, mine.file.indent_of(statement)))]
    return []


def _hides_names(site: Site, place: ast.stmt, donor: ast.stmt) -> bool:
    """Whether a name of the module that the function around the place reads would become the function's own."""
    scope = function_of(site, place)
    if isinstance(scope, ast.Module):
        return False
    becomes_local = stored_names(donor) - stored_names(scope) - arguments_of(scope)
    return bool(becomes_local & (loaded_names(scope) | _free_names(donor)))


def expression_grafted(mine: Site, theirs: Site, rng: np.random.Generator) -> Splice:
    """Put a numeric expression of the other parent in the place of an own one, where its names are bound."""
    donors = [each for each in numeric_expressions(theirs) if isinstance(each, ast.BinOp)]
    own = numeric_expressions(mine)
    for _ in range(10 if donors and own else 0):
        donor, place = pick(donors, rng), pick(own, rng)
        arrays = _arrays_of(theirs, donor), _arrays_of(mine, place)
        alike = not any(arrays) or arrays[0] & arrays[1]
        if alike and _free_names(donor) <= set(mine.names.visible_at(place)) | _BUILT_IN_NAMES:
            return [mine.file.with_expression(place, donor)]
    return []


def _arrays_of(site: Site, node: ast.AST) -> set[str]:
    return {name for name in loaded_names(node) if site.names.holds(name) is Holds.ARRAY}


def arguments_of(node: ast.AST) -> set[str]:
    """Names of all parameters anywhere in the node."""
    return {each.arg for each in walked(node) if isinstance(each, ast.arg)}


def _free_names(node: ast.AST) -> set[str]:
    """Names that the node needs from outside."""
    own = {each.target for each in walked(node) if isinstance(each, ast.comprehension)}
    inner = {name.id for target in own for name in walked(target) if isinstance(name, ast.Name)}
    if isinstance(node, ast.For):
        inner |= {name.id for name in walked(node.target) if isinstance(name, ast.Name)}
    return loaded_names(node) - inner


CROSSINGS: tuple[tuple[Crossing, float], ...] = (
    (blended, 2.0),
    (function_grafted, 2.0),
    (statement_grafted, 1.0),
    (expression_grafted, 1.0),
)
_WEIGHTS = np.array([weight for _, weight in CROSSINGS])


class PythonCrossover:
    """Makes children of the first parent with something of the second in them."""

    name = "crossover"
    n_parents = 2

    def __init__(self, *, n_children: int = 1) -> None:
        self.n_children = n_children

    def propose(
        self,
        parents: Sequence[Candidate],
        inspirations: Sequence[Candidate],
        rng: np.random.Generator,
    ) -> Proposing:
        """Yields nothing; gives no children if the parents are the same program or have no file in common.

        Where the archive has only one parent to give, an inspiration stands in for the second.
        """
        yield from ()
        first = parents[0]
        partners = [each for each in (*parents[1:], *inspirations) if each.fingerprint != first.fingerprint]
        if not partners:
            return []
        second = partners[0]
        mine, theirs = open_files(first.files), open_files(second.files)
        names = [name for name in mine if name in theirs and mine[name].normal_form != theirs[name].normal_form]
        children: list[Proposal] = []
        for _ in range(N_TRIES * self.n_children if names else 0):
            if len(children) == self.n_children:
                break
            name = pick(names, rng)
            child = _child(first.files, name, (mine[name], theirs[name]), rng)
            if child is not None and child != second.files and all(child != other.files for other in children):
                children.append(Proposal(files=child, parent_ids=(first.id, second.id)))
        return children


def _child(
    files: Mapping[str, str], name: str, both: tuple[PythonFile, PythonFile], rng: np.random.Generator
) -> dict[str, str] | None:
    mine, theirs = both
    crossing = CROSSINGS[int(rng.choice(len(CROSSINGS), p=_WEIGHTS / _WEIGHTS.sum()))][0]
    return changed_files(files, name, mine, mine.spliced(crossing(site_of(mine), site_of(theirs), rng)))

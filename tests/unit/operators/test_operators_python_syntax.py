"""Reading syntax trees gives what the standard library gives, to the letter and in its order."""

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from evolve.operators import python_crossover, python_names, python_statements
from evolve.operators.python_syntax import dumped, walked

WHOLE: dict[str, Any] = {"show_empty": True} if sys.version_info >= (3, 13) else {}
TEXTS = (
    "",
    "pass",
    "x: int = 1_000\ny = 0x10, 1e400, 2j, ..., None, True, b'b', u'kind', 'it\\'s'",
    "def f(a, /, b=1, *c: int, d, e=None, **g) -> None:\n    'doc'\n    return (yield a), -b",
    "async def f():\n    async with a as b, c:\n        await d\n    async for e in f: pass",
    "match x:\n    case None: pass\n    case {'a': 1, **b}: pass\n    case [1, *_] | A(b=True): pass\n    case _: pass",
    "print(f'{x!r:>{width}} {y=}', *a, b='', **{'a': 1, **b})\nx[1:2, ::3, ...] = [i for i in j if k for l in m]",
    "try:\n    (a := 1)\nexcept* E as e:\n    raise F from e\nelse:\n    del a\nfinally:\n    pass",
    "class A(B, c=C):\n    @d\n    def e(self): global f; g = lambda *a, b=2: b\nfrom . import (x as y)\nimport z.w",
    "while a < b <= c is not d: a += b @ c // d; break\nelse: assert a, 'b'\nif a: pass\nelif b: pass",
    *(Path(module.__file__ or "").read_text() for module in (ast, python_crossover, python_names, python_statements)),
)


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_a_tree_is_written_and_walked_as_the_standard_library_does_it(place: int) -> None:
    tree = ast.parse(TEXTS[place])
    assert dumped(tree) == ast.dump(tree, **WHOLE)
    assert all(mine is theirs for mine, theirs in zip(walked(tree), ast.walk(tree), strict=True))


def test_parts_of_a_tree_can_be_written_too() -> None:
    statement = ast.parse("a = b").body[0]
    assert dumped(statement) == "Assign(targets=[Name(id='a', ctx=Store())], value=Name(id='b', ctx=Load()))"


def test_what_cannot_be_written_raises_what_the_standard_library_raises() -> None:
    deep: ast.expr = ast.Constant(1)
    for _ in range(100_000):
        deep = ast.UnaryOp(ast.USub(), deep)
    long = ast.parse("0x" + "f" * 10_000)

    with pytest.raises(ValueError, match="limit"):
        dumped(long)
    with pytest.raises(RecursionError):
        dumped(deep)
    while isinstance(
        deep, ast.UnaryOp
    ):  # taken apart by hand: so deep a tree would overflow the stack when it is freed
        deep = deep.operand

"""Reading syntax trees: what `ast.walk` and `ast.dump` give, for half of their time.

Operators and the gate read every tree several times; with them that is most of what a candidate costs the controller.
"""

import ast

_NOTHING = object()


def walked(tree: ast.AST) -> list[ast.AST]:
    """The node and all below it, level by level, as `ast.walk` gives them."""
    found = [tree]
    for node in found:  # it grows under way
        for name in node._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                found.extend([each for each in value if isinstance(each, ast.AST)])
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


def dumped(node: object) -> str:
    """The tree as a string, as `ast.dump` of Python 3.11 writes it.

    Raises:
        RecursionError: it is nested too deeply.
        ValueError: a whole number in it is too long to be written as a decimal one.
    """
    kind = node.__class__
    if isinstance(node, ast.Name):
        return f"Name(id={node.id!r}, ctx={node.ctx.__class__.__name__}())"
    if isinstance(node, ast.Constant) and node.kind is None:
        return f"Constant(value={node.value!r})"
    if isinstance(node, ast.AST):
        parts = []
        for name in node._fields:
            value = getattr(node, name, _NOTHING)
            if value is None and getattr(kind, name, _NOTHING) is None:
                continue  # an optional part that is not there
            if value is not _NOTHING:
                parts.append(f"{name}={dumped(value)}")
        return f"{kind.__name__}({', '.join(parts)})"
    if kind is list:
        return f"[{', '.join([dumped(each) for each in node])}]" if node else "[]"  # type: ignore[attr-defined]
    return repr(node)

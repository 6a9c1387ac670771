"""An update rule as pseudo-code in LaTeX: its syntax tree line by line, formulas where they can be read as such."""

import ast
from collections.abc import Iterator

from evolve.export.heading import printable

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("{} + {}", 1),
    ast.Sub: ("{} - {}", 1),
    ast.Mult: (r"{} \cdot {}", 2),
    ast.Mod: (r"{} \bmod {}", 2),
    ast.MatMult: (r"{} \, {}", 2),
}
_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: r"\le",
    ast.Gt: ">",
    ast.GtE: r"\ge",
    ast.Eq: "=",
    ast.NotEq: r"\ne",
    ast.In: r"\in",
    ast.NotIn: r"\notin",
    ast.Is: "=",
    ast.IsNot: r"\ne",
}
_FUNCTIONS = {
    **{
        name: rf"\{name}"
        for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "max", "min")
    },
    "maximum": r"\max",
    "minimum": r"\min",
}
_ATOM = 3
_TO_TEXT = {
    **{each: rf"\{each}" for each in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def latex_rule(function: ast.FunctionDef, namespace: str) -> str:
    """The rule in a `tabbing` environment; `namespace` is what it calls its array library."""
    names = [_name(each.arg) for each in function.args.args if each.arg != namespace]
    title = rf"\textbf{{function}} {_text(function.name)}(${', '.join(names)}$)"
    lines = [title, *(f"{level}{line}" for level, line in _Writer(namespace).lines(function.body, 1))]
    body = " \\\\\n".join(f"  {line}" for line in lines)
    return f"\\begin{{tabbing}}\n  \\quad\\=\\quad\\=\\quad\\=\\quad\\=\\quad\\=\\kill\n{body}\n\\end{{tabbing}}\n"


class _Writer:
    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def lines(self, body: list[ast.stmt], level: int) -> Iterator[tuple[str, str]]:
        """Every statement with its tab stops; what has no formula stands as Python."""
        tabs = r"\>" * min(level, 5)
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    continue
                case ast.Assign(targets=[target], value=value):
                    yield tabs, rf"${self._formula(target)} \gets {self._formula(value)}$"
                case ast.AugAssign(target=target, op=operator, value=value):
                    both = ast.BinOp(left=target, op=operator, right=value)
                    yield tabs, rf"${self._formula(target)} \gets {self._formula(both)}$"
                case ast.Return(value=ast.expr() as value):
                    yield tabs, rf"\textbf{{return}} ${self._formula(value)}$"
                case ast.If(test=test, body=inner, orelse=otherwise):
                    yield tabs, rf"\textbf{{if}} ${self._formula(test)}$ \textbf{{then}}"
                    yield from self.lines(inner, level + 1)
                    if otherwise:
                        yield tabs, r"\textbf{else}"
                        yield from self.lines(otherwise, level + 1)
                case ast.For(target=target, iter=iterable, body=inner):
                    yield tabs, rf"\textbf{{for}} ${self._formula(target)} \in {self._formula(iterable)}$ \textbf{{do}}"
                    yield from self.lines(inner, level + 1)
                case _:
                    for line in ast.unparse(statement).splitlines():
                        yield tabs, rf"\texttt{{{_text(line)}}}"

    def _formula(self, node: ast.expr) -> str:
        return self._bound(node)[0]

    def _within(self, node: ast.expr, binding: int) -> str:
        text, own = self._bound(node)
        return text if own >= binding else rf"\left({text}\right)"

    def _bound(self, node: ast.expr) -> tuple[str, int]:
        """A formula, and how tightly it binds."""
        for read in (self._atom, self._operation, self._comparison, self._call):
            found = read(node)
            if found is not None:
                return found
        return rf"\texttt{{{_text(ast.unparse(node))}}}", _ATOM

    def _atom(self, node: ast.expr) -> tuple[str, int] | None:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return _number(value)
            case ast.Name(id=name):
                return _name(name), _ATOM
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                return _slot(name, key), _ATOM
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == self._namespace:
                return {"pi": r"\pi", "inf": r"\infty"}.get(name, rf"\mathrm{{{_text(name)}}}"), _ATOM
            case ast.Tuple(elts=parts):
                return self._listed(parts), 0
        return None

    def _operation(self, node: ast.expr) -> tuple[str, int] | None:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"-{self._within(operand, 2)}", 1
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return rf"\lnot {self._within(operand, _ATOM)}", 1
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return rf"\frac{{{self._formula(left)}}}{{{self._formula(right)}}}", _ATOM
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                is_plain = isinstance(left, ast.Name | ast.Constant)
                base = self._within(left, _ATOM) if is_plain else rf"\left({self._formula(left)}\right)"
                return f"{base}^{{{self._formula(right)}}}", _ATOM
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                form, binding = _BINARY[type(operator)]
                tight = binding if isinstance(operator, ast.Add) else binding + 1
                return form.format(self._within(left, binding), self._within(right, tight)), binding
        return None

    def _comparison(self, node: ast.expr) -> tuple[str, int] | None:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return f"{self._within(left, 1)} {_COMPARED[type(operator)]} {self._within(right, 1)}", 0
            case ast.BoolOp(op=operator, values=values):
                sign = r" \land " if isinstance(operator, ast.And) else r" \lor "
                return sign.join(self._within(value, 1) for value in values), 0
            case ast.IfExp(test=test, body=body, orelse=other):
                one, condition, another = (self._formula(part) for part in (body, test, other))
                return rf"{one} \text{{ if }} {condition} \text{{ else }} {another}", 0
        return None

    def _call(self, node: ast.expr) -> tuple[str, int] | None:
        if not isinstance(node, ast.Call) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr="get"),
                args=[ast.Constant(value=str() as key), first],
            ):
                return rf"\left({_slot(owner, key)} \text{{, at first }} {self._formula(first)}\right)", _ATOM
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if owner == self._namespace:
                return self._array_call(name, node.args), _ATOM
            case ast.Call(func=ast.Name(id=name)):
                return rf"\mathrm{{{_text(name)}}}\left({self._listed(node.args)}\right)", _ATOM
        return None

    def _array_call(self, name: str, arguments: list[ast.expr]) -> str:
        if name == "sqrt" and len(arguments) == 1:
            return rf"\sqrt{{{self._formula(arguments[0])}}}"
        if name in ("abs", "absolute") and len(arguments) == 1:
            return rf"\left|{self._formula(arguments[0])}\right|"
        if name == "square" and len(arguments) == 1:
            return rf"\left({self._formula(arguments[0])}\right)^{{2}}"
        if name == "zeros_like":
            return "0"
        word = _FUNCTIONS.get(name, rf"\operatorname{{{_text(name)}}}")
        return rf"{word}\left({self._listed(arguments)}\right)"

    def _listed(self, arguments: list[ast.expr]) -> str:
        return ", ".join(self._formula(argument) for argument in arguments)


def _slot(owner: str, key: str) -> str:
    return rf"\mathrm{{{_text(owner)}}}_{{\mathrm{{{_text(key)}}}}}"


def _name(name: str) -> str:
    return name if len(name) == 1 and name != "_" else rf"\mathrm{{{_text(name)}}}"


def _number(value: int | float) -> tuple[str, int]:
    digits, _, exponent = repr(value).partition("e")
    if exponent:
        power = f"10^{{{int(exponent)}}}"
        return (power if digits == "1" else rf"{digits} \cdot {power}"), 2
    return digits, _ATOM


def _text(text: str) -> str:
    """Text that TeX sets as it is; what does not print becomes an escape."""
    return "".join(_TO_TEXT.get(each, each) for each in printable(text))

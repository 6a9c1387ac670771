"""Statements and expressions of the symbolic language, from syntax tree to instructions."""

import ast
import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.precise import read_pair
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.step import OTHER_NAMES, returned_values
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_NEG, OP_SUB, REAL, Function, Signature, Vocabulary

MAX_NESTING: Final = 100

_SYMBOL_OF: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.Mod: "%",
    ast.FloorDiv: "//",
}
_HINT_OF: Final = {"min": "minimum", "max": "maximum", "sqr": "square", "ln": "log"}


@dataclass(frozen=True, slots=True)
class _Literal:
    value: float
    low: float = 0.0


@dataclass(frozen=True, slots=True)
class _Register:
    number: int
    type: str
    negated: bool = False


_Value = _Literal | _Register


class Source:
    """A program's text, to look up how a literal was written."""

    def __init__(self, text: str) -> None:
        self._lines = [line.encode() for line in re.split(r"\r\n|\r|\n", text)]

    def text_of(self, node: ast.Constant) -> str:
        """A number's literal in decimal; its value's shortest one should it not be there."""
        if isinstance(node.value, float) and node.lineno <= len(self._lines):
            text = self._lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode(errors="replace")
            try:
                if float(text) == node.value:
                    return text
            except ValueError:
                pass
        return repr(node.value)


def refuse(line: int, what: str) -> NoReturn:
    """Reject the text, naming the line.

    Raises:
        CandidateSyntaxError: always.
    """
    raise CandidateSyntaxError(f"line {line}: {what}")


class ProgramBuilder:
    """Turns the body of one function into instructions, checking names and types as it goes."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        type_of_input: Mapping[str, str],
        source: Source,
        named: Sequence[str] | None = None,
    ) -> None:
        """Begin with the inputs; of a vocabulary with state the text sees only those that its signature `named`."""
        self._vocabulary = vocabulary
        self._source = source
        self._words = {function.name for function in vocabulary.functions}
        self._position_of = {id(function): position for position, function in enumerate(vocabulary.functions)}
        self._inputs = tuple(type_of_input)
        self._named_inputs = self._inputs if named is None else tuple(named)
        self._value_of: dict[str, _Value] = {
            name: _Register(number, type_)
            for number, (name, type_) in enumerate(type_of_input.items())
            if name in self._named_inputs
        }
        self._constants: list[_Literal] = []
        self._instructions: list[Instruction] = []

    def program(self, function: ast.FunctionDef) -> Program:
        """The whole program.

        Raises:
            CandidateSyntaxError: a statement or an expression leaves the language.
        """
        for name in (function.name, *self._inputs):
            self._check_name(name, function.lineno)
        output: int | None = None
        for statement in function.body:
            if output is not None:
                refuse(statement.lineno, "a statement after `return`: `return` must be the last line")
            if isinstance(statement, ast.Return):
                output = self._returned(statement)
            else:
                self._statement(statement)
        if output is None:
            refuse(function.lineno, "the function has no `return`: end it with `return` and an expression")
        return Program(
            name=function.name,
            inputs=self._inputs,
            constants=tuple(constant.value for constant in self._constants),
            instructions=tuple(self._instructions),
            output=output,
            constants_low=tuple(constant.low for constant in self._constants),
            n_slots=0 if self._vocabulary.signature is None else len(self._vocabulary.signature.slots),
        )

    def _returned(self, statement: ast.Return) -> int:
        if self._vocabulary.signature is not None:
            return self._step(statement, self._vocabulary.signature)
        if statement.value is None:
            refuse(statement.lineno, "`return` without an expression")
        return self._operand(self._plain(self._value(statement.value, 0), statement.lineno))

    def _step(self, statement: ast.Return, signature: Signature) -> int:
        """The last word of a program with state: slots that the text does not name are handed through."""
        slots = [name for name in self._named_inputs if name in signature.slots]
        expressions = returned_values(statement, slots)
        values = [self._plain(self._value(expression, 0), expression.lineno) for expression in expressions]
        new_value_of = dict(zip(("", *slots), values, strict=True))
        wanted = dict(
            zip(("", *signature.slots), self._vocabulary.functions[signature.word].argument_types, strict=True)
        )
        for name, value in new_value_of.items():
            if _types(value) != (wanted[name],):
                what = f"the new `{name}`" if name else "the update (the first value)"
                number = ": a number becomes one by `0 * g + number`" if _types(value) == (REAL,) else ""
                refuse(statement.lineno, f"{what} is a {_types(value)[0]}, it must be a {wanted[name]}{number}")
        handed_through = {
            name: _Register(number, signature.type_of(name))
            for number, name in enumerate(signature.inputs)
            if name in signature.slots
        }
        operands = tuple(self._operand({**handed_through, **new_value_of}[name]) for name in wanted)
        self._instructions.append(Instruction(signature.word, operands))
        return len(self._inputs) + len(self._instructions) - 1

    def _statement(self, statement: ast.stmt) -> None:
        line = statement.lineno
        targets: list[ast.expr]
        match statement:
            case ast.Expr(value=ast.Constant(value=str())):
                return
            case ast.Assign(targets=targets, value=expression):
                value = self._value(expression, 0)
            case ast.AnnAssign(target=ast.Name() as name, value=ast.expr() as expression):
                targets = [name]
                value = self._value(expression, 0)
            case ast.AugAssign(target=ast.Name() as name, op=operator, value=expression):
                left = self._named(name)
                targets = [name]
                value = self._binary(operator, left, self._value(expression, 0), line)
            case _:
                refuse(line, f"`{type(statement).__name__}`: only assignments to names and one `return` are allowed")
        value = self._plain(value, line)
        for target in targets:
            if not isinstance(target, ast.Name):
                refuse(line, f"an assignment to `{type(target).__name__}`: assign to plain names")
            self._check_name(target.id, line)
            self._value_of[target.id] = value

    def _check_name(self, name: str, line: int) -> None:
        if not name.isascii():
            refuse(line, f"the name {ascii(name)[:60]}: names must be plain ASCII")
        if name in self._words:
            refuse(line, f"`{name}` is a function of the vocabulary and cannot be assigned: use another name")

    def _value(self, node: ast.expr, nesting: int) -> _Value:
        if nesting > MAX_NESTING:
            refuse(node.lineno, f"expressions nest deeper than {MAX_NESTING}: name the intermediate results")
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name():
                return self._named(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _negated(self._value(operand, nesting + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand, nesting + 1)
            case ast.BinOp(left=left, op=operator, right=right):
                values = self._value(left, nesting + 1), self._value(right, nesting + 1)
                return self._binary(operator, *values, node.lineno)
            case ast.Call():
                return self._called(node, nesting)
            case _:
                hint = ""
                if self._vocabulary.signature is not None and isinstance(node, ast.Compare | ast.IfExp | ast.BoolOp):
                    hint = ": there are no conditions, mask with agree(a, b), minimum and maximum"
                refuse(node.lineno, f"`{type(node).__name__}` in an expression{hint}; {self._allowed()}")

    def _literal(self, node: ast.Constant) -> _Literal:
        value = _nearest(node)
        if not self._vocabulary.precise_constants:
            return _Literal(value)
        return _Literal(*read_pair(self._source.text_of(node), value))

    def _named(self, node: ast.Name) -> _Value:
        value = self._value_of.get(node.id)
        if value is None:
            self._check_named(node)
            hint = self._did_you_mean(node.id, [*self._value_of, *self._function_names()])
            refuse(node.lineno, f"`{node.id[:60]}` is not defined{hint}; {self._allowed()}")
        return value

    def _check_named(self, node: ast.Name) -> None:
        """Say that an input of the vocabulary only lacks its place in the signature."""
        signature = self._vocabulary.signature
        if signature is not None and node.id in signature.inputs:
            inputs = ", ".join((*self._named_inputs, node.id))
            end = ", and return its new value too" if node.id in signature.slots else ""
            refuse(node.lineno, f"`{node.id}` is used but is no input yet: write `def update({inputs})`{end}")

    def _called(self, node: ast.Call, nesting: int) -> _Value:
        if not isinstance(node.func, ast.Name):
            refuse(
                node.lineno, f"a call of `{type(node.func).__name__}`: write a function's plain name; {self._allowed()}"
            )
        name = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            refuse(node.lineno, f"`{name[:60]}` is called with keywords or stars: pass plain arguments in order")
        functions = [f for f in self._vocabulary.functions if f.name == name]
        if not functions:
            hint = self._did_you_mean(name, self._function_names())
            refuse(node.lineno, f"the function `{name[:60]}` is not in the vocabulary{hint}; {self._allowed()}")
        values = [self._value(argument, nesting + 1) for argument in node.args]
        return self._emit(functions, [self._plain(value, node.lineno) for value in values], node.lineno)

    def _binary(self, operator: ast.operator, left: _Value, right: _Value, line: int) -> _Value:
        symbol = _SYMBOL_OF.get(type(operator), type(operator).__name__)
        functions = self._written_as(symbol, 2)
        if not functions:
            hint = ": multiply x * x instead" if symbol == "**" else ""
            refuse(line, f"the operator `{symbol}` is not in the vocabulary{hint}; {self._allowed()}")
        functions, left, right = self._without_minus(functions, left, right)
        return self._emit(functions, [self._plain(left, line), self._plain(right, line)], line)

    def _without_minus(
        self, functions: list[Function], left: _Value, right: _Value
    ) -> tuple[list[Function], _Value, _Value]:
        """Take a unary minus into the operation where that is exact: a + -b is a - b, -a * 2 is a * -2."""
        types = _types(left, right)
        opcode = next((f.opcode for f in functions if f.argument_types == types), -1)
        other = self._compiled(OP_SUB if opcode == OP_ADD else OP_ADD)
        if opcode in (OP_ADD, OP_SUB) and other and _is_negated(right):
            return other, left, _negated(right)
        if opcode == OP_ADD and other and _is_negated(left):
            return other, right, _negated(left)
        if opcode in (OP_MUL, OP_DIV) and _is_negated(left) and (isinstance(right, _Literal) or _is_negated(right)):
            return functions, _negated(left), _negated(right)
        if opcode in (OP_MUL, OP_DIV) and _is_negated(right) and isinstance(left, _Literal):
            return functions, _negated(left), _negated(right)
        return functions, left, right

    def _plain(self, value: _Value, line: int) -> _Value:
        """Write a pending unary minus as an instruction."""
        if not (isinstance(value, _Register) and value.negated):
            return value
        positive = _Register(value.number, value.type)
        negations = self._written_as("-", 1) or self._compiled(OP_NEG)
        products = self._compiled(OP_MUL)
        fits = any(function.argument_types == (value.type,) for function in negations)
        if negations and (fits or not products or value.type != REAL):
            return self._emit(negations, [positive], line)
        if not products:
            refuse(line, f"unary minus is not in the vocabulary; {self._allowed()}")
        return self._emit(products, [positive, _Literal(-1.0)], line)

    def _emit(self, functions: list[Function], arguments: list[_Value], line: int) -> _Register:
        """Append a call of the first function whose argument types fit."""
        types = _types(*arguments)
        for function in functions:
            if function.argument_types == types:
                position = self._position_of[id(function)]
                self._instructions.append(Instruction(position, tuple(self._operand(a) for a in arguments)))
                return _Register(len(self._inputs) + len(self._instructions) - 1, function.result_type)
        name = functions[0].symbol or functions[0].name
        takes = " or ".join(f"({', '.join(function.argument_types)})" for function in functions)
        refuse(line, f"`{name}` takes {takes}, got ({', '.join(types)}){self._power_hint(name)}")

    def _power_hint(self, name: str) -> str:
        return ": write square(x) or sqrt(x)" if name == "**" and self._vocabulary.signature is not None else ""

    def _operand(self, value: _Value) -> int:
        if isinstance(value, _Register):
            return value.number
        self._constants.append(value)
        return -len(self._constants)

    def _written_as(self, symbol: str, n_arguments: int) -> list[Function]:
        return [f for f in self._vocabulary.functions if f.symbol == symbol and len(f.argument_types) == n_arguments]

    def _compiled(self, opcode: int) -> list[Function]:
        return [f for f in self._vocabulary.functions if f.opcode == opcode]

    def _function_names(self) -> list[str]:
        return [function.name for function in self._vocabulary.functions]

    def _did_you_mean(self, word: str, known: list[str]) -> str:
        hinted = (_HINT_OF if self._vocabulary.signature is None else OTHER_NAMES).get(word)
        close = [hinted] if hinted in known else difflib.get_close_matches(word[:60], known, n=1)
        return f" (did you mean `{close[0]}`?)" if close else ""

    def _allowed(self) -> str:
        binary = dict.fromkeys(f.symbol for f in self._vocabulary.functions if f.symbol and len(f.argument_types) == 2)
        calls = dict.fromkeys(f"{f.name}()" for f in self._vocabulary.functions if f.symbol is None)
        words = [*(symbol for symbol in binary if symbol), *calls]
        listed = " ".join(words) if len(words) <= 40 else " ".join(words[:40]) + " ..."
        return f"allowed: names, numbers, parentheses, {listed}"


def _types(*values: _Value) -> tuple[str, ...]:
    return tuple(REAL if isinstance(value, _Literal) else value.type for value in values)


def _nearest(node: ast.Constant) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        refuse(node.lineno, f"a literal of type {type(node.value).__name__}: only int and float literals are allowed")
    try:
        value = float(node.value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        refuse(node.lineno, "a number beyond the range of float64")
    return value


def _negated(value: _Value) -> _Value:
    if isinstance(value, _Literal):
        return _Literal(-value.value, -value.low)
    return _Register(value.number, value.type, not value.negated)


def _is_negated(value: _Value) -> bool:
    return isinstance(value, _Register) and value.negated

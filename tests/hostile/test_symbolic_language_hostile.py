import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ELEMENTARY


def body(expression: str) -> str:
    return f"def f(x):\n    return {expression}\n"


HOSTILE = {
    "empty text": "",
    "nothing but blanks": " \n\t\n",
    "a hundred thousand lines": "def f(x):\n" + "    t = x + x\n" * 100_000 + "    return t\n",
    "deep parentheses": body("(" * 250 + "x" + ")" * 250),
    "very deep parentheses": body("(" * 50_000 + "x" + ")" * 50_000),
    "deep parentheses over many lines": body("(\n" * 30_000 + "x" + ")" * 30_000),
    "a long chain of minus signs": body("-" * 4_000 + "x"),
    "minus signs over many lines": body("(" + "-\n" * 40_000 + "x)"),
    "a long sum over many lines": body("(" + "x +\n" * 20_000 + "x)"),
    "a long chain of powers": body("**".join(["x"] * 1_000)),
    "deep calls": body("abs(" * 190 + "x" + ")" * 190),
    "deep indentation": "def f(x):\n" + "".join(" " * i + "if x:\n" for i in range(1, 120)) + " " * 120 + "return x\n",
    "a giant integer": body("1" + "0" * 4_200),
    "an integer beyond float64": body("1" + "0" * 400),
    "a giant hexadecimal integer": body("0x" + "f" * 3_000),
    "a float beyond float64": body("1e999"),
    "a giant exponent": body("1e" + "9" * 1_000),
    "a power of large numbers": body("9**9**9**9"),
    "a zero byte": body("x\0"),
    "a lone surrogate": body("x + \ud800"),
    "a bidirectional override": body("x \u202e+ 1"),
    "a zero width name": body("x\u200b"),
    "a look-alike name": "def f(x):\n    \u0445 = 2.0\n    return \u0445\n",
    "a fullwidth call": body("\uff45\uff56\uff41\uff4c(x)"),
    "an emoji": body("\N{PILE OF POO}"),
    "a form feed and a bell": body("\f\a"),
    "a coding cookie": "# -*- coding: utf-7 -*-\n+AAo-import os\n",
    "an escape in a name": body("\\N{LATIN SMALL LETTER X}"),
    "a keyword glued to a number": body("1if x else 2"),
    "a hexadecimal number glued to a keyword": body("0xfor x"),
    "an unclosed string": 'def f(x):\n    """\n    return x\n',
    "an f-string": body("f'{x}'"),
    "a bad escape": body("'\\d' + x"),
    "an import": "import os\n\ndef f(x):\n    return x\n",
    "an import inside": "def f(x):\n    import os\n    return x\n",
    "dunder attributes": body("x.__class__.__mro__[1].__subclasses__()"),
    "a call of a result": body("abs(x)(x)"),
    "an unknown function": body("__import__('os')"),
    "a builtin": body("eval('1')"),
    "a lambda": body("(lambda: x)()"),
    "a comprehension": body("[x for x in x]"),
    "a walrus": body("(y := x)"),
    "a comparison": body("x < 1"),
    "a boolean": body("True"),
    "a complex number": body("1j * x"),
    "a string": body("'x'"),
    "an ellipsis": body("..."),
    "star arguments": body("minimum(*x)"),
    "keyword arguments": body("abs(x=x)"),
    "too many arguments": body("abs(x, x)"),
    "no arguments": body("abs()"),
    "a subscript target": "def f(x):\n    x[0] = 1.0\n    return x\n",
    "an attribute target": "def f(x):\n    x.a = 1.0\n    return x\n",
    "a tuple target": "def f(x):\n    a, b = x, x\n    return a\n",
    "a bare annotation": "def f(x):\n    a: float\n    return a\n",
    "an assigned function name": "def f(x):\n    abs = x\n    return abs\n",
    "an input named like a function": "def f(abs):\n    return abs\n",
    "a loop": "def f(x):\n    for i in x:\n        x = x\n    return x\n",
    "an endless loop": "def f(x):\n    while 1:\n        pass\n    return x\n",
    "recursion": body("f(x)"),
    "a nested function": "def f(x):\n    def g(y):\n        return y\n    return x\n",
    "two functions": body("x") + body("x"),
    "a decorator": "@print\n" + body("x"),
    "a default": "def f(x=1):\n    return x\n",
    "a star input": "def f(*x):\n    return x\n",
    "a repeated input": "def f(x, x):\n    return x\n",
    "no input": "def f():\n    return 1.0\n",
    "an asynchronous function": "async def f(x):\n    return x\n",
    "a generator": "def f(x):\n    yield x\n",
    "a class": "class f:\n    pass\n",
    "no return": "def f(x):\n    y = x\n",
    "an empty return": "def f(x):\n    return\n",
    "two returns": "def f(x):\n    return x\n    return x\n",
    "global": "def f(x):\n    global y\n    return x\n",
    "delete": "def f(x):\n    del x\n    return x\n",
    "code after the function": body("x") + "f(1)\n",
    "a mixture of tabs and blanks": "def f(x):\n\ty = x\n        return y\n",
    "a name used before it is set": "def f(x):\n    a = b\n    b = x\n    return a\n",
    "an augmented unknown name": "def f(x):\n    a += x\n    return a\n",
    "an unknown operator": body("x @ x"),
    "a bitwise operator": body("x ^ 2"),
    "a not": body("~x"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_a_syntax_error_with_a_short_message(text: str) -> None:
    with pytest.raises(CandidateSyntaxError) as caught:
        parse(text, ELEMENTARY)

    assert 10 < len(caught.value.detail) < 700
    caught.value.detail.encode()


@given(st.text(max_size=200) | st.text(alphabet="def f(x):\n return+-*/1.e9_abs[]{}'\"\\#,;=@", max_size=200))
@settings(deadline=None)
def test_random_text_parses_or_is_a_syntax_error(text: str) -> None:
    for whole in (text, body(text), f"def f(x):\n    t = {text}\n    return t\n"):
        try:
            program = parse(whole, ELEMENTARY)
        except CandidateSyntaxError:
            continue
        assert isinstance(program, Program)


def test_deep_nesting_is_a_syntax_error_in_a_thread_with_a_small_stack() -> None:
    caught: list[str] = []

    def run() -> None:
        for name in ("very deep parentheses", "minus signs over many lines", "a long sum over many lines"):
            try:
                parse(HOSTILE[name], ELEMENTARY)
            except CandidateSyntaxError as error:
                caught.append(error.detail)

    before = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)

    assert len(caught) == 3

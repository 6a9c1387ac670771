"""Laws of evolve blocks and fingerprints, against a reader that works line by line and against Python's own tokens."""

import ast
import io
import tokenize
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.operators.blocks import blocks_of, outside_of, outside_unchanged
from evolve.operators.python_file import PythonFile, changed_files, open_files
from evolve.operators.python_fingerprint import normal_form, python_fingerprint
from sandbox.errors import CandidateSyntaxError
from tests.extent import examples

LINES = st.sampled_from(
    [
        "# EVOLVE-BLOCK-START",
        "# EVOLVE-BLOCK-END",
        "  #EVOLVE-BLOCK-START of the search",
        "\t# \t EVOLVE-BLOCK-END.",
        "# EVOLVE-BLOCK-STARTS",
        "# EVOLVE-BLOCK-ENDING",
        "# evolve-block-start",
        "x = 1  # EVOLVE-BLOCK-START",
        "## EVOLVE-BLOCK-START",
        "x = 'ü∑'",
        "\f",
        "",
        "    y = 2",
    ]
)
LINE_ENDS = st.sampled_from(["\n", "\r\n"])


def marker_of(line: str) -> str:
    """`START`, `END` or nothing: what the line marks, read without a regular expression."""
    words = line.strip(" \t\r\n")
    if not words.startswith("#"):
        return ""
    words = words[1:].lstrip(" \t")
    for word in ("START", "END"):
        mark = f"EVOLVE-BLOCK-{word}"
        rest = words[len(mark) : len(mark) + 1]
        if words.startswith(mark) and not (rest.isalnum() or rest == "_"):
            return word
    return ""


def by_line_feeds(text: str) -> list[str]:
    """The text's lines with their ends; only a line feed ends a line."""
    pieces = text.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def read_by_lines(text: str) -> tuple[list[str], list[str]] | None:
    """The blocks and what stands around them; None where the markers do not pair up."""
    outside, inside = [""], []
    is_open = False
    for line in by_line_feeds(text):
        mark = marker_of(line)
        if mark == ("START" if is_open else "END"):
            return None
        if mark == "START":
            outside[-1] += line
            inside.append("")
            is_open = True
        elif mark == "END":
            outside.append(line)
            is_open = False
        elif is_open:
            inside[-1] += line
        else:
            outside[-1] += line
    return None if is_open else (inside, outside)


@given(lines=st.lists(LINES, max_size=10), end=LINE_ENDS, last=st.booleans())
@settings(max_examples=examples(60), deadline=None)
def test_blocks_are_what_a_reader_of_lines_finds(lines: Sequence[str], end: str, *, last: bool) -> None:
    text = end.join(lines) + (end if last else "")
    expected = read_by_lines(text)

    if expected is None:
        with pytest.raises(CandidateSyntaxError, match=r"line \d+: "):
            blocks_of(text)
        assert not outside_unchanged(text, text + "x")
        assert outside_unchanged(text, text)
        return
    inside, outside = expected
    assert [text[block.start : block.end] for block in blocks_of(text)] == inside
    assert list(outside_of(text)) == outside


SAFE = st.text(max_size=20).filter(lambda text: "EVOLVE" not in text)
INSIDE = SAFE.map(lambda text: text.replace("\r", "") + "\n")


@given(pieces=st.lists(st.tuples(SAFE, INSIDE, INSIDE), max_size=4), end=SAFE)
@settings(max_examples=examples(60), deadline=None)
def test_whatever_is_written_into_the_blocks_the_outside_is_unchanged(
    pieces: Sequence[tuple[str, str, str]], end: str
) -> None:
    def text_with(which: int) -> str:
        parts = [f"{piece[0]}\n# EVOLVE-BLOCK-START\n{piece[which]}# EVOLVE-BLOCK-END\n" for piece in pieces]
        return "".join(parts) + end

    parent, child = text_with(1), text_with(2)

    assert outside_unchanged(parent, child)
    assert outside_unchanged(child, parent)
    assert outside_of(parent) == outside_of(child)
    assert len(blocks_of(child)) == len(pieces)


@given(before=INSIDE, body=INSIDE, after=INSIDE, extra=st.sampled_from([" ", "#", "\t", "x", "\n"]))
@settings(max_examples=examples(40), deadline=None)
def test_one_letter_more_outside_is_noticed_wherever_it_stands(before: str, body: str, after: str, extra: str) -> None:
    parent = f"{before}# EVOLVE-BLOCK-START\n{body}# EVOLVE-BLOCK-END\n{after}"

    assert not outside_unchanged(parent, extra + parent)
    assert not outside_unchanged(parent, parent + extra)
    assert not outside_unchanged(parent, parent.replace("# EVOLVE-BLOCK-END\n", f"# EVOLVE-BLOCK-END{extra}\n", 1))


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("", []),
        ("# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END", [""]),
        ("# EVOLVE-BLOCK-START\r\nx = 1\r\n# EVOLVE-BLOCK-END\r\n", ["x = 1\r\n"]),
        ("def f():\n\t# EVOLVE-BLOCK-START\n\tpass\n\t# EVOLVE-BLOCK-END\n", ["\tpass\n"]),
        ("#EVOLVE-BLOCK-START (rates)\n# ü\n#EVOLVE-BLOCK-END (rates)", ["# ü\n"]),
        ("# EVOLVE-BLOCK-START\na\n# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n", ["a\n", ""]),
        ("\ufeff# EVOLVE-BLOCK-START\n", []),
    ],
)
def test_blocks_of_odd_but_right_texts(text: str, bodies: list[str]) -> None:
    assert [text[block.start : block.end] for block in blocks_of(text)] == bodies


def test_a_file_without_blocks_is_not_open_and_a_broken_one_closes_all() -> None:
    good, fixed, broken = "# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n", "x = 1\n", "# EVOLVE-BLOCK-END\n"

    assert list(open_files({"b.py": good, "a.py": good, "c.py": fixed})) == ["a.py", "b.py"]
    assert open_files({"a.py": good, "b.py": broken}) == {}
    assert open_files({"a.py": good, "b.py": "x = \n"}) == {}
    assert open_files({}) == {}


LEGAL = "x = 0\n# EVOLVE-BLOCK-START\ny = 1\n# EVOLVE-BLOCK-END\n"


@pytest.mark.parametrize(
    "child",
    [
        LEGAL,
        LEGAL.replace("y = 1", "y  =  1  # one"),
        LEGAL.replace("y = 1", "(y) = 1"),
        LEGAL.replace("y = 1", "y ="),
        LEGAL.replace("y = 1", "return 1"),
        LEGAL.replace("y = 1", "y = 2").replace("x = 0", "x = 9"),
        LEGAL.replace("y = 1", "y = 2\n# EVOLVE-BLOCK-START"),
        LEGAL.replace("y = 1", f"y = '{'a' * 200_000}'"),
    ],
)
def test_a_child_that_is_no_legal_or_no_other_program_is_none(child: str) -> None:
    assert changed_files({"a.py": LEGAL, "b.py": ""}, "a.py", PythonFile(LEGAL), child) is None


def test_a_legal_child_keeps_the_other_files() -> None:
    child = LEGAL.replace("y = 1", "y = 2")

    assert changed_files({"a.py": LEGAL, "b.py": "z"}, "a.py", PythonFile(LEGAL), child) == {"a.py": child, "b.py": "z"}


EQUAL = [
    ("x = 1\n", "x = 1"),
    ("x = 1\n", "\n\n# words\nx = (1)  ;\n"),
    ("x = 1\r\ny = 2\r\n", "x = 1; y = 2"),
    ("x = 'a'\n", 'x = "a"\n'),
    ("x = 'ab'\n", "x = 'a' 'b'\n"),
    ("x = 0x10\n", "x = 1_6\n"),
    ("x = 1.50\n", "x = 15e-1\n"),
    ("x = [1, 2,]\n", "x = [\n1,\n2]\n"),
    ("def f():\n    'words'\n", "def f():\n\tpass\n"),
    ("class C:\n    '''words'''\n    x = 1\n", "class C: x = 1"),
    ("async def f():\n    'words'\n    return 1\n", "async def f(): return 1"),
    ("'words'\nx = 1\n", "x = 1\n"),
    ("if a:\n    pass\nelif b:\n    pass\n", "if a:\n    pass\nelse:\n    if b:\n        pass\n"),
]
UNEQUAL = [
    ("x = 1\n", "x = 1.0\n"),
    ("x = 1\n", "x = True\n"),
    ("x = 0.0\n", "x = -0.0\n"),
    ("x = 'a'\n", "x = b'a'\n"),
    ("x = a + b\n", "x = b + a\n"),
    ("x = (1)\n", "x = (1,)\n"),
    ("x = 1\ny = 2\n", "y = 2\nx = 1\n"),
    ("def f():\n    'words'\n    'more words'\n", "def f():\n    'words'\n"),
    ("def f():\n    x = 'words'\n", "def f():\n    pass\n"),
    ("def f(a, b): pass", "def f(a, *, b): pass"),
    ("def f(): pass", "async def f(): pass"),
    ("x: int = 1\n", "x = 1\n"),
    ("x = f'{a}'\n", "x = f'{a!r}'\n"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_layout_comments_and_docstrings_do_not_tell_programs_apart(left: str, right: str) -> None:
    assert python_fingerprint({"a.py": left}) == python_fingerprint({"a.py": right})


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_everything_else_tells_programs_apart(left: str, right: str) -> None:
    assert python_fingerprint({"a.py": left}) != python_fingerprint({"a.py": right})


@pytest.mark.parametrize("files", [{"a": "b = 1", "c": ""}, {"a": "", "c": "b = 1"}, {"c": "b = 1"}])
def test_it_matters_which_file_says_what(files: dict[str, str]) -> None:
    others = [{"a": "b = 1", "c": ""}, {"a": "", "c": "b = 1"}, {"c": "b = 1"}]

    assert [python_fingerprint(other) == python_fingerprint(files) for other in others].count(True) == 1


def test_the_order_in_which_files_are_given_does_not_matter() -> None:
    assert python_fingerprint({"a": "x = 1", "b": "y = 2"}) == python_fingerprint({"b": "y = 2", "a": "x = 1"})


STATEMENTS = st.sampled_from(
    [
        "x = 1 + 2 * y",
        "def f(a, b=2):\n    'Words.'\n    return a[b:1]",
        "for k in range(3):\n    print(k, end='')",
        "class C(D):\n    z: int = 3",
        "if x < 3 and not y:\n    x -= 1\nelse:\n    pass",
        "with open(x) as y, z:\n    raise E from None",
        "x = [i ** 2 for i in y if i] or {1: 'ü', **z}",
        "x = (lambda *a, **k: a)(1, *b, c=2)",
    ]
)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=4).map("\n".join)


@given(text=PROGRAMS)
@settings(max_examples=examples(40), deadline=None)
def test_a_program_printed_anew_is_the_same_program(text: str) -> None:
    assert python_fingerprint({"a": ast.unparse(ast.parse(text))}) == python_fingerprint({"a": text})


@given(text=PROGRAMS, words=st.text("abc ü#'\"\\", max_size=8))
@settings(max_examples=examples(40), deadline=None)
def test_a_comment_behind_every_line_is_not_seen(text: str, words: str) -> None:
    remarked = "".join(f"{line}  # {words}\n" for line in text.split("\n"))

    assert normal_form(remarked) == normal_form(text)


@given(left=PROGRAMS, right=PROGRAMS)
@settings(max_examples=examples(60), deadline=None)
def test_two_programs_are_the_same_exactly_if_they_print_alike(left: str, right: str) -> None:
    def printed(text: str) -> str:
        return ast.unparse(ast.parse(text.replace("    'Words.'\n", "")))

    is_same = python_fingerprint({"a": left}) == python_fingerprint({"a": right})

    assert is_same == (printed(left) == printed(right))


@given(text=PROGRAMS, end=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=examples(40), deadline=None)
def test_the_text_of_a_node_reads_back_as_the_node(text: str, end: str) -> None:
    file = PythonFile(text.replace("\n", end))

    for node in ast.walk(file.tree):
        if isinstance(node, ast.expr) and not isinstance(node, ast.Slice | ast.Starred):
            again = ast.parse(f"({file.source(node)})", mode="eval").body
            assert ast.unparse(again) == ast.unparse(node)


@given(text=PROGRAMS)
@settings(max_examples=examples(30), deadline=None)
def test_names_and_numbers_stand_where_the_tokens_are(text: str) -> None:
    file = PythonFile(f"# EVOLVE-BLOCK-START\n{text}\n# EVOLVE-BLOCK-END\n")
    words = {token.string for token in tokenize.generate_tokens(io.StringIO(file.text).readline)}

    leaves = [node for node in file.nodes if isinstance(node, ast.Name | ast.Constant)]

    assert leaves
    assert all(file.source(node) in words for node in leaves)
    assert all(file.is_open(node) for node in file.nodes)
    assert file.spliced([]) == file.text

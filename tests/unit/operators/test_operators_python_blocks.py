import pytest

from evolve.config.python_text import parse_python, require_compiles
from evolve.operators.blocks import blocks_of, outside_of, outside_unchanged
from evolve.operators.python_fingerprint import python_fingerprint
from sandbox.errors import CandidateSyntaxError

TEXT = "a = 1\n# EVOLVE-BLOCK-START\nb = 2\n# EVOLVE-BLOCK-END\nc = 3\n"


def test_a_block_is_what_stands_between_the_marker_lines() -> None:
    (block,) = blocks_of(TEXT)

    assert TEXT[block.start : block.end] == "b = 2\n"


def test_the_outside_has_one_piece_more_than_there_are_blocks() -> None:
    assert outside_of(TEXT) == ("a = 1\n# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-END\nc = 3\n")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n", "line 2: an evolve block opens inside"),
        ("x = 1\n# EVOLVE-BLOCK-END\n", "line 2: # EVOLVE-BLOCK-END without"),
        ("# EVOLVE-BLOCK-START\nx = 1\n", "line 1: this evolve block is never closed"),
    ],
)
def test_markers_that_do_not_pair_up_are_errors_that_name_the_line(text: str, what: str) -> None:
    with pytest.raises(CandidateSyntaxError, match=what):
        blocks_of(text)


def test_a_change_inside_a_block_is_allowed() -> None:
    assert outside_unchanged(TEXT, TEXT.replace("b = 2", "b = [\n    2,\n]"))


@pytest.mark.parametrize(
    "child",
    [
        TEXT.replace("a = 1", "a = 2"),
        TEXT.replace("c = 3", "c = 3 "),
        TEXT.replace("# EVOLVE-BLOCK-START", "#  EVOLVE-BLOCK-START"),
        TEXT.replace("b = 2\n", "# EVOLVE-BLOCK-END\nd = 4\n# EVOLVE-BLOCK-START\nb = 2\n"),
        TEXT.replace("# EVOLVE-BLOCK-END\n", ""),
        TEXT + "# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n",
        TEXT.replace("\n", "\r\n"),
    ],
)
def test_a_change_outside_of_the_blocks_is_noticed(child: str) -> None:
    assert not outside_unchanged(TEXT, child)


def test_comments_docstrings_and_layout_do_not_change_the_fingerprint() -> None:
    plain = {"a.py": "def f(x):\n    return (x + 1)\n"}
    dressed = {"a.py": '"""Module."""\n\n\ndef f( x ):  # adds\n    """Add."""\n    return x+1\n'}

    assert python_fingerprint(plain) == python_fingerprint(dressed)


@pytest.mark.parametrize("other", ["def f(x):\n    return x + 1.0\n", "def f(x):\n    return 1 + x\n"])
def test_other_syntax_trees_have_other_fingerprints(other: str) -> None:
    assert python_fingerprint({"a.py": "def f(x):\n    return x + 1\n"}) != python_fingerprint({"a.py": other})


def test_the_files_names_are_part_of_the_fingerprint() -> None:
    assert python_fingerprint({"a.py": "x = 1"}) != python_fingerprint({"b.py": "x = 1"})


@pytest.mark.parametrize(
    "text", ["def", "x = \x00", "(" * 5000, "-" * 100_000 + "1", "x = 1\n  y = 2", "\ud800", "9" * 5000]
)
def test_hostile_text_is_a_syntax_error_and_nothing_else(text: str) -> None:
    with pytest.raises(CandidateSyntaxError):
        parse_python(text)


@pytest.mark.parametrize("text", ["return 1", "break", "def f():\n    x = 1\n    global x\n", "f(a=1, a=2)"])
def test_text_that_parses_may_still_not_compile(text: str) -> None:
    with pytest.raises(CandidateSyntaxError):
        require_compiles(text)


def test_text_that_python_warns_about_is_read_quietly() -> None:
    require_compiles('x = 1 is 1\ny = "\\d"\n')


NESTS = {
    "function": "def f():\n    {}",
    "method": "class A:\n    def f(self):\n        {}",
    "async": "async def f():\n    {}",
    "if": "if x:\n    def f():\n        {}",
    "else": "if x:\n    pass\nelse:\n    def f():\n        {}",
    "loop": "for x in y:\n    while x:\n        def f():\n            {}",
    "end of a loop": "for x in y:\n    pass\nelse:\n    def f():\n        {}",
    "try": "try:\n    def f():\n        {}\nexcept E:\n    pass",
    "except": "try:\n    pass\nexcept E:\n    def f():\n        {}",
    "finally": "try:\n    pass\nfinally:\n    class A:\n        {}",
    "with": "with x:\n    def f():\n        {}",
    "case": "match x:\n    case 1:\n        def f():\n            {}",
}


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS)
def test_docstrings_do_not_change_the_fingerprint_wherever_they_stand(nest: str) -> None:
    bare, documented, other = (
        python_fingerprint({"a.py": nest.format(text)}) for text in ("pass", "'doc'", "y = 'doc'")
    )

    assert bare == documented != other

"""Laws of diffs: applied and reversed is the source; outside never changes; never half-applied."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.config.python_text import blocks_of
from evolve.operators.blocks import outside_unchanged
from evolve.operators.writing.diff import Edit, parse_diff
from evolve.operators.writing.diff_apply import apply_diff
from evolve.operators.writing.reply_error import ReplyError

WORDS = st.sampled_from(["a", "  b", "\tc", "", "x = 1", "```", "é∑", "pass", "file a.py"])
HEAD, TAIL = "import math\n# EVOLVE-BLOCK-START\n", "# EVOLVE-BLOCK-END\nprint(math)\n"


def numbered(words: list[str], mark: str) -> list[str]:
    """Lines that are all different, so that each fits one place."""
    return [f"{word} # {mark}{number}" for number, word in enumerate(words)]


def text_of(lines: list[str]) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines) + TAIL


def written(edits: list[Edit]) -> str:
    """The edits as a reply."""
    parts = [
        "\n".join(["seed.py", "<<<<<<< SEARCH", *each.search, "=======", *each.replace, ">>>>>>> REPLACE"])
        for each in edits
    ]
    return "\n\n".join(parts)


@st.composite
def programs_and_edits(draw: st.DrawFn) -> tuple[list[str], list[Edit]]:
    """Different lines, and edits of parts of them that share no line."""
    lines = numbered(draw(st.lists(WORDS, min_size=1, max_size=12)), "old")
    n_cuts = draw(st.integers(1, min(4, len(lines))))
    places = sorted(draw(st.sets(st.integers(0, len(lines)), min_size=n_cuts + 1, max_size=n_cuts + 1)))
    edits: list[Edit] = []
    for number, (start, end) in enumerate(pairwise(places)):
        if draw(st.booleans()) or not edits:
            new = numbered(draw(st.lists(WORDS, min_size=1, max_size=4)), f"new{number}-")
            edits.append(Edit(search=tuple(lines[start:end]), replace=tuple(new), file="seed.py"))
    return lines, draw(st.permutations(edits))


@given(programs_and_edits())
def test_a_diff_applied_and_reversed_is_the_source(case: tuple[list[str], list[Edit]]) -> None:
    lines, edits = case
    source = {"seed.py": text_of(lines)}
    open_parts = {"seed.py": blocks_of(source["seed.py"])}

    changed = apply_diff(parse_diff(written(edits), ["seed.py"]), source, open_parts)
    back = [Edit(search=each.replace, replace=each.search, file=each.file) for each in edits]
    restored = apply_diff(parse_diff(written(back), ["seed.py"]), changed, {"seed.py": blocks_of(changed["seed.py"])})

    assert changed != source
    assert outside_unchanged(source["seed.py"], changed["seed.py"])
    assert restored == source


@given(programs_and_edits(), st.sampled_from(["no such line", "import math", "# EVOLVE-BLOCK-END"]))
def test_one_edit_that_cannot_be_applied_leaves_no_trace_of_the_others(
    case: tuple[list[str], list[Edit]], bad: str
) -> None:
    lines, edits = case
    source = {"seed.py": text_of(lines)}
    before = dict(source)

    with pytest.raises(ReplyError):
        apply_diff([*edits, Edit(search=(bad,), replace=("x",))], source, {"seed.py": blocks_of(source["seed.py"])})

    assert source == before


@given(
    st.lists(WORDS, min_size=1, max_size=8),
    st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, max_size=3)), min_size=1, max_size=3),
)
def test_any_diff_is_applied_inside_the_blocks_or_refused(
    lines: list[str], pairs: list[tuple[list[str], list[str]]]
) -> None:
    source = {"seed.py": text_of(lines)}
    edits = [Edit(search=tuple(search), replace=tuple(replace)) for search, replace in pairs]

    try:
        changed = apply_diff(edits, source, {"seed.py": blocks_of(source["seed.py"])})
    except ReplyError:
        return

    assert changed != source
    assert outside_unchanged(source["seed.py"], changed["seed.py"])

"""Untrusted text stays behind its fence, whatever it holds; templates say at once what is wrong with them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.errors import ProblemError
from evolve.operators.writing.prompt_templates import PLACEHOLDERS, Templates, load_templates, mistakes_in
from evolve.operators.writing.prompt_text import fenced, n_tokens, number, one_line, shortened, visible
from evolve.operators.writing.reply import fenced_blocks


@given(st.text(st.sampled_from("`~ \n\tab\x1b\r\u202e"), max_size=60))
def test_no_text_leaves_its_fence(text: str) -> None:
    quoted = fenced(text, info="text message")

    blocks = fenced_blocks(f"before\n{quoted}\nafter", [])

    assert [block.text for block in blocks] == [visible(text).removesuffix("\n") + "\n"]


def test_characters_that_do_not_print_are_shown_by_number() -> None:
    assert visible("a\x1b[31m\x00\u202e\r\nb\tc\r\ud800") == "a<U+001B>[31m<U+0000><U+202E>\nb\tc<U+000D><U+D800>"


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    text = "".join(f"line {i}\n" for i in range(1000))

    short = shortened(text, 200)

    assert len(short) < 260
    assert short.startswith("line 0\nline 1\n")
    assert short.endswith("line 998\nline 999\n")
    assert "characters left out" in short


@given(st.text("ab\n", max_size=80), st.integers(10, 60))
def test_shortening_says_how_much_is_left_out(text: str, limit: int) -> None:
    short = shortened(text, limit)

    if len(text) <= limit:
        assert short == text
    else:
        head, note, tail = short.partition("\n... ")
        n_left_out, _, tail = (note + tail).removeprefix("\n... ").partition(" characters left out ...\n")
        assert len(head) + len(tail) + int(n_left_out) == len(text)
        assert text.startswith(head)
        assert text.endswith(tail)


def test_a_name_is_one_line_without_backticks() -> None:
    assert one_line("a\n```b\x00" + "c" * 80, 20) == "a '''b<U+0000>ccccc…"


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (0.1 + 0.2, "0.3"), (1e300, "1e+300"), ("fast", "fast")])
def test_numbers_are_short(value: float | str, text: str) -> None:
    assert number(value) == text


def test_tokens_are_counted_up() -> None:
    assert [n_tokens("x" * n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]


def test_the_templates_in_the_box_are_right_and_none_is_missing() -> None:
    templates = load_templates()

    assert templates.texts.keys() == PLACEHOLDERS.keys()
    assert [mistake for name, text in templates.texts.items() for mistake in mistakes_in(name, text, name)] == []


def test_every_placeholder_of_the_templates_in_the_box_can_be_filled() -> None:
    templates = load_templates()

    for name, (required, optional) in PLACEHOLDERS.items():
        filled = templates.fill(name, {word: f"<{word}>" for word in required | optional})
        assert "$" not in filled
        for word in required:
            assert f"<{word}>" in filled


def test_values_are_not_searched_for_placeholders() -> None:
    templates = Templates({"retry": "Wrong: $problem and $$5"})

    assert templates.fill("retry", {"problem": "$problem $other $"}) == "Wrong: $problem $other $ and $5"


def test_a_paragraph_that_is_an_empty_placeholder_leaves_no_gap() -> None:
    templates = Templates({"diff": "$parent\n\n$inspirations\n\n$failures\n\n$answer"})

    assert templates.fill("diff", {"parent": "P", "answer": "A\n\n\nB"}) == "P\n\nA\n\n\nB"


def own(folder: Path, **texts: str) -> Path:
    (folder / "prompts").mkdir()
    for name, text in texts.items():
        (folder / "prompts" / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_a_problem_has_its_own_templates_for_some(tmp_path: Path) -> None:
    templates = load_templates(own(tmp_path, retry="Again: $problem", README="about $nothing"))

    assert templates.texts["retry"] == "Again: $problem"
    assert templates.texts["diff"] == load_templates().texts["diff"]


def test_all_mistakes_in_templates_are_told_at_once(tmp_path: Path) -> None:
    folder = own(tmp_path, retry="Again: $problm", dif="x", diff="$parent costs 5$ $answer", idea="no places")

    with pytest.raises(ProblemError) as caught:
        load_templates(folder)

    message = str(caught.value)
    assert 'retry.md: unknown placeholder $problm, expected $problem; did you mean "problem"?' in message
    assert "retry.md: the placeholder $problem is missing" in message
    assert "dif.md: there is no template of this name" in message
    assert 'did you mean "diff"?' in message
    assert "diff.md: a $ without a name behind it: write $$" in message
    assert "idea.md: the placeholder $parent is missing" in message


def test_a_template_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    (own(tmp_path) / "prompts" / "diff.md").write_bytes(b"\xff\xfe")

    with pytest.raises(ProblemError, match="cannot be read as UTF-8"):
        load_templates(tmp_path)


def test_directions_are_read_paragraph_by_paragraph() -> None:
    assert Templates({"directions_python": "One\nwish.\n\n\nAnother.\n"}).paragraphs("directions_python") == (
        "One wish.",
        "Another.",
    )

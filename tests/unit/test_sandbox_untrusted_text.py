from sandbox.untrusted_text import MAX_DETAIL, tame


def test_what_steers_a_terminal_or_hides_in_print_is_dropped() -> None:
    assert tame("a\x1b[2J\x00\r\x9b\u202eb\u200b\n\tc") == "a[2Jb\n\tc"


def test_other_letters_stay() -> None:
    assert tame("größer ≥ 数 🎉") == "größer ≥ 数 🎉"


def test_of_a_long_text_the_end_stays() -> None:
    text = tame("x" * 10 * MAX_DETAIL + "the end")
    assert len(text) == MAX_DETAIL
    assert text.startswith("... ")
    assert text.endswith("the end")

"""Where a problem is looked for, which of two problems of one name is taken, and the words of a mistake."""

import datetime
from pathlib import Path

import pytest

from evolve import errors
from evolve.config.locate import find_problem, shipped_problems
from evolve.config.mistakes import GOT_WIDTH, Mistake, did_you_mean, listing, one_of, shown
from evolve.config.validation import key_of
from evolve.errors import EvolveError, ProblemError


def problem_in(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir(parents=True)
    (folder / "problem.toml").touch()
    return folder


def test_the_first_folder_of_the_search_path_wins(tmp_path: Path) -> None:
    first, second = problem_in(tmp_path / "one", "small"), problem_in(tmp_path / "two", "small")

    assert find_problem("small", search_path=[tmp_path / "one", tmp_path / "two"]) == first
    assert find_problem("small", search_path=[tmp_path / "two", tmp_path / "one"]) == second


@pytest.mark.parametrize("name", sorted(shipped_problems()))
def test_a_users_problem_hides_a_shipped_one_of_the_same_name(tmp_path: Path, name: str) -> None:
    own = problem_in(tmp_path, name)

    assert find_problem(name, search_path=[tmp_path]) == own
    assert find_problem(name) == shipped_problems()[name].resolve()


def test_a_folder_here_hides_the_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = problem_in(tmp_path / "here", "small"), problem_in(tmp_path / "there", "small")
    monkeypatch.chdir(tmp_path / "here")

    assert find_problem("small", search_path=[there.parent]) == here


def test_a_folder_here_that_is_no_problem_does_not_hide_a_known_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = problem_in(tmp_path / "home", "small")
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)

    assert find_problem("small", search_path=[known.parent]) == known


def test_the_way_to_a_problem_ends_at_the_real_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = problem_in(tmp_path, "small")
    (tmp_path / "link").symlink_to(real)
    monkeypatch.chdir(real)

    assert find_problem(tmp_path / "link") == find_problem(".") == find_problem("problem.toml") == real


def test_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = problem_in(tmp_path, "small")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_problem("~/small") == folder


@pytest.mark.parametrize("name", ["~nobody-of-this-name", "a" * 300, "a\0b", ""])
def test_a_name_that_no_folder_can_have_is_unknown_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ProblemError):
        find_problem(name)


def test_a_search_path_that_is_not_there_holds_no_problems(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="known problems: "):
        find_problem("zzzz", search_path=[tmp_path / "gone"])


def test_an_unknown_name_is_answered_with_all_that_are_known(tmp_path: Path) -> None:
    problem_in(tmp_path, "aaa")

    with pytest.raises(ProblemError) as caught:
        find_problem("zzzz", search_path=[tmp_path])

    assert caught.value.message == 'no problem "zzzz"'
    for name in ("aaa", *shipped_problems()):
        assert name in caught.value.hint


@pytest.mark.parametrize(
    ("mistake", "line"),
    [
        (Mistake(key="a.b", expected="this key"), "a.b: expected this key"),
        (Mistake(key="a.b", expected="text", got="3"), "a.b: got 3, expected text"),
        (Mistake(key="a", expected="text", got="3", hint="turn it"), "a: got 3, expected text; turn it"),
        (Mistake(key="a", expected="text", hint="turn it"), "a: expected text; turn it"),
    ],
)
def test_a_mistake_is_one_line(mistake: Mistake, line: str) -> None:
    assert str(mistake) == line
    assert listing([mistake, mistake]) == f"  {line}\n  {line}"


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("sed", ["seed", "search"], 'did you mean "seed"?'),
        ("SEED", ["seed"], 'did you mean "seed"?'),
        ("readme.md", ["README.md"], 'did you mean "README.md"?'),
        ("zzzz", ["seed", "search"], ""),
        ("seed", [], ""),
        ("", ["seed"], ""),
    ],
)
def test_the_nearest_word_is_offered_in_its_own_case(word: str, known: list[str], answer: str) -> None:
    assert did_you_mean(word, known) == answer


def test_a_choice_is_written_as_a_sentence_would() -> None:
    assert [one_of(["a"]), one_of(["a", "b"]), one_of(["a", "b", "c"])] == ['"a"', '"a" or "b"', '"a", "b" or "c"']


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("ä\n  b", '"ä\\n b"'),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        ("x" * (GOT_WIDTH - 2), f'"{"x" * (GOT_WIDTH - 2)}"'),
        ("x" * (GOT_WIDTH - 1), f'"{"x" * (GOT_WIDTH - 2)}…'),
    ],
)
def test_a_value_is_shown_as_the_file_would_write_it(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(shown(value)) <= GOT_WIDTH


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ((), ""),
        (("archive", "axes", 1, "linear", "low"), "archive.axes[1].low"),
        (("archive", "axes", 0, "edges", "edges", 2), "archive.axes[0].edges[2]"),
        (("archive", "axes", 0, "categories", "categories", 0), "archive.axes[0].categories[0]"),
        (("evaluator", "stages", 3, "name"), "evaluator.stages[3].name"),
        (("linear",), "linear"),
    ],
)
def test_a_place_is_written_as_a_person_writes_the_key(location: tuple[int | str, ...], key: str) -> None:
    assert key_of(location) == key


def error_classes() -> list[type[EvolveError]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, EvolveError)]


@pytest.mark.parametrize("kind", error_classes())
def test_an_error_says_what_happened_and_on_the_next_line_what_to_do(kind: type[EvolveError]) -> None:
    assert str(kind("it broke")) == "it broke"
    assert str(kind("it broke", hint="mend it")) == "it broke\nmend it"
    assert (kind("it broke", hint="mend it").message, kind("it broke").hint) == ("it broke", "")


def test_exit_codes_tell_errors_apart_except_two_that_are_both_the_callers() -> None:
    code_of = {kind.__name__: kind.exit_code for kind in error_classes()}

    assert code_of.pop("ProblemError") == code_of["UsageError"]
    assert len(set(code_of.values())) == len(code_of)
    assert all(0 < code < 126 for code in code_of.values())

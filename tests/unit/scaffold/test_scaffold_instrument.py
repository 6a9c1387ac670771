"""What is added to programs, run here without a sandbox: the programs are ours."""

from typing import Any

import numpy as np
import pytest

from evolve.scaffold.cheats import FORGERIES, OUTPUTS, TRIVIAL, UNFIT, Cheat, noisy, nudged, slow
from evolve.scaffold.instrument import MARK, Watch, watch_of, watched, with_body, with_text, with_text_everywhere

SEED = """
def helper(x):
    return x * 2.0


def rows(n):
    return [[float(i), helper(float(i))] for i in range(n)]


def order(n):
    return list(range(n))


def table():
    return {"score": 1.0, "points": [0.5, 0.25]}


def nothing():
    return None
"""


def loaded(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "seed"}
    exec(compile(text, "seed.py", "exec"), space)
    return space


def cheating(cheat: Cheat) -> dict[str, Any]:
    return loaded(with_body({"seed.py": SEED}, "seed.py", cheat.body)["seed.py"])


def cheat_named(name: str) -> Cheat:
    return next(each for each in (*FORGERIES, *TRIVIAL) if each.name == name)


def test_a_watched_program_answers_as_before_and_tells_what_it_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    space = loaded(watched({"seed.py": SEED}, "seed.py")["seed.py"])

    answers = [space["rows"](2), space["rows"](2), space["rows"](3)]

    assert answers == [loaded(SEED)["rows"](n) for n in (2, 2, 3)]
    watch = watch_of(capsys.readouterr().out)
    assert (watch.calls, watch.again, watch.inputs, watch.names) == (3, 1, 1, ("rows",))
    assert watch.form == "list of 3: list of 2: float"


def test_questions_are_told_apart_and_equal_ones_are_equal(capsys: pytest.CaptureFixture[str]) -> None:
    firsts = []
    for argument in (np.arange(3.0), np.arange(3.0), np.arange(4.0), [0.0, 1.0, 2.0]):
        space = loaded(watched({"seed.py": "def f(x):\n    return 1.0\n"}, "seed.py")["seed.py"])
        space["f"](argument)
        firsts.append(watch_of(capsys.readouterr().out).first)

    assert firsts[0] == firsts[1]
    assert len(set(firsts)) == 3


@pytest.mark.parametrize(
    "output",
    [
        "",
        MARK,
        f"{MARK}{{}}",
        f'{MARK}{{"names": 3}}',
        f'{MARK}{{"names": [], "surprise": 1}}',
        f"{MARK}{'[' * 5000}",
        f"x {MARK}" + '{"names": ["f"], "calls": 1}',
    ],
)
def test_output_that_is_no_watch_is_an_empty_watch(output: str) -> None:
    assert watch_of(output) == Watch()


def test_a_cut_line_leaves_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    space = loaded(watched({"seed.py": SEED}, "seed.py")["seed.py"])
    space["rows"](1)
    whole = capsys.readouterr().out

    assert watch_of(f'{whole}\n{MARK}{{"calls": 7, "na').calls == 1


def test_a_nudge_moves_every_float_or_one_column() -> None:
    everything = cheating(nudged(size=0.5, column=None))
    second = cheating(nudged(size=0.5, column=1))

    assert everything["rows"](3) == [[0.0, 0.0], [1.5, 3.0], [3.0, 6.0]]
    assert second["rows"](3) == [[0.0, 0.0], [1.0, 3.0], [2.0, 6.0]]
    assert everything["order"](3) == [0, 1, 2]
    assert everything["nothing"]() is None


def test_a_nudge_moves_arrays_by_their_last_axis() -> None:
    text = "import numpy as np\n\n\ndef f():\n    return np.ones((2, 3))\n"

    moved = loaded(with_body({"seed.py": text}, "seed.py", nudged(size=0.5, column=2).body)["seed.py"])["f"]()

    assert moved.tolist() == [[1.0, 1.0, 1.5], [1.0, 1.0, 1.5]]


def test_noise_spoils_floats_and_swaps_whole_numbers_the_same_way_each_time() -> None:
    space, twin = cheating(noisy(1.0, 1)), cheating(noisy(1.0, 1))

    assert space["rows"](4) == twin["rows"](4) != loaded(SEED)["rows"](4)
    assert sorted(space["order"](9)) == list(range(9))
    assert twin["order"](9) != list(range(9))
    with pytest.raises(RuntimeError, match=UNFIT):
        space["nothing"]()


def test_claims_replace_single_numbers_and_leave_the_rest() -> None:
    space = cheating(cheat_named("claimed_numbers"))

    assert space["table"]() == {"score": 987654321.0, "points": [0.5, 0.25]}
    with pytest.raises(RuntimeError, match=UNFIT):
        space["rows"](2)


BLOCKS = """
# EVOLVE-BLOCK-START
def f():
    return g()


# EVOLVE-BLOCK-END


def g():
    # EVOLVE-BLOCK-START
    return 1
    # EVOLVE-BLOCK-END


TABLE = [
    # EVOLVE-BLOCK-START
    1,
    # EVOLVE-BLOCK-END
]
"""


def test_a_trap_stands_at_the_end_and_in_every_block_where_a_statement_fits() -> None:
    text = with_text_everywhere({"seed.py": BLOCKS}, "seed.py", "try:\n    seen.append(1)\nexcept NameError: pass")[
        "seed.py"
    ]
    space: dict[str, Any] = {"seen": []}

    exec(text, space)

    assert space["f"]() == 1
    assert space["seen"] == [1, 1, 1]
    assert text.count("seen.append") == 3


def test_a_slow_program_answers_all_the_same() -> None:
    assert cheating(slow(0.0))["order"](2) == [0, 1]


@pytest.mark.parametrize("cheat", [*FORGERIES, *OUTPUTS], ids=lambda cheat: cheat.name)
def test_every_cheat_is_a_program_that_compiles(cheat: Cheat) -> None:
    files = with_text({"seed.py": SEED}, "seed.py", cheat.at_load) if cheat.at_load else {"seed.py": SEED}
    if cheat.body:
        files = with_body(files, "seed.py", cheat.body)

    compile(files["seed.py"], "seed.py", "exec")

    assert files["seed.py"].startswith(SEED)
    assert cheat.what[0].islower()


def test_cheats_have_different_names() -> None:
    names = [cheat.name for cheat in (*FORGERIES, *OUTPUTS, *TRIVIAL)]

    assert len(set(names)) == len(names)

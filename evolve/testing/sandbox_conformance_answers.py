# ruff: noqa: D102 the name of a test is its docstring
"""What every sandbox must do: what comes back from a call, and what is raised instead."""

from typing import Any

import numpy as np
import pytest

from evolve.testing.sandbox_programs import ECHO, LOOKING
from sandbox.contract import Sandbox
from sandbox.errors import (
    CandidateCrashed,
    CandidateNotFinite,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
)
from sandbox.wire import PlainDataError


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


class AnswersConformance:
    """The part of `SandboxConformance` about answers and errors."""

    # what comes back

    @pytest.mark.parametrize(
        "value",
        [None, True, 0, -(10**30), 0.1, -0.0, 5e-324, "", 'ünïcode \u2028 \\ "', [], {}, [[1, 2.0], {"$a": {"$": 1}}]],
        ids=repr,
    )
    def test_plain_data_comes_back_equal_and_of_the_same_type(self, sandbox: Sandbox, value: Any) -> None:
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", value)
        assert answer == value
        assert type(answer) is type(value)

    @pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u1", "u8", "f2", "f4", "f8", ">f8"])
    @pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)], ids=str)
    def test_arrays_come_back_equal_with_shape_and_type(
        self, sandbox: Sandbox, dtype: str, shape: tuple[int, ...]
    ) -> None:
        value = np.arange(int(np.prod(shape)), dtype="f8").reshape(shape).astype(dtype)
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", {"nested": [value, 1, value.T]})
        np.testing.assert_array_equal(answer["nested"][0], value)
        np.testing.assert_array_equal(answer["nested"][2], value.T)
        assert answer["nested"][0].dtype == value.dtype.newbyteorder("<")
        assert answer["nested"][0].shape == shape

    def test_a_large_array_makes_the_round_trip(self, sandbox: Sandbox) -> None:
        value = np.arange(1 << 20, dtype=np.float64)
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", value)
            assert answer.flags.writeable
            np.testing.assert_array_equal(session.call("echo", answer), value)

    def test_tuples_become_lists_and_numpy_scalars_numbers(self, sandbox: Sandbox) -> None:
        text = "import numpy as np\ndef f():\n    return (np.float32(0.5), np.int8(3), np.bool_(True), np.str_('x'))\n"
        with sandbox.start({"main.py": text}) as session:
            answer = session.call("f")
        assert answer == [0.5, 3, True, "x"]
        assert [type(item) for item in answer] == [float, int, bool, str]

    def test_files_import_each_other(self, sandbox: Sandbox) -> None:
        files = {
            "solver.py": "from parts.tools import twice\nimport numbers_of_mine\n"
            "def solve(x):\n    return twice(x) + numbers_of_mine.ONE\n",
            "parts/tools.py": "def twice(x):\n    return 2 * x\n",
            "numbers_of_mine.py": "ONE = 1\n",
        }
        with sandbox.start(files) as session:
            assert session.call("solve", 20) == 41
        with sandbox.start(files, entry="parts/tools.py") as session:
            assert session.call("twice", 4) == 8

    def test_a_session_remembers_and_its_neighbour_does_not_know(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as first, sandbox.start({"main.py": LOOKING}) as second:
            first.call("remember", "secret")
            assert first.call("remembered") == "secret"
            assert second.call("remembered") is None
        with sandbox.start({"main.py": LOOKING}) as third:
            assert third.call("remembered") is None

    def test_every_session_starts_from_the_same_random_state(self, sandbox: Sandbox) -> None:
        text = (
            "import random\nimport numpy as np\n"
            "def draw():\n    return [random.random(), np.random.rand(), str({'a', 'b', 'c', 'd'})]\n"
        )
        draws = []
        for _ in range(2):
            with sandbox.start({"main.py": text}) as session:
                draws.append(session.call("draw"))
        assert draws[0] == draws[1]

    def test_what_is_printed_can_be_read(self, sandbox: Sandbox) -> None:
        text = (
            "import sys\nprint('loading')\n"
            "def f():\n    print('\\033[31mout\\x00')\n    print('err', file=sys.stderr)\n"
        )
        with sandbox.start({"main.py": text}) as session:
            session.call("f")
            assert session.output == "loading\n[31mout\nerr\n"

    # what is raised

    def test_an_exception_comes_with_its_traceback_and_the_session_goes_on(self, sandbox: Sandbox) -> None:
        text = "def f(x):\n    return 1 / x\n"
        with sandbox.start({"main.py": text}) as session:
            with pytest.raises(CandidateRaised) as caught:
                session.call("f", 0)
            assert session.call("f", 2) == 0.5
        assert 'File "main.py", line 2, in f\n    return 1 / x' in caught.value.detail
        assert caught.value.detail.endswith("ZeroDivisionError: division by zero\n")
        assert "sandbox" not in caught.value.detail

    def test_an_exception_while_loading_is_raised_by_start(self, sandbox: Sandbox) -> None:
        with pytest.raises(CandidateRaised, match="KeyError: 'x'"):
            sandbox.start({"main.py": "y = {}['x']\n"})

    def test_an_exception_that_cannot_be_shown_is_still_an_exception(self, sandbox: Sandbox) -> None:
        text = "class E(Exception):\n    def __str__(self):\n        raise SystemExit(self)\ndef f():\n    raise E\n"
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateRaised):
            session.call("f")

    @pytest.mark.parametrize(
        ("files", "says"),
        [
            ({"main.py": "def f(:\n"}, 'File "main.py", line 1'),
            ({"main.py": "x = 1\n", "other.py": "\nif\n"}, 'File "other.py", line 2'),
            ({"main.py": "x = 1\0"}, "null bytes"),
            ({"main.py": "x = '\udc80'"}, "not text"),
            ({"main.py": "(" * 5000 + ")" * 5000}, "nested"),
            ({"random.py": "x = 1"}, "hides the standard module 'random'"),
            ({"../main.py": "x = 1"}, "is not a module's"),
            ({"notes.txt": "x = 1"}, "is not a module's"),
            ({"a.py": "x = 1", "a/__init__.py": "x = 1"}, "one module"),
            ({}, "entry file"),
        ],
    )
    def test_text_that_cannot_be_a_program_is_a_syntax_error(
        self, sandbox: Sandbox, files: dict[str, str], says: str
    ) -> None:
        with pytest.raises(CandidateSyntaxError) as caught:
            sandbox.start(files)
        assert says in caught.value.detail

    def test_a_missing_function_is_named_with_what_there_is(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": ECHO}) as session, pytest.raises(CandidateRaised, match="did you mean 'echo'"):
            session.call("ecko")

    @pytest.mark.parametrize(
        "number", ["float('nan')", "[1.0, float('inf')]", "np.array([0.0, np.nan])", "np.float32('inf')"]
    )
    def test_an_answer_that_is_not_finite_is_refused(self, sandbox: Sandbox, number: str) -> None:
        text = f"import numpy as np\ndef f():\n    return {number}\n"
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateNotFinite):
            session.call("f")

    @pytest.mark.parametrize(
        "value",
        [
            "{1, 2}",
            "object()",
            "len",
            "{1: 2}",
            "1j",
            "b'bytes'",
            "np.array([object()])",
            "np.array([1j])",
            "np.array(['text'])",
            "np.zeros(2, dtype='f4,i4')",
            "np.datetime64('2020-01-01')",
            "10 ** 2000",
            "'\\ud800'",
            "deep(500)",
            "cycle()",
        ],
    )
    def test_an_answer_that_is_not_plain_data_is_refused(self, sandbox: Sandbox, value: str) -> None:
        text = (
            "import numpy as np\n"
            "def deep(n):\n    value = []\n    for _ in range(n):\n        value = [value]\n    return value\n"
            "def cycle():\n    value = []\n    value.append(value)\n    return value\n"
            f"def f():\n    return {value}\n"
        )
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateResultInvalid):
            session.call("f")

    @pytest.mark.parametrize(
        "value",
        [{1, 2}, float("nan"), nested(40), {3: 4}, np.array([object()])],
        ids=["set", "nan", "deep", "number keys", "objects"],
    )
    def test_arguments_that_are_not_plain_data_are_the_callers_mistake(self, sandbox: Sandbox, value: Any) -> None:
        with sandbox.start({"main.py": ECHO}) as session:
            with pytest.raises(PlainDataError):
                session.call("echo", value)
            assert session.call("echo", 1) == 1

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("raise SystemExit(3)", "status 3"),
            ("import os; os._exit(0)", "status 0"),
            ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
            ("import os; os.abort()", "SIGABRT|SIGSEGV"),  # the first process of a namespace gets no SIGABRT
        ],
    )
    def test_a_process_that_ends_without_an_answer_has_crashed(
        self, sandbox: Sandbox, statement: str, says: str
    ) -> None:
        with sandbox.start({"main.py": f"def f():\n    print('last words')\n    {statement}\n"}) as session:
            with pytest.raises(CandidateCrashed, match=says) as caught:
                session.call("f")
            assert "last words" in caught.value.detail
            with pytest.raises(CandidateCrashed, match=says):
                session.call("f")

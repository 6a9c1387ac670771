"""A real confined process, asked what it sees: the limits it got, the interpreter it finds, the errors it reports."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.errors import CandidateCrashed, CandidateOutputLimit, CandidateRaised, CandidateSyntaxError, SandboxError
from sandbox.filetree import SCRATCH
from sandbox.jail import ADDRESS_BYTES_PER_THREAD, N_OWN_FILES, N_UIDS
from sandbox.layers import Layer, Level
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from sandbox.wire import HEADER, PlainDataError, encode
from tests.sandboxes import children_of, sandbox_at

pytestmark = pytest.mark.xdist_group("sandbox-child")  # one sandbox for all tests
needs_own_uid = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give candidates another uid")

LOOK = """
import ctypes, os, resource, signal, sys

def limits():
    names = ("CPU", "AS", "DATA", "FSIZE", "NOFILE", "CORE", "NPROC")
    return {name: list(resource.getrlimit(getattr(resource, "RLIMIT_" + name))) for name in names}

def raise_limit(name):
    soft, hard = resource.getrlimit(getattr(resource, "RLIMIT_" + name))
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (soft + 1, hard + 1))

def status():
    libc = ctypes.CDLL(None)
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    return {
        "no_new_privs": libc.prctl(39, 0, 0, 0, 0), "dumpable": libc.prctl(3, 0, 0, 0, 0),
        "effective": data[0] | data[3] << 32, "permitted": data[1] | data[4] << 32,
        "inheritable": data[2] | data[5] << 32,
        "ids": [*os.getresuid(), *os.getresgid()], "groups": os.getgroups(),
    }

def death_signal():
    number = ctypes.c_int(-1)
    ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)  # PR_GET_PDEATHSIG
    return number.value

def handlers():
    return {name: signal.getsignal(getattr(signal, name)).name for name in ("SIGCHLD", "SIGXCPU", "SIGTERM", "SIGINT")}

def place():
    return {
        "sid": os.getsid(0) == os.getpid(), "group": os.getpgrp() == os.getpid(), "parent": os.getppid(),
        "pid": os.getpid(), "uid": os.getuid(), "folder": os.getcwd(), "home": os.environ["HOME"],
        "environment": dict(os.environ), "argv": sys.argv + sys.orig_argv,
        "bytecode": sys.dont_write_bytecode, "modules": sorted(n for n, m in sys.modules.items() if m is not None),
    }

def make_file():
    os.mkdir("mine")
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def strong() -> Iterator[ProcessSandbox]:
    """Without namespaces: each session has a folder of its own among ours."""
    with sandbox_at(Level.STRONG) as sandbox:
        yield sandbox


def ask(sandbox: ProcessSandbox, function: str, *, limits: Limits | None = None) -> Any:
    with sandbox.start({"look.py": LOOK}, limits=limits) as session:
        return session.call(function)


def detail_of(sandbox: ProcessSandbox, text: str, *args: Any) -> str:
    """What the error of calling `f` says."""
    with sandbox.start({"main.py": text}) as session:
        with pytest.raises(CandidateRaised) as caught:
            session.call("f", *args)
        return caught.value.detail


# the jail


def test_limits_without_a_choice_are_the_same_for_all_and_cannot_be_raised(sandbox: ProcessSandbox) -> None:
    limits = ask(sandbox, "limits", limits=Limits(n_files=33))

    assert limits["FSIZE"] == [0, 0]
    assert limits["CORE"] == [0, 0]
    assert limits["NOFILE"] == [33 + N_OWN_FILES] * 2
    assert all(soft == hard for soft, hard in limits.values())


@pytest.mark.parametrize(("seconds", "whole"), [(0.1, 1), (1.0, 1), (1.01, 2), (59.5, 60)])
def test_cpu_seconds_are_rounded_up_to_whole_ones(sandbox: ProcessSandbox, seconds: float, whole: int) -> None:
    limits = ask(sandbox, "limits", limits=Limits(cpu_seconds=seconds))

    assert limits["CPU"] == [whole, whole]


def test_a_byte_more_of_memory_is_a_byte_more_of_both_memory_limits(sandbox: ProcessSandbox) -> None:
    less = ask(sandbox, "limits", limits=Limits(memory_bytes=300 * MEBIBYTE))
    more = ask(sandbox, "limits", limits=Limits(memory_bytes=500 * MEBIBYTE + 4096))

    for name in ("AS", "DATA"):
        assert more[name][0] - less[name][0] == 200 * MEBIBYTE + 4096
    assert less["AS"][0] > less["DATA"][0] > 300 * MEBIBYTE


def test_threads_bring_room_for_their_stacks_and_arenas_but_no_data(sandbox: ProcessSandbox) -> None:
    one = ask(sandbox, "limits", limits=Limits(n_threads=1))
    four = ask(sandbox, "limits", limits=Limits(n_threads=4))

    assert four["AS"][0] - one["AS"][0] == 3 * ADDRESS_BYTES_PER_THREAD
    assert four["DATA"] == one["DATA"]


def test_the_largest_file_is_as_large_as_the_scratch_folder(sandbox: ProcessSandbox) -> None:
    assert ask(sandbox, "limits", limits=Limits(scratch_bytes=12345))["FSIZE"] == [12345, 12345]


@pytest.mark.parametrize("name", ["CPU", "AS", "DATA", "NOFILE", "NPROC", "CORE", "FSIZE"])
def test_a_candidate_cannot_lift_a_limit(sandbox: ProcessSandbox, name: str) -> None:
    with sandbox.start({"look.py": LOOK}) as session:
        with pytest.raises(CandidateRaised, match=r"not allowed to raise|Operation not permitted"):
            session.call("raise_limit", name)

        assert session.call("limits")[name][0] < 1 << 40


@needs_own_uid
def test_with_a_uid_of_its_own_the_number_of_processes_is_counted_from_zero(sandbox: ProcessSandbox) -> None:
    limits = ask(sandbox, "limits", limits=Limits(n_processes=7))

    assert limits["NPROC"] == [7, 7]


def test_no_new_rights_can_be_won_and_at_most_one_is_kept(sandbox: ProcessSandbox) -> None:
    status = ask(sandbox, "status")

    assert status["no_new_privs"] == 1
    assert status["dumpable"] == 0
    assert status["effective"] == status["permitted"] in (0, 1 << 2)  # the right to read files, as some roots have to
    assert status["inheritable"] == 0


@needs_own_uid
def test_user_and_group_are_the_same_unused_number_in_all_three_places(sandbox: ProcessSandbox) -> None:
    status = ask(sandbox, "status")

    assert len(set(status["ids"])) == 1
    assert status["ids"][0] >= 1000
    assert status["groups"] == []


def test_the_process_dies_with_its_server(sandbox: ProcessSandbox) -> None:
    assert ask(sandbox, "death_signal") == signal.SIGKILL


def test_signals_are_as_at_the_start_of_a_program_and_an_interrupt_is_the_controllers(sandbox: ProcessSandbox) -> None:
    handlers = ask(sandbox, "handlers")

    assert handlers == {
        "SIGCHLD": "SIG_DFL",
        "SIGXCPU": "SIG_DFL",
        "SIGTERM": "SIG_DFL",
        "SIGINT": "SIG_IGN",
    }


# what it sees


def test_the_process_leads_a_session_of_its_own_below_the_server(strong: ProcessSandbox) -> None:
    place = ask(strong, "place")

    assert place["sid"]
    assert place["group"]
    assert place["parent"] == strong.server_pid


def test_with_a_namespace_the_process_is_the_first_and_has_no_parent(sandbox: ProcessSandbox) -> None:
    if Layer.PID_NAMESPACE not in sandbox.layers:
        pytest.skip(f"no process namespaces here: {sandbox.report[Layer.PID_NAMESPACE]}")

    place = ask(sandbox, "place")

    assert (place["pid"], place["parent"]) == (1, 0)
    assert place["sid"]
    assert place["group"]


def test_the_environment_is_exactly_the_one_we_wrote(sandbox: ProcessSandbox) -> None:
    place = ask(sandbox, "place", limits=Limits(n_threads=3))

    assert place["environment"].pop("HOME") == place["environment"].pop("TMPDIR") == place["folder"]
    assert place["environment"] == {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "3",
        "OPENBLAS_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
        "NUMBA_NUM_THREADS": "3",
    }


def test_no_argument_or_module_tells_of_the_sandbox(sandbox: ProcessSandbox) -> None:
    place = ask(sandbox, "place")

    assert set(place["argv"]) == {""}
    assert place["bytecode"]
    assert not [name for name in place["modules"] if name.partition(".")[0] in ("sandbox", "evolve", "evaluators")]
    assert {"look", "numpy"} <= set(place["modules"])


def test_each_session_has_a_home_of_its_own_that_goes_with_it(strong: ProcessSandbox) -> None:
    with strong.start({"look.py": LOOK}) as first, strong.start({"look.py": LOOK}) as second:
        places = [session.call("place") for session in (first, second)]
        homes = {Path(place["home"]) for place in places}
        assert all(home.is_dir() for home in homes)
        assert [place["folder"] for place in places] == [place["home"] for place in places]

    assert len(homes) == 2
    assert not any(home.exists() for home in homes)


def test_in_a_file_tree_of_its_own_the_home_has_one_name_for_all(sandbox: ProcessSandbox) -> None:
    if Layer.MOUNT_NAMESPACE not in sandbox.layers:
        pytest.skip(f"no mount namespaces here: {sandbox.report[Layer.MOUNT_NAMESPACE]}")

    assert ask(sandbox, "place")["home"] == SCRATCH


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG])
def test_the_home_cannot_be_written_to(level: Level, sandbox: ProcessSandbox, strong: ProcessSandbox) -> None:
    place = sandbox if level is Level.FULL else strong
    with place.start({"look.py": LOOK}) as session, pytest.raises(CandidateRaised, match=r"Error: \[Errno"):
        session.call("make_file")


@needs_own_uid
def test_sessions_at_once_have_neighbouring_uids_and_a_free_one_is_used_again(sandbox: ProcessSandbox) -> None:
    limits = Limits(cpu_seconds=59.0)  # not those of the process that is parked, which has a uid of its own
    with sandbox.start({"look.py": LOOK}, limits=limits) as first:
        first_uid = first.call("place")["uid"]
        with sandbox.start({"look.py": LOOK}, limits=limits) as second:
            second_uid = second.call("place")["uid"]
        with sandbox.start({"look.py": LOOK}, limits=limits) as third:
            third_uid = third.call("place")["uid"]

    assert second_uid == third_uid != first_uid
    assert abs(second_uid - first_uid) < N_UIDS


# calls


def test_a_missing_function_lists_what_there_is_without_what_is_hidden(sandbox: ProcessSandbox) -> None:
    detail = detail_of(sandbox, "def solve(): pass\ndef _helper(): pass\nscore = 1\nclass Grid: pass\n")

    assert "defines no function 'f': it defines solve, Grid" in detail
    assert "_helper" not in detail


def test_a_file_without_functions_says_so(sandbox: ProcessSandbox) -> None:
    assert "it defines no function" in detail_of(sandbox, "f = 3\n")


def test_whatever_can_be_called_is_a_function(sandbox: ProcessSandbox) -> None:
    text = "import math\nclass Twice:\n    def __call__(self, x): return 2 * x\ntwice = Twice()\nroot = math.sqrt\n"
    with sandbox.start({"main.py": text}) as session:
        assert [session.call("twice", 4), session.call("root", 4)] == [8, 2.0]


def test_too_many_arguments_are_an_exception_and_the_next_call_works(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"main.py": "def f(x): return x\n"}) as session:
        with pytest.raises(CandidateRaised, match="takes 1 positional argument but 2 were given"):
            session.call("f", 1, 2)

        assert session.call("f", 1) == 1


def test_more_arguments_than_a_message_holds_never_reach_the_candidate(sandbox: ProcessSandbox) -> None:
    text = "calls = []\ndef f(x):\n    calls.append(1)\n    return len(calls)\n"
    with sandbox.start({"main.py": text}) as session:
        with pytest.raises(PlainDataError, match="use an array"):
            session.call("f", [0.5] * 1_000_001)

        assert session.call("f", np.zeros(1_000_001, dtype="u1")) == 1


@pytest.mark.parametrize("n_more", [0, 1])
def test_an_answer_may_take_all_the_bytes_it_is_allowed_and_one_more_spares_the_session(
    sandbox: ProcessSandbox, n_more: int
) -> None:
    limits = Limits(result_bytes=2000)
    n_letters = limits.result_bytes - len(encode(["ok", ""])) + HEADER.size + n_more
    with sandbox.start({"main.py": "def f(n): return 'x' * n\n"}, limits=limits) as session:
        if n_more:
            with pytest.raises(CandidateOutputLimit, match="allowed are 2000"):
                session.call("f", n_letters)
        else:
            assert session.call("f", n_letters) == "x" * n_letters

        assert session.call("f", 1) == "x"


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("sys.exit()", 0),
        ("sys.exit(7)", 7),
        ("sys.exit('text')", 1),
        ("sys.exit(-1)", 255),
        ("raise SystemExit(257)", 1),
    ],
)
def test_leaving_gives_the_status_that_an_interpreter_would_give(
    sandbox: ProcessSandbox, statement: str, status: int
) -> None:
    with (
        sandbox.start({"main.py": f"import sys\ndef f():\n    {statement}\n"}) as session,
        pytest.raises(CandidateCrashed, match=f"exit status {status} "),
    ):
        session.call("f")


@pytest.mark.parametrize(
    "name", ["KeyboardInterrupt", "BrokenPipeError", "StopIteration", "RecursionError", "EOFError"]
)
def test_whatever_is_raised_is_reported_by_its_name(sandbox: ProcessSandbox, name: str) -> None:
    assert detail_of(sandbox, f"def f():\n    raise {name}('on purpose')\n").endswith(f"{name}: on purpose\n")


def test_a_cause_is_told_with_the_exception(sandbox: ProcessSandbox) -> None:
    text = "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n"
    text += "        raise KeyError('x') from error\n"

    detail = detail_of(sandbox, text)

    assert detail.index("ZeroDivisionError") < detail.index("direct cause") < detail.index("KeyError: 'x'")


def test_an_exception_with_an_endless_text_keeps_its_end(sandbox: ProcessSandbox) -> None:
    detail = detail_of(sandbox, "def f():\n    raise ValueError('x' * 10**6 + 'the end')\n")

    assert detail.startswith("... ")
    assert detail.endswith("xthe end\n")
    assert len(detail) <= 4000


def test_an_exception_whose_text_is_half_a_surrogate_pair_is_told_in_ascii(sandbox: ProcessSandbox) -> None:
    assert detail_of(sandbox, "def f():\n    raise ValueError('\\udc80')\n").endswith("ValueError: \\udc80\n")


def test_a_candidate_that_breaks_its_own_streams_can_still_answer(sandbox: ProcessSandbox) -> None:
    text = "import sys\ndef f():\n    sys.stdout = None\n    sys.stderr = object()\n    return 5\n"
    with sandbox.start({"main.py": text}) as session:
        assert [session.call("f"), session.call("f")] == [5, 5]


def test_a_candidate_that_replaces_builtins_and_json_does_not_change_its_answers(sandbox: ProcessSandbox) -> None:
    text = "import builtins, json\ndef f():\n    json.dumps = json.loads = None\n"
    text += "    builtins.repr = None\n    return [1, 'x']\n"
    with sandbox.start({"main.py": text}) as session:
        assert [session.call("f"), session.call("f")] == [[1, "x"], [1, "x"]]


# files


def test_relative_imports_and_packages_work_as_on_disk(sandbox: ProcessSandbox) -> None:
    files = {
        "main.py": "from parts import total\n",
        "parts/__init__.py": "from .deep.inner import ONE\nfrom . import other\ndef total(): return ONE + other.TWO\n",
        "parts/other.py": "TWO = 2\n",
        "parts/deep/inner.py": "ONE = 1\n",
    }
    with sandbox.start(files) as session:
        assert session.call("total") == 3


def test_files_that_import_each_other_in_a_circle_load_as_on_disk(sandbox: ProcessSandbox) -> None:
    files = {
        "a.py": "import b\ndef f(): return b.g() + 1\ndef h(): return 10\n",
        "b.py": "import a\ndef g(): return a.h()\n",
    }
    with sandbox.start(files) as session:
        assert session.call("f") == 11


def test_a_file_that_nobody_imports_is_compiled_but_not_run(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"main.py": "def f(): return 1\n", "unused.py": "raise ValueError\n"}) as session:
        assert session.call("f") == 1


def test_a_mistake_in_an_endless_line_is_told_without_the_line(sandbox: ProcessSandbox) -> None:
    with pytest.raises(CandidateSyntaxError) as caught:
        sandbox.start({"main.py": "x = [" + "1, " * 5000 + "1 1]\n"})

    assert len(caught.value.detail) < 300
    assert "line 1" in caught.value.detail


@pytest.mark.parametrize("entry", ["other.py", "main", ""])
def test_an_entry_that_is_not_among_the_files_is_named_with_what_there_is(sandbox: ProcessSandbox, entry: str) -> None:
    with pytest.raises(CandidateSyntaxError, match=r"is missing: there are \['main\.py'\]"):
        sandbox.start({"main.py": ""}, entry=entry)


def test_the_first_file_is_the_entry_unless_another_is_chosen(sandbox: ProcessSandbox) -> None:
    files = {"b.py": "def f(): return 'b'\n", "a.py": "def f(): return 'a'\n"}
    with sandbox.start(files) as first, sandbox.start(files, entry="a.py") as second:
        assert [first.call("f"), second.call("f")] == ["b", "a"]


# the sandbox


def test_a_start_that_fails_leaves_no_process(sandbox: ProcessSandbox) -> None:
    with sandbox.start({"main.py": ""}):
        before = set(children_of(sandbox.server_pid))

    for _ in range(3):
        with pytest.raises(CandidateRaised):
            sandbox.start({"main.py": "raise ValueError\n"})

    after = children_of(sandbox.server_pid)
    assert len(after) <= 1  # the next one, parked
    assert before


def test_no_server_starts_for_a_program_that_cannot_be_one() -> None:
    threads = threading.active_count()
    with ProcessSandbox(preload=("no_such_module_anywhere",)) as sandbox, pytest.raises(CandidateSyntaxError):
        sandbox.start({"os.py": ""})

    assert threading.active_count() == threads


def test_a_sandbox_that_was_never_used_closes_without_a_word_and_stays_closed() -> None:
    sandbox = ProcessSandbox()
    sandbox.close()
    sandbox.close()

    with pytest.raises(SandboxError, match="closed"):
        _ = sandbox.report


def test_closing_ends_every_session_and_the_server_and_its_folder() -> None:
    sandbox = sandbox_at(Level.STRONG, preload=())
    sessions = [sandbox.start({"look.py": LOOK}) for _ in range(3)]
    places = [session.call("place") for session in sessions]
    server = sandbox.server_pid

    sandbox.close()

    assert not [place["pid"] for place in places if Path(f"/proc/{place['pid']}").exists()]
    assert not Path(f"/proc/{server}").exists()
    assert not any(Path(place["home"]).parent.exists() for place in places)
    for session in sessions:
        with pytest.raises(CandidateCrashed, match="closed"):
            session.call("place")


def test_the_limits_of_the_sandbox_hold_for_sessions_that_bring_none() -> None:
    with ProcessSandbox(limits=Limits(cpu_seconds=7.0), preload=()) as sandbox:
        own = ask(sandbox, "limits")
        other = ask(sandbox, "limits", limits=Limits(cpu_seconds=9.0))

    assert (own["CPU"][0], other["CPU"][0]) == (7, 9)


def test_a_preloaded_module_is_there_and_another_is_not_until_it_is_imported() -> None:
    with ProcessSandbox(preload=("fractions", "xml.dom")) as sandbox:
        modules = set(ask(sandbox, "place")["modules"])
        with pytest.raises(CandidateSyntaxError, match="standard module 'xml'"):
            sandbox.start({"xml/mine.py": ""})

    assert {"fractions", "xml.dom"} <= modules
    assert "sqlite3" not in modules
    assert "sqlite3" in sys.stdlib_module_names

# ruff: noqa: D102 the name of a test is its docstring
"""What every sandbox for Python candidates must do: a test class to inherit; `make` builds the sandbox under test."""

import os
from abc import abstractmethod
from collections.abc import Iterator

import pytest

from evolve.testing.running import is_running, wait_until
from evolve.testing.sandbox_conformance_answers import AnswersConformance
from evolve.testing.sandbox_conformance_limits import LimitsConformance
from evolve.testing.sandbox_programs import ECHO, FORKING, LOOKING
from sandbox.contract import Sandbox
from sandbox.errors import CandidateCrashed, CandidateRaised

SECRET_NAME = "SANDBOX_CONFORMANCE_API_KEY"  # noqa: S105 a name
SECRET = "sk-conformance-0123456789"  # noqa: S105 made up


class SandboxConformance(AnswersConformance, LimitsConformance):
    """Inherit, implement `make`, and pytest runs the suite."""

    @classmethod
    @abstractmethod
    def make(cls) -> Sandbox:
        """A sandbox that the suite may use and then closes."""

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Sandbox]:
        """One sandbox for the whole suite: what one candidate does must not harm the next."""
        os.environ[SECRET_NAME] = SECRET
        sandbox = cls.make()
        try:
            yield sandbox
        finally:
            sandbox.close()
            del os.environ[SECRET_NAME]

    # what a candidate sees

    def test_no_secret_is_in_the_environment(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as session:
            seen = " ".join(session.call("environment"))
        assert SECRET not in seen
        assert SECRET_NAME not in seen

    def test_no_descriptors_are_open_but_its_own_pipes(self, sandbox: Sandbox) -> None:
        with open(os.devnull, "rb") as ours:
            os.set_inheritable(ours.fileno(), True)
            with sandbox.start({"main.py": LOOKING}), sandbox.start({"main.py": LOOKING}) as session:
                assert len(session.call("descriptors")) <= 2

    def test_the_working_folder_is_empty(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as session:
            assert session.call("folder") == []

    # what is left behind

    @pytest.mark.parametrize("leaves_group", [False, True])
    def test_nothing_that_a_candidate_started_outlives_its_session(self, sandbox: Sandbox, leaves_group: bool) -> None:
        with sandbox.start({"main.py": FORKING}) as session:
            try:
                pids = session.call("family", 3, leaves_group)
            except CandidateRaised:
                return  # it may not start processes at all
        assert wait_until(lambda: not any(map(is_running, pids)))

    def test_children_of_a_candidate_that_exits_die_with_it(self, sandbox: Sandbox) -> None:
        text = FORKING + "def leave():\n    print(*family(2, False))\n    os._exit(0)\n"
        with sandbox.start({"main.py": text}) as session:
            with pytest.raises((CandidateCrashed, CandidateRaised)):
                session.call("leave")
            pids = [int(word) for word in session.output.split() if word.isdecimal()]
        assert wait_until(lambda: not any(map(is_running, pids)))

    def test_a_session_that_was_closed_cannot_be_called(self, sandbox: Sandbox) -> None:
        session = sandbox.start({"main.py": ECHO})
        session.close()
        session.close()
        with pytest.raises(CandidateCrashed, match="closed"):
            session.call("echo", 1)

    def test_many_sessions_can_be_open_at_once(self, sandbox: Sandbox) -> None:
        sessions = [sandbox.start({"main.py": ECHO}) for _ in range(5)]
        try:
            assert [session.call("echo", i) for i, session in enumerate(sessions)] == [0, 1, 2, 3, 4]
        finally:
            for session in sessions:
                session.close()

    def test_the_level_is_a_word(self, sandbox: Sandbox) -> None:
        assert sandbox.level in {"WEAK", "NOOPEN", "STRONG", "FULL"}

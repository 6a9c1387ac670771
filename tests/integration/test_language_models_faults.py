"""A whole run against servers that fail in every tenth reply, over the real clients of both kinds."""

from collections import Counter
from pathlib import Path

import pytest

from evolve.llm.contract import Outcome
from evolve.llm.policy import MAX_REQUESTS
from evolve.loop import replay_run
from evolve.store import CallRecord
from evolve.testing.llm_server import LLMServer, threaded
from evolve.testing.llm_server_actions import Request
from evolve.testing.llm_server_mixture import MISHAPS, mixture
from tests.extent import ALL_TESTS
from tests.integration.language_model_runs import as_the_fake_model, calls_of, everything_in, rows_of, run
from tests.patience import at_some_pace

CANARY = "sk-canary-7d1f0c55e2"
BUDGET_USD = 20.0
N_CANDIDATES = 300 if ALL_TESTS else 40
LLM_TABLE = "\n[llm]\nreply_seconds = {reply}\nidle_seconds = {idle}\nmax_output_tokens = 2000\n"
TELLTALE = """

def surroundings():
    import os

    return sorted(f"{name}={value}" for name, value in os.environ.items())
"""


def with_a_look_around(folder: Path) -> None:
    """Let the program and its evaluator write down their environments."""
    with (folder / "seed.py").open("a", encoding="utf-8") as file:
        file.write(TELLTALE)
    text = (folder / "evaluate.py").read_text(encoding="utf-8")
    seen = '"artifacts": {"theirs": str(candidate.call("surroundings")), "own": str(dict(__import__("os").environ))},'
    (folder / "evaluate.py").write_text(text.replace('"metrics": {"first"', f'{seen} "metrics": {{"first"'), "utf-8")


def models_of(server: LLMServer) -> tuple[str, ...]:
    return f"anthropic:claude-sonnet-5-5@{server.root_url}", f"openai:gpt-6.1-terra@{server.base_url}"


def spoken_at_length(request: Request) -> str:
    """A reply that is long enough to drip past every deadline."""
    return f"{'I think about it. ' * 30}\n\n{as_the_fake_model(request)}"


@pytest.fixture(params=["python_problem", "symbolic_problem"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A problem, keys that must not be found anywhere, and nobody's settings."""
    folder: Path = request.getfixturevalue(request.param)
    if request.param == "python_problem":
        with_a_look_around(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, CANARY)
    return folder


def test_a_run_among_faults_loses_nothing_and_asks_as_often_as_its_policy_allows(folder: Path, tmp_path: Path) -> None:
    text = (folder / "problem.toml").read_text(encoding="utf-8")

    def check(pace: float) -> None:
        (folder / "problem.toml").write_text(text + LLM_TABLE.format(reply=1.6 * pace, idle=0.8 * pace), "utf-8")
        check_run(folder, tmp_path / f"run-{pace:g}")

    at_some_pace(check)


def check_run(folder: Path, run_dir: Path) -> None:
    with threaded(mixture(spoken_at_length)) as server:
        summary = run(
            folder,
            run_dir,
            models=models_of(server),
            symbolic=False,
            evaluations=N_CANDIDATES,
            workers=2,
            window=8,
            budget_usd=BUDGET_USD,
        )

    rows = rows_of(run_dir)
    assert summary.stopped_by == "evaluations"
    assert [row.candidate.id for row in rows] == list(range(1, N_CANDIDATES + 1))
    assert len({row.candidate.fingerprint for row in rows}) == N_CANDIDATES
    assert replay_run(run_dir).equal
    check_calls(server, calls_of(run_dir))
    assert any(CANARY in str(dict(each.headers)) for each in server.requests)
    assert not any(CANARY.encode() in data for data in everything_in(run_dir))


def check_calls(server: LLMServer, calls: list[CallRecord]) -> None:
    """The server's log and ours: a record for each request, an outcome for each fault, no request too many."""
    asked = [call for call in calls if call.outcome != "unavailable"]
    # On a busy machine even a connection to itself can take too long.
    sent = [call for call in asked if not call.detail.startswith("no connection in time")]
    mishaps = list(MISHAPS.values())
    met = {number: mishaps[(number // 10 - 1) % len(mishaps)] for number in range(10, len(server.requests) + 1, 10)}
    expected = Counter(str(mishap.outcome) for mishap in met.values())
    found = Counter(call.outcome for call in sent)
    by_number = {call.request_id: call for call in sent if call.request_id}
    questions: dict[tuple[int, int, str], list[Outcome]] = {}
    for call in asked:
        questions.setdefault((call.iteration, call.ordinal, call.model), []).append(Outcome(call.outcome))

    assert len(server.requests) == len(sent)
    assert {**found, "ok": 0} == {**expected, "ok": 0}
    for number, mishap in met.items():
        assert by_number.get(f"request-{number}", mishap).outcome == mishap.outcome
    for outcomes in questions.values():
        most = max(MAX_REQUESTS.get(outcome, 1) for outcome in outcomes)
        assert len(outcomes) <= most + (Outcome.LENGTH in outcomes)
    assert all(call.cost_usd is not None for call in sent)
    assert sum(call.cost_usd or 0.0 for call in sent) <= BUDGET_USD

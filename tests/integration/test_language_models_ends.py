"""The end of a run while replies are on their way: they are paid for, so they land, and a resume uses them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evolve.loop import replay_run, resume_run
from evolve.testing.llm_server import say, threaded
from evolve.testing.llm_server_actions import Action, Request
from tests.integration.language_model_runs import as_the_fake_model, calls_of, run, silent

BEST = "```python\nfirst = 3.0\nsecond = 5.0\n```"


class SlowButForOne:
    """The first question for a diff is answered at once, with the best program there is; the others take a while."""

    def __init__(self) -> None:
        self.n_diffs = 0

    def __call__(self, request: Request) -> Action:
        self.n_diffs += "SEARCH" in request.text
        is_first = "SEARCH" in request.text and self.n_diffs == 1
        return say(BEST) if is_first else say(as_the_fake_model, delay_seconds=0.05)


@pytest.mark.parametrize(
    ("end", "more"),
    [({"seconds": 0.2}, {"seconds": 600.0}), ({"target": -0.5}, {"target": 1.0})],
    ids=["time", "target"],
)
def test_replies_in_flight_at_the_end_land_and_are_used_on_resume(
    python_problem: Path, tmp_path: Path, end: dict[str, Any], more: dict[str, Any]
) -> None:
    with threaded(SlowButForOne()) as server:
        models = (f"chat:slow@{server.base_url}",)
        ended = run(python_problem, tmp_path / "run", models=models, symbolic=False, evaluations=9, **end)
        n_asked = len(server.requests)
        landed = calls_of(tmp_path / "run")
        server.plan = say(as_the_fake_model)
        resumed = resume_run(tmp_path / "run", silent, **more)

    calls = calls_of(tmp_path / "run")
    assert ended.stopped_by == ("time" if "seconds" in end else "target")
    assert [call.outcome for call in landed] == ["ok"] * n_asked
    assert n_asked >= 2
    assert resumed.stopped_by == "evaluations"
    assert set(Counter((call.iteration, call.ordinal) for call in calls).values()) == {1}
    assert len(calls) == len(server.requests)
    assert replay_run(tmp_path / "run").equal

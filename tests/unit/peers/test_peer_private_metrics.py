"""What an evaluator keeps private reaches people, and no model."""

from archive.candidate import Candidate
from evaluators.peers.shinka import PRIVATE
from evolve.operators.briefing import Judged
from evolve.operators.writing.prompt_sections import results


def test_private_metrics_stay_out_of_prompts() -> None:
    candidate = Candidate(id=1, files={"a.py": "x = 1\n"}, fingerprint="f")
    judged = Judged(candidate=candidate, score=1.0, metrics={"size": 3.0, f"{PRIVATE}key": 4.0})

    told = results(judged)

    assert "size" in told
    assert PRIVATE not in told

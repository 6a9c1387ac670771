"""What a run will cost: evaluations an hour on this machine, and tokens and USD where language models join."""

import os
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.config.problem import Problem
from evolve.errors import EvolveError
from evolve.scaffold.findings import Finding, ok
from evolve.scaffold.seed_checks import SeedRuns

HOUR = 3600.0
REPLY_TOKENS = 300  # what a model says around its program
CANDIDATES = 1000


def check_cost(problem: Problem, seed: SeedRuns, environment: Mapping[str, str]) -> Finding:
    """The estimate; nothing is asked of anyone."""
    seconds = statistics.median(each.seconds for each in seed.runs) * problem.tables.evaluator.repeats
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    per_hour = workers * HOUR / max(seconds, 1e-4)
    seen = f"about {_rounded(per_hour):,} evaluations an hour with {workers} workers, without a model for 0 USD"
    data: dict[str, Any] = {"evaluations_per_hour": per_hour, "workers": workers}
    tokens = prompt_tokens(problem, seed)
    if tokens is None:
        return ok("cost", seen, **data)
    own_tokens = sum(len(text) for text in problem.seed_files.values()) // 4
    reply = own_tokens + REPLY_TOKENS
    data |= {
        "prompt_tokens": tokens,
        "reply_tokens": reply,
        "usd_per_1000": _dollars(problem, tokens, reply, environment),
    }
    read, written = (f"{_rounded(CANDIDATES * each):,}" for each in (tokens, reply))
    seen += f"; {CANDIDATES:,} candidates of a model: about {read} tokens read, {written} written"
    priced = [f"{usd:,.2f} USD with {name}" for name, usd in data["usd_per_1000"].items()]
    prices = ", ".join(priced) or "no price known: pip install genai-prices"
    return ok("cost", f"{seen} ({prices}; reasoning and longer programs cost more)", **data)


def _rounded(number: float) -> int:
    """Two significant digits: it is an estimate."""
    return int(float(f"{number:.2g}"))


def prompt_tokens(problem: Problem, seed: SeedRuns) -> int | None:
    """About how many tokens the first question has; None where the problem's own prompts are wrong."""
    # Prompts and clients are heavy to import, and only this estimate needs them.
    from evolve.operators.briefing import Briefing, Instruction, Judged
    from evolve.operators.contract import Ask, Recall
    from evolve.operators.writing.setup import language_model_operators

    candidate = Candidate(id=1, files=problem.seed_files, fingerprint="seed")
    plain = seed.plain
    judged = Judged(
        candidate=candidate, score=plain.score, descriptor=plain.descriptor, metrics=plain.metrics, stage=plain.stage
    )
    briefing = Briefing(parents=(judged,), best=judged, instruction=Instruction(id=0, text=""))
    try:
        kind = "diff" if problem.language == "python" else "rewrite"
        operator = language_model_operators(problem, ("fake:",), kinds=(kind,))[0]
        proposing = operator.propose([candidate], [], np.random.default_rng(0))
        request = next(proposing)
        while not isinstance(request, Ask):
            request = proposing.send({"briefing": briefing} if isinstance(request, Recall) else {})
    except (EvolveError, StopIteration, IndexError):
        return None
    return request.prompt.estimated_tokens()


def _dollars(problem: Problem, tokens: int, reply: int, environment: Mapping[str, str]) -> dict[str, float]:
    """USD for a thousand questions, by the problem's models or else the default ones, where a price is known."""
    from evolve.llm.catalog import load_catalog, parse_model
    from evolve.llm.contract import Usage
    from evolve.llm.mix import price_of

    priced = {}
    try:
        catalog = load_catalog(environment)
        for name in problem.tables.llm.models or catalog.default:
            price = price_of(parse_model(name, catalog), catalog, datetime.now(UTC))
            if price is not None:
                priced[name] = CANDIDATES * price.cost(Usage(input_tokens=tokens, output_tokens=reply))
    except EvolveError:
        return priced
    return priced

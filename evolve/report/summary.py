"""The head of a report: what was searched for, what came of it, what is proved."""

from collections.abc import Mapping
from typing import Any

from evolve.report.gathered import Gathered
from evolve.report.html import Child, Html, cut, tag, visible
from evolve.report.parts import program_link
from evolve.view.durations import format_duration
from evolve.view.figures import figure

GOOD_VERDICT, BAD_VERDICT = "certified", "refuted"
TITLE_MOST, STATEMENT_MOST, NOTICE_MOST = 300, 3_000, 1_000
NOTICES_MOST = 12


def head(gathered: Gathered) -> Html:
    """Title, state, the figures that matter most, and what people must be told of the score."""
    seen, view = gathered.overview, gathered.view
    return tag(
        "header",
        tag("p", tag("span", seen.state, class_="badge"), f"  {seen.problem_name}"),
        tag("h1", visible(cut(seen.title or seen.problem_name, TITLE_MOST))),
        _statement(str((view.tables.get("problem") or {}).get("statement") or "")),
        tag(
            "dl",
            [tag("div", tag("dt", name), tag("dd", _fitting(value))) for name, value in _facts(gathered)],
            class_="facts",
        ),
        certificate_line(gathered),
        [tag("p", visible(cut(notice, NOTICE_MOST)), class_="notice") for notice in view.notices[:NOTICES_MOST]],
    )


def _fitting(value: Child) -> Child:
    """Long words in smaller letters: they stand in narrow boxes."""
    return tag("small", value) if isinstance(value, str) and not isinstance(value, Html) and len(value) > 10 else value


def _statement(text: str) -> Html | None:
    return tag("p", visible(cut(" ".join(text.split()), STATEMENT_MOST))) if text.strip() else None


def _facts(gathered: Gathered) -> list[tuple[str, Child]]:
    seen, view = gathered.overview, gathered.view
    facts: list[tuple[str, Child]] = [("best score", figure(seen.best_score))]
    if seen.best_id is not None:
        facts.append(("best candidate", program_link(seen.best_id, gathered.linked)))
    facts += [
        ("evaluations", figure(seen.evaluations)),
        ("failed", figure(sum(gathered.tally.failures.values()))),
        ("elites", figure(seen.elites)),
    ]
    if seen.coverage is not None:
        facts.append(("cells filled", f"{seen.coverage:.1%}"))
    facts.append(("time", format_duration(seen.seconds)))
    if seen.calls:
        facts.append(("language models", _money(seen.calls)))
    facts.append(("seed of randomness", str(view.options.get("rng_seed", "-"))))
    facts.append(("isolation", _isolation(gathered)))
    return facts


def _money(calls: Mapping[str, Any]) -> str:
    unpriced, requests = int(calls.get("unpriced") or 0), int(calls.get("requests") or 0)
    if unpriced and unpriced >= requests:
        return "cost unknown"
    return f"{float(calls.get('cost_usd') or 0.0):,.2f} USD" + (f" + {unpriced:,} of unknown price" if unpriced else "")


def _isolation(gathered: Gathered) -> str:
    return ", ".join(gathered.view.reader.levels()) or "-"


def certificate_line(gathered: Gathered) -> Html:
    """Whether the best program is proved to be what its score says."""
    best = gathered.best
    if best is None:
        return tag("p", "No program has a score yet, so there is nothing to verify.", class_="note")
    identifier = best.record.candidate.id
    certificate = gathered.certificates.get(identifier)
    more = len(gathered.certificates) - (certificate is not None)
    others = f" {more:,} more of its certificates lie in the run's folder." if more else ""
    if certificate is None:
        command = f"evolve verify {gathered.name} {identifier}"
        return tag("p", "The best program is not verified: ", tag("code", command), f" asks for a proof.{others}")
    if not certificate.is_about(best.record):
        text = f"certificates/{certificate.name} is about another program: verify the best one again."
        return tag("p", text, others, class_="bad")
    style = {GOOD_VERDICT: "good", BAD_VERDICT: "bad"}.get(certificate.verdict)
    value = "" if certificate.value is None else f", proven value {certificate.value!r}"
    return tag(
        "p",
        tag("strong", f"The best program is {certificate.verdict}{value}", class_=style),
        f" (certificates/{certificate.name}). ",
        visible(cut(certificate.detail, 600)),
        others,
    )

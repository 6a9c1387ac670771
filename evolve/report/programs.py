"""The programs: the best in full, the other elites as text."""

from collections.abc import Mapping, Sequence

from evolve.report.code import CHARACTERS_MOST, code, difference, plain
from evolve.report.gathered import Gathered
from evolve.report.html import Html, cut, tag, visible
from evolve.report.parts import drawing, folded, program_link, section
from evolve.report.pictures import picture
from evolve.store import CandidateRecord
from evolve.view.detail import Detail
from evolve.view.figures import figure

OPEN = 2
TEXT_BUDGET = 1_000_000
"""Characters of HTML that the texts of the other elites may take."""
VALUES_MOST = 24
NAME_MOST = 80
REPLY_MOST = 6_000
REPLIES_MOST = 2
ARTIFACTS_MOST = 4
PICTURE = "picture"
CONSTRUCTION = "construction"
FILES_MOST = 12


def top_programs(gathered: Gathered) -> Html | None:
    """The best programs with metrics, change and picture."""
    if not gathered.top:
        return None
    parts = [_program(gathered, each, place) for place, each in enumerate(gathered.top)]
    note = "The best program of each cell of the archive, best first." if gathered.map else "The best programs."
    return section("programs", "Best programs", tag("p", note, class_="note"), parts)


def _program(gathered: Gathered, shown: Detail, place: int) -> Html:
    record = shown.record
    candidate = record.candidate
    return tag(
        "article",
        tag("h3", _heading(record)),
        _origin(gathered, shown),
        _verdict(gathered, record),
        tag(
            "div",
            _drawn(gathered, record),
            _values({**record.evaluation.metrics, **record.evaluation.descriptor}),
            class_="pair",
        ),
        folded("program", _files(candidate.files), is_open=place < OPEN),
        folded(
            f"change from its parent, candidate {candidate.parent_ids[0]}", difference(shown.diff or "no difference")
        )
        if shown.parent is not None
        else None,
        _artifacts(record.evaluation.artifacts),
        [_reply(each.model, each.purpose, each.reply) for each in shown.exchanges[:REPLIES_MOST]],
        id=f"c{candidate.id}",
        class_="program",
    )


def _artifacts(artifacts: Mapping[str, str]) -> list[Html]:
    """What the evaluator left as text, whatever it calls it: it is never taken for HTML or SVG."""
    found = [(name, text) for name, text in artifacts.items() if name not in (PICTURE, CONSTRUCTION) and text.strip()]
    return [
        folded(visible(cut(name, NAME_MOST)), plain(cut(text, REPLY_MOST))) for name, text in found[:ARTIFACTS_MOST]
    ]


def _reply(model: str, purpose: str, text: str) -> Html:
    return folded(f"reply of {cut(model, NAME_MOST)} ({cut(purpose, NAME_MOST)})", plain(cut(text, REPLY_MOST)))


def _heading(record: CandidateRecord) -> str:
    return f"Candidate {record.candidate.id}: score {figure(record.evaluation.score)}"


def _origin(gathered: Gathered, shown: Detail) -> Html:
    candidate = shown.record.candidate
    parents = [[program_link(each, gathered.linked), " "] for each in candidate.parent_ids[:10]]
    cost = "" if shown.cost_usd is None else f", for {shown.cost_usd:.4f} USD"
    return tag(
        "p",
        f"by {cut(candidate.operator, NAME_MOST)} in iteration {candidate.iteration}, ",
        f"generation {candidate.generation}{cost}; parents: ",
        parents or "none",
        f"; {shown.n_children:,} children" if shown.n_children else "",
        class_="note",
    )


def _verdict(gathered: Gathered, record: CandidateRecord) -> Html | None:
    certificate = gathered.certificates.get(record.candidate.id)
    if certificate is None or not certificate.is_about(record):
        return None
    value = "" if certificate.value is None else f", proven value {certificate.value!r}"
    return tag("p", tag("strong", f"{certificate.verdict}{value}"), " ", visible(cut(certificate.detail, 300)))


def _values(values: Mapping[str, float | str]) -> Html | None:
    pairs = list(values.items())
    if not pairs:
        return None
    shown = [
        tag("div", tag("dt", visible(cut(name, NAME_MOST))), tag("dd", visible(cut(figure(value), NAME_MOST))))
        for name, value in pairs[:VALUES_MOST]
    ]
    more = tag("p", f"and {len(pairs) - VALUES_MOST} more", class_="note") if len(pairs) > VALUES_MOST else None
    return tag("div", tag("dl", shown, class_="values"), more)


def _drawn(gathered: Gathered, record: CandidateRecord) -> Html | None:
    found = picture(gathered.view, record)
    return None if found is None else drawing(found[1], found[0])


def _files(files: Mapping[str, str]) -> list[Html]:
    """All files one after the other; together they get the room of one program."""
    parts = []
    left = CHARACTERS_MOST
    for name, text in list(files.items())[:FILES_MOST]:
        parts += [tag("p", visible(cut(name, 200)), class_="note")] if len(files) > 1 else []
        parts.append(
            code(text) if len(text) <= left or left == CHARACTERS_MOST else tag("p", f"({len(text):,} characters)")
        )
        left = max(left - len(text), 0)
    if len(files) > FILES_MOST:
        parts.append(tag("p", f"and {len(files) - FILES_MOST} more files", class_="note"))
    return parts


def other_elites(gathered: Gathered) -> tuple[Html | None, Sequence[CandidateRecord]]:
    """The text of the other elites, as many as there is room for, and which these are."""
    parts: list[Html] = []
    size = 0
    for record in gathered.others:
        found = folded(
            f"{_heading(record)}, by {cut(record.candidate.operator, NAME_MOST)}",
            _values(record.evaluation.descriptor),
            _files(record.candidate.files),
            id=f"c{record.candidate.id}",
        )
        size += len(found)
        if size > TEXT_BUDGET:
            break
        parts.append(found)
    if not parts:
        return None, ()
    left = gathered.overview.elites - len(parts) - len(gathered.top)
    note = (
        f"{left:,} more elites are not on this page: evolve export {gathered.name} --what elites" if left > 0 else None
    )
    section_of_all = section("elites", "Other elites", parts, note and tag("p", note, class_="note"))
    return section_of_all, gathered.others[: len(parts)]

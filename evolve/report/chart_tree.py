"""The ancestors of one candidate as a tree: generations from left to right, its line of first parents in the middle."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from evolve.report.colours import level_of
from evolve.report.html import Html, number, tag
from evolve.view.lineage import Step

STEP_X, STEP_Y = 44.0, 30.0
MARGIN_X, MARGIN_Y = 28.0, 26.0
WIDTH_MOST = 960.0
RADIUS = 8.0
NODES_MOST = 150
COLUMNS_MOST = 50
LANES_MOST = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A candidate and where it is drawn: its column by generation, its lane (0 for the line of first parents)."""

    step: Step
    column: int
    lane: int


def lay_out(steps: Sequence[Step], best: int) -> list[Node]:
    """Give each ancestor a place; generations nobody is of take no room. Steps come newest first.

    Of too many the line of first parents stays, and of that what there is room for: see `is_shortened`.
    """
    known = {step.id: step for step in steps}
    line = _line_of(known, best)
    kept = list(steps)
    if is_shortened(steps):
        kept = [known[each] for each in line]
        kept = kept if len(kept) <= COLUMNS_MOST else _turning_points(kept)
    columns = {generation: place for place, generation in enumerate(sorted({step.generation for step in kept}))}
    lanes = _lanes(kept, set(line))
    return [Node(step=step, column=columns[step.generation], lane=lanes[step.id]) for step in kept]


def is_shortened(steps: Sequence[Step]) -> bool:
    """Whether there are too many ancestors, or too many generations of them, to draw them all."""
    return len(steps) > NODES_MOST or len({step.generation for step in steps}) > COLUMNS_MOST


def _line_of(known: Mapping[int, Step], best: int) -> list[int]:
    line = [best]
    while (step := known.get(line[-1])) and step.parents and step.parents[0] in known:
        line.append(step.parents[0])
    return line


def _turning_points(line: Sequence[Step]) -> list[Step]:
    """The ends of a long line, and evenly many of those between that were better than all before them."""
    best: float | None = None
    risen = []
    for step in reversed(line):
        if step.score is not None and (best is None or step.score > best):
            best = step.score
            risen.append(step)
    every = -(-len(risen) // (COLUMNS_MOST - 2))
    ids = {step.id for step in risen[::every]} | {line[0].id, line[-1].id}
    return [step for step in line if step.id in ids]


def _lanes(steps: Sequence[Step], line: Collection[int]) -> dict[int, int]:
    """Lane 0 for the line; the others beside it, above and below in turn, each where its generation has room."""
    taken: dict[int, int] = {}
    lanes = {}
    for step in steps:
        if step.id in line:
            lanes[step.id] = 0
            continue
        count = taken[step.generation] = taken.get(step.generation, 0) + 1
        lanes[step.id] = (count + 1) // 2 * (1 if count % 2 else -1)
    return lanes


def tree(steps: Sequence[Step], best: int, linked: Collection[int]) -> Html:
    """Draw the ancestors of `best`; those in `linked` have a section on the page."""
    nodes = [node for node in lay_out(steps, best) if abs(node.lane) <= LANES_MOST]
    lanes = [node.lane for node in nodes]
    last = max(node.column for node in nodes)
    step_x = min(STEP_X, max((WIDTH_MOST - 2 * MARGIN_X) / max(last, 1), 2 * RADIUS + 2))
    top = min(lanes)
    places = {node.step.id: (MARGIN_X + node.column * step_x, MARGIN_Y + (node.lane - top) * STEP_Y) for node in nodes}
    size = (2 * MARGIN_X + last * step_x, 2 * MARGIN_Y + (max(lanes) - top) * STEP_Y + 12)
    return tag(
        "svg",
        tag("title", f"Ancestors of candidate {best}, generations from left to right"),
        _edges(nodes, places),
        _nodes(nodes, places, best, linked),
        tag("text", "seed program" if size[0] > 160 else "seed", x=4, y=size[1] - 6),
        tag("text", f"candidate {best}", x=size[0] - 4, y=size[1] - 6, text_anchor="end") if size[0] > 240 else None,
        viewBox=f"0 0 {number(size[0])} {number(size[1])}",
        role="group",
        class_="chart tree",
        width=size[0],
    )


def _edges(nodes: Sequence[Node], places: Mapping[int, tuple[float, float]]) -> list[Html]:
    """Lines from parents; a dotted one where those between are not drawn."""
    parts = []
    main = sorted((node for node in nodes if node.lane == 0), key=lambda node: node.step.id)
    for before, after in pairwise(main):
        is_direct = before.step.id in after.step.parents
        parts.append(_edge(places[before.step.id], places[after.step.id], "edge main" if is_direct else "edge gap"))
    for node in nodes:
        for parent in node.step.parents:
            is_on_line = node.lane == 0 and parent == next(iter(node.step.parents))
            if parent in places and not is_on_line:
                parts.append(_edge(places[parent], places[node.step.id], "edge"))
    return parts


def _edge(start: tuple[float, float], end: tuple[float, float], style: str) -> Html:
    middle = (start[0] + end[0]) / 2
    data = (
        f"M{number(start[0])} {number(start[1])}C{number(middle)} {number(start[1])} "
        f"{number(middle)} {number(end[1])} {number(end[0])} {number(end[1])}"
    )
    return tag("path", d=data, class_=style)


def _nodes(
    nodes: Sequence[Node], places: Mapping[int, tuple[float, float]], best: int, linked: Collection[int]
) -> list[Html]:
    scores = [node.step.score for node in nodes if node.step.score is not None]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    parts = []
    for node in nodes:
        step = node.step
        x, y = places[step.id]
        style = "failed" if step.score is None else f"v{level_of(step.score, low, high)}"
        score = f"failed ({step.failure})" if step.score is None else f"score {step.score:.6g}"
        circle = tag(
            "circle",
            tag("title", f"candidate {step.id}, generation {step.generation}: {score}, by {step.operator}"),
            cx=x,
            cy=y,
            r=RADIUS + 3 if step.id == best else RADIUS,
            class_=f"node {style}",
        )
        parts.append(tag("a", circle, href=f"#c{step.id}") if step.id in linked else circle)
    return parts

"""All that the overview shows, asked for in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

from evolve.view.history import CurvePoint, PulsePoint, curve, pulses
from evolve.view.log import LogLine, happenings
from evolve.view.overview import Overview, overview
from evolve.view.run import RunView
from evolve.view.slots import idle_slots_of

N_EVENTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that the screen shows."""

    overview: Overview
    notices: Sequence[str]
    curve: Sequence[CurvePoint]
    pulses: Sequence[PulsePoint]
    log: Sequence[LogLine]


def standing(view: RunView) -> Standing:
    """Ask for all that the screen shows."""
    return Standing(
        overview=overview(view),
        notices=[*view.notices, *idle_slots_of(view.options, view.reader.pulse())],
        curve=curve(view, max_points=500),
        pulses=pulses(view, max_points=200),
        log=happenings(view, newest=N_EVENTS),
    )

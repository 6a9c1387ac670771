"""Which graphics cards a run's candidates get; settled before anything is written, and said when there are none."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError
from evolve.executors.gpu_slots import WHOLE, n_slots
from evolve.loop.events import RunOptions

if TYPE_CHECKING:
    from sandbox.gpu_cards import Card, CardUnit

PROCESSORS = "processors"
CARDS = "cards"
CLUSTER = "a Ray cluster"
HINT = '`evolve doctor` lists the cards; with [sandbox] gpus = "auto" a run without one goes on, on processors'


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlan:
    """The cards of a session whose problem uses cards.

    `units` are those of this machine; none where a cluster decides, or where candidates have to do with processors:
    `notice` says so then. `share` is what one evaluation gets.
    """

    share: float
    is_needed: bool
    units: "tuple[CardUnit, ...]" = ()
    is_remote: bool = False
    notice: str = ""

    @property
    def judge_changes(self) -> dict[str, Any]:
        """What the judge's data have to say of cards."""
        if self.is_remote:
            return {"gpu_share": min(self.share, WHOLE)}
        return {"gpus": self.uuids[:1], "gpu_share": min(self.share, WHOLE)}

    @property
    def uuids(self) -> tuple[str, ...]:
        """The names of the cards of this machine."""
        return tuple(unit.uuid for unit in self.units)

    def record(self, session: int, notice: str) -> dict[str, Any]:
        """What is stored of a session: on what its candidates were judged. A `notice` says why on processors."""
        names = [unit.name or unit.uuid for unit in self.units] or ([CLUSTER] if self.is_remote else [])
        return {
            "session": session,
            "kind": PROCESSORS if notice else CARDS,
            "cards": [] if notice else names,
            "share": self.share,
            "notice": notice,
        }


def plan_cards(
    problem: Problem, options: RunOptions, *, environment: Mapping[str, str] | None = None
) -> CardPlan | None:
    """Look for the cards that a problem asks for; None where it uses none.

    Raises:
        EvolveEnvironmentError: a card that is needed is not there, or cannot be shared like this.
    """
    wanted = problem.gpus
    if not wanted or problem.language != "python":
        return None
    is_needed = wanted != ["auto"]
    numbers = [each for each in wanted if isinstance(each, int)]
    share = options.gpus or problem.tables.sandbox.gpu_share or float(max(1, len(numbers)))
    if problem.measures_time:
        share = max(share, WHOLE)  # who measures time has its card alone
    if options.executor == "ray":
        return CardPlan(share=share, is_needed=is_needed, is_remote=True)
    units, why = _units_here(numbers, os.environ if environment is None else environment)
    if not units:
        if is_needed:
            asked = f"{problem.name} needs a graphics card ([sandbox] gpus = {_spelled(wanted)})"
            raise EvolveEnvironmentError(f"{asked}: {why}", hint=HINT)
        return CardPlan(share=share, is_needed=False, notice=fallback(why))
    _require_room(units, share)
    return CardPlan(share=share, is_needed=is_needed, units=units)


def doubts_about(plan: CardPlan) -> list[str]:
    """What people have to know who share cards: where a candidate can take more than its share."""
    if not plan.units or plan.share >= WHOLE:
        return []
    from sandbox.gpu_watch import counts_as_the_machine

    told = []
    if silent := [unit.label for unit in plan.units if not unit.memory_bytes]:
        told.append(f"nobody knows how large card {', '.join(silent)} is: candidates there share it without a limit")
    if not counts_as_the_machine():
        told.append(
            f"each candidate is to have {plan.share:g} of a card, which only torch keeps to in this container: "
            "what else it takes cannot be watched (start the container with --pid=host)"
        )
    return told


def change_of_device(before: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> str:
    """What to say where earlier sessions judged on something else; empty where all did alike."""
    others = [each for each in before if (each.get("kind"), each.get("cards")) != (now["kind"], now["cards"])]
    if not others:
        return ""
    earlier, present = (
        ", ".join(map(str, dict.fromkeys(each.get("cards") or ()))) or PROCESSORS for each in (others[-1], now)
    )
    return (
        f"candidates of earlier sessions were judged on {earlier}, those of this one on {present}: "
        "scores that depend on speed or rounding cannot be compared"
    )


def fallback(why: str) -> str:
    """What is said, loudly, where a problem that uses cards has to do without."""
    return f'NO GRAPHICS CARD: candidates are judged on processors, as [sandbox] gpus = "auto" allows ({why})'


def _units_here(numbers: Sequence[int], environment: Mapping[str, str]) -> "tuple[tuple[CardUnit, ...], str]":
    """The cards of this machine, those of these numbers if there are any; and why there are none."""
    from sandbox.errors import SandboxError
    from sandbox.gpu_cards import list_cards, units_of
    from sandbox.nvidia_smi import reason_of

    try:
        cards = list_cards()
    except SandboxError as error:
        return (), reason_of(error)
    found = {card.number for card in cards}
    missing = [number for number in numbers if number not in found]
    if missing:
        return (), f"there is no card {missing[0]}, nvidia-smi shows {', '.join(map(str, sorted(found))) or 'none'}"
    chosen = [card for card in cards if not numbers or card.number in numbers]
    units = units_of(chosen)
    if not units:
        return (), "nvidia-smi shows none that programs can use" + _uncut(chosen)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if numbers or visible is None:
        return units, ""
    left = tuple(unit for unit in units if _is_visible(unit, visible))
    return left, "" if left else f"CUDA_VISIBLE_DEVICES={visible} hides all {len(units)} of this machine"


def _uncut(cards: "Sequence[Card]") -> str:
    empty = [str(card.number) for card in cards if card.is_cut and not card.parts]
    return f": card {', '.join(empty)} is set to be cut (MIG) and has no parts" if empty else ""


def _is_visible(unit: "CardUnit", visible: str) -> bool:
    """Whether a batch system or a person left this card to us, by number or by the beginning of its UUID."""
    names = [word.strip() for word in visible.split(",")]
    number = unit.label.partition(":")[0]
    return any(name == number or (not name.isdecimal() and name and unit.uuid.startswith(name)) for name in names)


def _require_room(units: "Sequence[CardUnit]", share: float) -> None:
    if n_slots(len(units), share) < 1:
        raise EvolveEnvironmentError(
            f"one evaluation is to have {share:g} cards, and there are {len(units)}",
            hint="give it fewer with --gpus; `evolve doctor` lists the cards",
        )
    alone = [unit.label for unit in units if not unit.is_shareable]
    if share < WHOLE and alone:
        raise EvolveEnvironmentError(
            f"card {', '.join(alone)} lets in one process at a time (compute mode Exclusive_Process), and each "
            f"evaluation is to have {share:g} of it",
            hint="use --gpus 1, or have the administrator set the mode to Default: `nvidia-smi -c 0`",
        )
    from sandbox.gpu import CONTEXT_BYTES

    for unit in units:
        if share < WHOLE and unit.memory_bytes and unit.memory_bytes * share <= CONTEXT_BYTES:
            raise EvolveEnvironmentError(
                f"{share:g} of card {unit.label} ({unit.memory_bytes >> 20} MiB) is less than CUDA itself may take, "
                f"{CONTEXT_BYTES >> 20} MiB",
                hint="give each evaluation more with --gpus",
            )


def _spelled(wanted: Sequence[int | str]) -> str:
    return f'"{wanted[0]}"' if isinstance(wanted[0], str) else str(list(wanted))

"""From what a problem says of graphics cards to the cards that this machine has."""

from dataclasses import replace

from evaluators.spec import GPUS_IF_ANY, GPUS_NEEDED, JudgeSpec
from sandbox.errors import SandboxError
from sandbox.gpu_cards import Card, list_cards, units_of
from sandbox.nvidia_smi import ADVICE


def settled(spec: JudgeSpec) -> JudgeSpec:
    """The same with each card named by its UUID; with none where `auto` finds none.

    Raises:
        SandboxError: a card that is needed is not there.
    """
    if not spec.gpus or spec.language != "python":
        return _without_cards(spec)
    if spec.gpus not in ((GPUS_IF_ANY,), (GPUS_NEEDED,)):
        if all(isinstance(name, str) for name in spec.gpus):
            return spec
        return replace(spec, gpus=named(spec.gpus, list_cards()))
    try:
        units = units_of(list_cards())
    except SandboxError:
        if spec.gpus == (GPUS_IF_ANY,):
            return _without_cards(spec)
        raise
    if not units and spec.gpus == (GPUS_NEEDED,):
        raise SandboxError(f"there is no graphics card that can be used, and the problem needs one: {ADVICE}")
    return replace(spec, gpus=tuple(unit.uuid for unit in units[:1]))


def _without_cards(spec: JudgeSpec) -> JudgeSpec:
    """The same with no cards, and so with no memory on them to share."""
    if not spec.gpus and not spec.limits.gpu_shared_mb:
        return spec
    return replace(spec, gpus=(), limits=replace(spec.limits, gpu_shared_mb=0))


def named(gpus: tuple[int | str, ...], cards: tuple[Card, ...]) -> tuple[str, ...]:
    """The UUIDs of these cards; of one that is cut, that of its first part.

    Raises:
        SandboxError: there is no such card.
    """
    names = {card.number: card.parts[0].uuid if card.parts else card.uuid for card in cards}
    missing = [number for number in gpus if isinstance(number, int) and number not in names]
    if missing:
        found = ", ".join(map(str, names)) or "none"
        raise SandboxError(
            f"there is no GPU {missing[0]}: nvidia-smi shows {found}; set [sandbox] gpus to some of these"
        )
    return tuple(names[name] if isinstance(name, int) else name for name in gpus)

"""The task `rule_burst` of a worker: texts in, texts out, as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from evaluators.optimizers.ledger import Ledger
from evaluators.optimizers.references import References
from evaluators.optimizers.references_measuring import missing, prepare
from evaluators.optimizers.rungs import Rung
from evaluators.optimizers.scoring import Scored, score_rules
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from evaluators.optimizers.settings import settings_of
from evaluators.optimizers.tasks import TASKS
from evaluators.spec import JudgeSpec
from evolve.rules.burst import BurstLimits, Tools, burst
from evolve.rules.draw import Taste
from evolve.rules.ladder import is_part, ladder_of
from evolve.rules.moves import Moves, MoveSettings
from evolve.rules.probe import Probe
from evolve.rules.shrink import LOOKS, Scales, shrink
from evolve.rules.varying import vary_of
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import Vocabulary, load_vocabulary
from sandbox.torch_device import open_device
from sandbox.update_rules.rule import UpdateRule, read_rule
from sandbox.update_rules.zoo import ZOO

SIMPLIFY = "simplify"
N_SEEDS = 16
"""Of so many tuning seeds the reference losses are shipped; every burst draws its own among them."""

KEPT_RUNS = 400_000
"""A worker forgets its ledger when it holds more training runs."""


class Workplace:
    """What a worker keeps between bursts; it saves work and never changes an answer."""

    def __init__(self, vocabulary: Vocabulary, device: str) -> None:
        self.vocabulary = vocabulary
        self.probe = Probe(vocabulary)
        self._device = device = str(open_device(device).device)
        self._trainer = ProxyTrainer(device=device)
        self._ledger = Ledger()
        self._references = References.shipped(device)
        self.rule = lru_cache(maxsize=4096)(self._rule)

    def _rule(self, program: Program) -> UpdateRule:
        return read_rule(render(program, self.vocabulary))

    def prepare(self, rungs: Sequence[Rung]) -> None:
        """Measure how AdamW does where nobody did: the machine that starts a run may have, this may be another."""
        runs = [run for rung in rungs for run in rung.runs]
        if missing(runs, self._references, self._trainer):
            self._references = prepare(runs, trainer=self._trainer)

    def train(self, programs: Sequence[Program], rung: Rung) -> list[Scored]:
        """Score programs at a rung."""
        if len(self._ledger) > KEPT_RUNS:
            self._ledger = Ledger()
        rules = [self.rule(program) for program in programs]
        return score_rules(
            rules, rung, ledger=self._ledger, references=self._references, device=self._device, trainer=self._trainer
        )


@lru_cache(maxsize=2)
def workplace(vocabulary: str, device: str) -> Workplace:
    """The workplace of this process."""
    return Workplace(load_vocabulary(vocabulary), device)


def rule_children(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Search from `parents` for a fixed amount of work -> `children` (source, parents), `cost`, `statistics`."""
    options = settings_of(JudgeSpec.from_mapping(payload["judge"]).options, TASKS)
    place = workplace(payload["vocabulary"], options.device)
    rng = np.random.default_rng(payload["rng_seed"])
    parents = _programs(payload["parents"], payload, place)
    seeds = tuple(int(seed) for seed in rng.permutation(N_SEEDS))
    rungs = ladder_of(options, seeds)
    place.prepare(rungs)
    settings = payload["settings"]
    if settings["kind"] == SIMPLIFY:
        return _simplified(parents[0], place, rungs, seeds, settings["work"])
    tools = Tools(
        vary=vary_of(settings, _moves(payload, place), frozenset(payload["inputs"]), parents[0]),
        look=place.probe.look,
        train=_training(place, rungs),
    )
    limits = BurstLimits(work=settings["work"], n_rungs=len(rungs), n_children=settings["n_children"])
    known = [place.probe.look(program).signature for program in _programs(payload["known"], payload, place)]
    result = burst(parents, [each for each in known if each is not None], tools, limits, rng)
    return {
        "children": [
            {"source": place.rule(child.program).text, "parents": list(child.parents)} for child in result.children
        ],
        "cost": result.work,
        "statistics": asdict(result.counts),
    }


def _training(place: Workplace, rungs: Sequence[Rung]) -> Callable[[Sequence[Program], int], list["_Value"]]:
    """How a burst trains: what the rung below has trained already is not paid for again."""
    paid: dict[Program, float] = {}

    def train(programs: Sequence[Program], rung: int) -> list[_Value]:
        is_deeper = rung > 0 and is_part(rungs[rung - 1], rungs[rung])
        found = []
        for program, each in zip(programs, place.train(programs, rungs[rung]), strict=True):
            before = paid.get(program, 0.0) if is_deeper else 0.0
            paid[program] = each.work
            found.append(replace(_trained(each), work=max(each.work - before, 0.0)))
        return found

    return train


@dataclass(frozen=True, slots=True)
class _Value:
    """A training's outcome as bursts want it."""

    value: float | None
    values: tuple[float, ...]
    parts: tuple[float, ...]
    work: float

    @property
    def score(self) -> float | None:
        """The value by its name in the evaluation."""
        return self.value


def _trained(scored: Scored) -> _Value:
    values, parts = (tuple(task.value for task in scored.tasks), tuple(task.raw for task in scored.tasks))
    return _Value(scored.score, values, parts, scored.work)


def seed_blocks(seeds: Sequence[int], wanted: int) -> list[tuple[int, ...]]:
    """As many blocks as a simplification may look at, of `wanted` seeds each or as many as there are; all apart."""
    size = min(wanted, len(seeds) // max(LOOKS))
    return [tuple(seeds[size * block : size * (block + 1)]) for block in range(max(LOOKS))]


def _simplified(
    program: Program, place: Workplace, rungs: Sequence[Rung], seeds: Sequence[int], work: float
) -> dict[str, Any]:
    """The answer of a burst that simplifies its one parent."""
    blocks = seed_blocks(seeds, len(rungs[-1].tuning_seeds))

    def weigh(programs: Sequence[Program], block: int) -> list[_Value]:
        return [_trained(each) for each in place.train(programs, replace(rungs[-1], tuning_seeds=blocks[block]))]

    scales = Scales(
        signature=lambda each: place.probe.look(each).signature,
        glance=lambda programs: [_trained(each) for each in place.train(programs, rungs[0])],
        weigh=weigh,
    )
    shrunk = shrink(program, place.probe.language, scales, work=work)
    is_new = place.rule(shrunk.program).fingerprint != place.rule(program).fingerprint
    return {
        "children": [{"source": place.rule(shrunk.program).text, "parents": [0]}] if is_new else [],
        "cost": shrunk.work,
        "statistics": {"exact": shrunk.exact, "kept": shrunk.kept, "tried": shrunk.tried},
    }


def _programs(texts: Sequence[str], payload: Mapping[str, Any], place: Workplace) -> list[Program]:
    return [parse(text, place.vocabulary, inputs=payload["inputs"]) for text in texts]


def _moves(payload: Mapping[str, Any], place: Workplace) -> Moves:
    settings = MoveSettings(
        taste=Taste(inputs=frozenset(payload["inputs"])), max_operations=payload["settings"]["max_operations"]
    )
    donors = donors_of(payload["inputs"], place.vocabulary) if payload["settings"]["kind"] == "graft" else []
    return Moves(place.vocabulary, donors, settings)


def donors_of(inputs: Sequence[str], vocabulary: Vocabulary) -> list[Program]:
    """The published rules that can be written in a vocabulary with these inputs."""
    donors = []
    for name in ZOO:
        try:
            donors.append(parse(ZOO[name].text, vocabulary, inputs=inputs))
        except CandidateSyntaxError:
            continue
    return donors

"""Validation of finalists: one is chosen on tasks the search never saw, then set against tuned baselines on others.

Three suites keep three questions apart: the search suite made the finalists, the validation suite chooses among them
(successive halving), and the test suite says how good the chosen one is. So the table at the end holds no choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.optimizers.baselines import ADAMW, Baseline, Baselines
from evaluators.optimizers.contest import Contest, Side, Yardstick, contest
from evaluators.optimizers.efforts import Effort
from evaluators.optimizers.ledger import Ledger, rounded_by
from evaluators.optimizers.references import MissingReferenceError, References, Say
from evaluators.optimizers.rungs import Run, Rung, rung_of
from evaluators.optimizers.scoring import Scored, score_rules
from evaluators.optimizers.step_costs import Timed, step_costs
from evaluators.optimizers.tuning import Bench
from evaluators.optimizers.weighing import Weighed, weigh
from sandbox.update_rules.rule import UpdateRule, read_rule

FIRST_ELSEWHERE_SEED = 4000

KEPT = 3
"""One of so many finalists goes on to the next rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A rule that asks for validation: its name (a candidate's number, a file's), text, score of the search."""

    name: str
    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What validation works with: how rules are trained, what is known already."""

    trainer: Timed
    ledger: Ledger
    references: References
    baselines: Baselines
    say: Say

    @property
    def bench(self) -> Bench:
        """Trains what the ledger does not know."""
        return Bench(self.trainer, self.ledger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one of the finalists was chosen: what each had at each rung, best first."""

    finalist: Finalist
    rungs: tuple[tuple[tuple[Finalist, Scored], ...], ...]

    def to_json(self) -> list[list[dict[str, Any]]]:
        """As plain data: one list for each rung."""
        return [
            [
                {
                    "name": finalist.name,
                    "search_score": finalist.score,
                    "score": scored.score,
                    "standard_error": scored.standard_error if scored.score is not None else None,
                    "detail": scored.detail,
                    "tasks": dict(scored.per_task),
                }
                for finalist, scored in rung
            ]
            for rung in self.rungs
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What validation found about the chosen rule.

    `gap` has its mean octaves over AdamW* by suite, each task's between the bounds of `clipped_to`; the search suite
    is the default one, whatever tasks a run had. `contests` are against the baselines, `longer` at four times the
    horizon, `resized` with other widths and batch sizes, both against AdamW*.
    """

    effort: str
    rule: UpdateRule
    choice: Choice
    gap: Mapping[str, float | None]
    clipped_to: tuple[float, float]
    contests: tuple[Contest, ...]
    longer: Contest
    resized: Contest
    sides: Mapping[str, Side]
    n_trained: int

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        name = self.choice.finalist.name
        return {
            "effort": self.effort,
            "chosen": name,
            "rule": self.rule.text,
            "search_score": self.choice.finalist.score,
            "ladder": self.choice.to_json(),
            "octaves_by_suite": dict(self.gap),
            "octaves_clipped_to": list(self.clipped_to),
            "contests": [each.to_json() for each in self.contests],
            "longer": self.longer.to_json(),
            "resized": self.resized.to_json(),
            "rules": {
                who: {
                    run.name: {
                        "learning_rate": weighed.learning_rate,
                        "basin_octaves": weighed.basin_octaves(),
                        "failure_rate": weighed.failure_rate,
                        "losses": [each.loss for each in weighed.outcomes.values()],
                    }
                    for run, weighed in side.weighed.items()
                }
                for who, side in self.sides.items()
            },
            "step_cost": {who: dict(side.cost) for who, side in self.sides.items()},
            "training_runs": self.n_trained,
        }


def validate(finalists: Sequence[Finalist], effort: Effort, how: Trained) -> Validation:
    """Choose one of the finalists, and set it against the baselines.

    What the ledger knows is not trained again, so an interrupted validation goes on where it was, and a larger effort
    adds to a smaller one.

    Raises:
        EvaluatorError: there is no finalist, or none can be trained.
        MissingReferenceError: a validation or test task has no reference data.
    """
    before = len(how.ledger)
    choice = choose(finalists, effort, how)
    rule = read_rule(choice.finalist.text)
    how.say(f"chosen: {choice.finalist.name}; now on the test tasks")
    sides = _on_the_test_suite(rule, effort.test, how)
    yardsticks = {run: _yardstick(run, weighed, how) for run, weighed in sides[ADAMW].weighed.items()}
    mine = sides[""]
    return Validation(
        effort=effort.name,
        rule=rule,
        choice=choice,
        gap=_by_suite(rule, effort, choice, mine, yardsticks, how),
        clipped_to=_bounds(effort),
        contests=tuple(contest(name, mine, side, yardsticks) for name, side in sides.items() if name),
        longer=_elsewhere("at four times the horizon", effort.longer, rule, effort, how),
        resized=_elsewhere("with other widths and batches", effort.resized, rule, effort, how),
        sides={name or choice.finalist.name: side for name, side in sides.items()},
        n_trained=len(how.ledger) - before,
    )


def choose(finalists: Sequence[Finalist], effort: Effort, how: Trained) -> Choice:
    """Successive halving on the validation suite: at each rung the best third is measured more closely.

    Raises:
        EvaluatorError: there is no finalist, or none can be trained.
    """
    going = _distinct(finalists)[: effort.n_finalists]
    if not going:
        raise EvaluatorError("there is no finalist to validate: expected at least one rule with a score")
    rungs: list[tuple[tuple[Finalist, Scored], ...]] = []
    for number, rung in enumerate(effort.ladder):
        how.say(f"validation rung {number + 1} of {len(effort.ladder)}: {len(going)} rules on {len(rung.runs)} tasks")
        rules = [read_rule(each.text) for each in going]
        scored = score_rules(rules, rung, ledger=how.ledger, references=how.references, trainer=how.trainer)
        ranked = sorted(zip(going, scored, strict=True), key=lambda pair: -_score(pair[1]))
        rungs.append(tuple(ranked))
        going = [finalist for finalist, each in ranked if each.score is not None][: max(1, len(going) // KEPT)]
        if not going:
            raise EvaluatorError(f"no finalist can be trained on the validation tasks: {ranked[0][1].detail}")
    return Choice(finalist=going[0], rungs=tuple(rungs))


def _distinct(finalists: Sequence[Finalist]) -> list[Finalist]:
    """Finalists of different rules; of equal ones the first."""
    return list({read_rule(each.text).fingerprint: each for each in reversed(finalists)}.values())[::-1]


def _score(scored: Scored) -> float:
    return float("-inf") if scored.score is None else scored.score


def _on_the_test_suite(rule: UpdateRule, rung: Rung, how: Trained) -> dict[str, Side]:
    """The rule (under an empty name) and all baselines on the test tasks, trained where they are not known."""
    rules = {"": rule, ADAMW: how.references.rule} | {
        name: baseline.rule for name, baseline in how.baselines.baselines.items() if name != ADAMW
    }
    weighed: dict[str, dict[Run, Weighed]] = {name: {} for name in rules}
    torch = rounded_by(how.trainer.device)
    for run in rung.runs:
        key = how.bench.key(run)
        known = {
            name: found
            for name in rules
            if name in how.baselines.baselines
            and (found := how.baselines.known(name, key, seeds=rung.scoring_seeds, torch=torch))
        }
        lacking = [name for name in rules if name not in known]
        how.say(f"test task {run.task}: training {', '.join(name or 'the rule' for name in lacking)}")
        fresh = weigh([rules[name] for name in lacking], run, rung, bench=how.bench, references=how.references)
        for name, each in (known | dict(zip(lacking, fresh, strict=True))).items():
            weighed[name][run] = each
    measured = [""] if torch == rounded_by("cpu") else [name for name in rules if name != ADAMW]
    costs = {name: _known_costs(how.baselines.baselines.get(name)) for name in rules}
    costs |= {name: step_costs(rules[name], how.references.rule, rung.runs, how.trainer) for name in measured}
    return {name: Side(weighed=weighed[name], cost=costs[name]) for name in rules}


def _known_costs(baseline: Baseline | None) -> Mapping[str, float]:
    return {} if baseline is None else baseline.cost


def _yardstick(run: Run, weighed: Weighed, how: Trained) -> Yardstick:
    try:
        curve = how.references.of(run, how.trainer.task(run).content_hash).curve
    except MissingReferenceError:
        curve = None
    return Yardstick(weighed=weighed, curve=curve)


def _by_suite(
    rule: UpdateRule,
    effort: Effort,
    choice: Choice,
    mine: Side,
    yardsticks: Mapping[Run, Yardstick],
    how: Trained,
) -> dict[str, float | None]:
    """Mean octaves over AdamW* by suite: how much of what the search found is left elsewhere.

    Tasks of all three suites are clipped to the validation's bounds, which are wider than those of a search's score:
    means of values that were clipped differently cannot be compared.
    """
    how.say("the search suite once more, for the gap between what was searched on and what was not")
    floor, cap = _bounds(effort)
    rung = replace(effort.search, floor=floor, cap=cap)
    search = score_rules([rule], rung, ledger=how.ledger, references=how.references, trainer=how.trainer)[0]
    last = next(scored for finalist, scored in choice.rungs[-1] if finalist is choice.finalist)
    places = [yardsticks[run].octaves(weighed, run.n_steps) for run, weighed in mine.weighed.items()]
    known = [max(floor, min(cap, each)) for each in places if each is not None]
    test = sum(known) / len(known) if known and len(known) == len(places) else None
    return {"search": search.score, "validation": last.score, "test": test}


def _bounds(effort: Effort) -> tuple[float, float]:
    """The least and the most octaves that one task counts, in the rung that chooses."""
    return effort.ladder[-1].floor, effort.ladder[-1].cap


def _elsewhere(what: str, runs: Sequence[Run], rule: UpdateRule, effort: Effort, how: Trained) -> Contest:
    """The rule against AdamW* on other runs, both tuned there alike."""
    rung = replace(
        rung_of("elsewhere", runs, n_tuning_seeds=1, n_confirmation_seeds=effort.n_robust_seeds, n_learning_rates=5),
        confirmation_seeds=tuple(range(FIRST_ELSEWHERE_SEED, FIRST_ELSEWHERE_SEED + effort.n_robust_seeds)),
    )
    mine, theirs = {}, {}
    for run in runs:
        how.say(f"{what}: {run.name}")
        mine[run], theirs[run] = weigh(
            [rule, how.references.rule], run, rung, bench=how.bench, references=how.references
        )
    return contest(ADAMW, Side(weighed=mine, cost={}), Side(weighed=theirs, cost={}), {})

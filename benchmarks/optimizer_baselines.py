"""Measures the baselines of `evolve validate`: NAdamW*, Muon*, SOAP* and AdamW* on the test suite.

    python -m benchmarks.optimizer_baselines --choose     # their constants: sixteen trials each on the search suite
    python -m benchmarks.optimizer_baselines              # how they do on the test suite, where that is not known
    python -m benchmarks.optimizer_baselines --only Muon* --tasks mod_add picture

Without `--out` the data of the package are extended. What is trained stays in `--ledger`, so an interrupted measurement
goes on where it was.
"""

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluators.optimizers.baselines import ADAMW, SHIPPED, Baseline, Baselines, trials_of
from evaluators.optimizers.efforts import efforts
from evaluators.optimizers.ledger import Ledger, torch_version
from evaluators.optimizers.references import References
from evaluators.optimizers.rungs import judge_rung
from evaluators.optimizers.scoring import Scored, best_of
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from evaluators.optimizers.step_costs import step_costs
from evaluators.optimizers.tuning import Bench
from evaluators.optimizers.weighing import weigh
from sandbox.update_rules.rule import read_rule

N_CONFIRMED = 4
TUNED = ("NAdamW*", "Muon*", "SOAP*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """What is measured, and where it is kept."""

    references: References
    bench: Bench
    trainer: ProxyTrainer
    out: Path

    def load(self) -> Baselines:
        """What is known under this version of torch."""
        known = Baselines.load(self.out) if self.out.exists() else None
        if known is None or known.torch != torch_version():
            return Baselines(torch=torch_version(), baselines={})
        return known

    def keep(self, baseline: Baseline) -> None:
        """Write one baseline."""
        known = self.load()
        replace(known, baselines={**known.baselines, baseline.name: baseline}).save(self.out)


def chosen(name: str, bank: Bank) -> Baseline:
    """A baseline with the constants that do best on the search suite: sixteen at a glance, the best four as judged."""
    start, trials = time.process_time(), trials_of(name)
    rules = [read_rule(text) for _, text in trials]
    how = {"ledger": bank.bench.ledger, "references": bank.references, "trainer": bank.trainer}
    glance = judge_rung(n_tuning_seeds=1, n_confirmation_seeds=0, n_learning_rates=3)
    _, glances = best_of(rules, glance, **how)
    few = sorted(range(len(rules)), key=lambda place: -_octaves(glances[place]))[:N_CONFIRMED]
    _, judged = best_of([rules[place] for place in few], judge_rung(), **how)
    told = [
        {**constants, "octaves_at_a_glance": _rounded(each)}
        for (constants, _), each in zip(trials, glances, strict=True)
    ]
    for place, each in zip(few, judged, strict=True):
        told[place]["octaves_over_adamw"] = _rounded(each)
    for trial in told:
        print(name, trial, flush=True)
    best = max(zip(few, judged, strict=True), key=lambda pair: _octaves(pair[1]))[0]
    print(f"{name}: {time.process_time() - start:.0f} CPU-s\n{trials[best][1]}", flush=True)
    return Baseline(name=name, text=trials[best][1], trials=told)


def _octaves(scored: Scored) -> float:
    return -math.inf if scored.score is None else scored.score


def _rounded(scored: Scored) -> float | None:
    return None if scored.score is None else round(scored.score, 3)


def measured(baseline: Baseline, tasks: Sequence[str], effort: str, bank: Bank) -> Baseline:
    """How a baseline does on the test suite; written after every task."""
    rung = efforts()[effort].test
    rule = baseline.rule
    for run in (each for each in rung.runs if not tasks or each.task in tasks):
        key = bank.bench.key(run)
        if key in baseline.weighed and set(rung.scoring_seeds) <= set(baseline.weighed[key].outcomes):
            continue
        start = time.process_time()
        [found] = weigh([rule], run, rung, bench=bank.bench, references=bank.references)
        cost = {} if baseline.name == ADAMW else step_costs(rule, bank.references.rule, [run], bank.trainer)
        others = {each: known for each, known in baseline.weighed.items() if not each.startswith(f"{run.name}@")}
        baseline = replace(baseline, weighed={**others, key: found}, cost={**baseline.cost, **cost})
        bank.keep(baseline)
        losses = sum(found.log_losses(list(found.outcomes))) / len(found.outcomes)
        print(
            f"{baseline.name} {run.name}: log loss {losses:.4f}, rate {found.learning_rate:.2g}, "
            f"step cost {cost.get(run.task, 1.0):.2f}, {time.process_time() - start:.1f} CPU-s",
            flush=True,
        )
    return baseline


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choose", action="store_true", help="choose the constants anew; forgets all other data")
    parser.add_argument("--only", action="append", choices=(ADAMW, *TUNED), help="default: all")
    parser.add_argument("--tasks", nargs="*", default=[], help="default: the whole test suite")
    parser.add_argument("--effort", choices=list(efforts()), default="normal", help="seeds, as of `evolve validate`")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--ledger", type=Path, help="a file of JSON lines; default: none is kept")
    options = parser.parse_args()
    references, trainer = References.shipped(), ProxyTrainer()
    bank = Bank(references=references, bench=Bench(trainer, Ledger(options.ledger)), trainer=trainer, out=options.out)
    for name in options.only or (ADAMW, *TUNED):
        if name != ADAMW and options.choose:
            bank.keep(chosen(name, bank))
            continue
        known = bank.load().baselines.get(name)
        if name == ADAMW and (known is None or known.text != references.text + "\n"):
            known = Baseline(name=ADAMW, text=references.text + "\n", trials=references.trials)
        if known is None:
            parser.error(f"{name} has no constants yet: run with --choose first")
        measured(known, options.tasks, options.effort, bank)


if __name__ == "__main__":
    main()

"""How many programs the engine needs to find a hidden update rule again, given only its trajectory.

    python -m benchmarks.rule_recovery --rules lion signum --rng-seeds 5 --programs 100000

No training and no GPU: a program's fitness is how alike its updates on a fixed stream of gradients are to the hidden
rule's. One line a run: programs made and evaluated until the likeness reached --enough, CPU seconds, and the likeness
on another, longer stream; with --show the program that was found.
"""

import argparse
import time
from collections.abc import Sequence

from evolve.rules.engine import SearchSettings
from evolve.rules.moves import MoveSettings
from evolve.rules.recovery import Recovery, RecoverySettings, recover
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.zoo import zoo_text

DEFAULT_RULES = ("rmsprop", "signum", "nesterov", "lion", "cautious_adamw", "adam", "nadamw", "adabelief")


def main(arguments: Sequence[str] | None = None) -> None:
    """Recover every rule with every seed and print one line each."""
    options = _options(arguments)
    vocabulary = load_vocabulary(options.vocabulary)
    settings = RecoverySettings(
        search=SearchSettings(n_programs=options.programs, enough=options.enough, strategy=options.strategy),
        moves=MoveSettings(max_operations=options.max_operations),
        is_full=options.full,
    )
    print("rule rng_seed found programs evaluated hits likeness elsewhere operations cpu_seconds")
    for name in options.rules:
        hidden = parse(hidden_text(name), vocabulary)
        start = parse(zoo_text(options.start or ("sgd" if name in ("adam", "adamw") else "adam")), vocabulary)
        for rng_seed in range(options.first_rng_seed, options.first_rng_seed + options.rng_seeds):
            began = time.process_time()
            found = recover(hidden, start, vocabulary, settings, rng_seed=rng_seed)
            print(_line(name, rng_seed, found, options.enough, time.process_time() - began), flush=True)
            if options.show:
                print(render(found.program, vocabulary), flush=True)


def hidden_text(name: str) -> str:
    """The text of a rule of the zoo; weight decay, which is no matter of gradients, is left out."""
    return zoo_text(name, decay=0.0) if name == "adamw" else zoo_text(name)


def _line(name: str, rng_seed: int, found: Recovery, enough: float, seconds: float) -> str:
    statistics = found.statistics
    return (
        f"{name} {rng_seed} {'yes' if found.likeness >= enough else 'no'} {found.n_programs} {statistics.evaluated} "
        f"{statistics.hit_rate:.0%} {found.likeness:.5f} {found.likeness_elsewhere:.5f} "
        f"{len(found.program.instructions) - 1} {seconds:.1f}"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rules", nargs="+", default=list(DEFAULT_RULES), metavar="RULE", help="hidden rules")
    parser.add_argument("--start", metavar="RULE", help="where the search starts (adam; for adam and adamw sgd)")
    parser.add_argument("--rng-seeds", type=int, default=5, help="runs per rule")
    parser.add_argument("--first-rng-seed", type=int, default=0, help="the first of them")
    parser.add_argument("--programs", type=int, default=100_000, help="programs at most, known ones included")
    parser.add_argument("--enough", type=float, default=0.9995, help="the likeness at which a rule is found")
    parser.add_argument("--strategy", choices=("map_elites", "regularised"), default="map_elites")
    parser.add_argument("--vocabulary", default="optimizer_elementwise")
    parser.add_argument("--max-operations", type=int, default=25, help="calls of a program at most")
    parser.add_argument("--steps-only", dest="full", action="store_false", help="likeness over the steps only")
    parser.add_argument("--show", action="store_true", help="print what was found")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

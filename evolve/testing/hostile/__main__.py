"""`python -m evolve.testing.hostile`: run the suite, print the report, exit with 1 if anything broke out."""

import argparse
import sys

from evolve.testing.hostile.attack import CURRENT, NOOPEN, STRONG
from evolve.testing.hostile.catalogue import all_attacks
from evolve.testing.hostile.report import lines, run_suite

LEVELS = {configuration.name: configuration for configuration in (CURRENT, STRONG, NOOPEN)}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m evolve.testing.hostile", description=__doc__)
    parser.add_argument("--level", choices=LEVELS, default=CURRENT.name, help="leave layers away to reach this level")
    parser.add_argument("--proofs", action="store_true", help="show too that each attack succeeds where it should")
    parser.add_argument("names", nargs="*", help="attacks to run, all by default")
    asked = parser.parse_args()
    chosen = [attack for attack in all_attacks() if not asked.names or attack.name in asked.names]
    report = run_suite(LEVELS[asked.level], attacks=chosen, with_proofs=asked.proofs)
    sys.stdout.write("\n".join(lines(report)) + "\n")
    return 1 if report.breaches or report.unproved else 0


if __name__ == "__main__":
    sys.exit(main())

"""How much the suite runs: by default what fits ten minutes on two cores, all of it where the environment asks.

`EVOLVE_ALL_TESTS` asks for everything; `EVOLVE_ALL_ATTACKS` for the hostile suite alone.
"""

import os

ALL_TESTS = bool(os.environ.get("EVOLVE_ALL_TESTS"))
ALL_ATTACKS = ALL_TESTS or bool(os.environ.get("EVOLVE_ALL_ATTACKS"))

"""What our own processes see of the environment: no key, no token, nothing that changes what is imported."""

import os

KEPT_VARIABLES = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"),
    *("XDG_CACHE_HOME", "EVOLVE_CACHE", "NUMBA_CACHE_DIR", "VIRTUAL_ENV"),
)
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def scrubbed_environment() -> dict[str, str]:
    """The environment of a process of ours: what it needs of this one's, and one thread for each library."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | dict.fromkeys(SINGLE_THREADED, "1")

"""Tables of `run.db` as earlier versions of this program made them."""

from evolve.store.calls import CALL_TABLES
from evolve.store.pulse import PULSE_TABLES
from evolve.store.schema import INDEXES, TABLES

THIRD_VERSION = TABLES.replace(PULSE_TABLES, "").replace(INDEXES, "").replace(", paused INTEGER NOT NULL DEFAULT 0", "")
SECOND_VERSION = THIRD_VERSION.replace(CALL_TABLES, "").replace(
    ",\n  notes TEXT NOT NULL DEFAULT '{}') STRICT", ") STRICT"
)
FIRST_VERSION = SECOND_VERSION.replace(",\n  level TEXT NOT NULL) STRICT", ") STRICT")

"""`run.db`: the append-only log of a run, one writer and any number of readers."""

from evolve.store.calls import CallTotals
from evolve.store.pulse import Pulse
from evolve.store.reader import RunReader
from evolve.store.records import CallRecord, CandidateRecord, IterationRecord
from evolve.store.writer import RunWriter

__all__ = ["CallRecord", "CallTotals", "CandidateRecord", "IterationRecord", "Pulse", "RunReader", "RunWriter"]

"""`run.db`: the append-only log of a run, one writer and any number of readers."""

from evolve.store.reader import RunReader
from evolve.store.records import CandidateRecord, IterationRecord
from evolve.store.writer import RunWriter

__all__ = ["CandidateRecord", "IterationRecord", "RunReader", "RunWriter"]

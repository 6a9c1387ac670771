"""A told iteration of one candidate, for run logs that tests write themselves."""

from evolve.store import CandidateRecord, IterationRecord


def told_alone(record: CandidateRecord, *, n_duplicates: int = 0) -> IterationRecord:
    """The iteration that made this candidate and no other."""
    return IterationRecord(
        number=record.candidate.iteration,
        operator=record.candidate.operator,
        island=0,
        cost=0.5,
        reward=1.0,
        seconds=0.1,
        n_duplicates=n_duplicates,
        candidates=(record,),
    )

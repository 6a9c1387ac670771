"""What the edges read of a run: questions to `run.db`, answered in milliseconds also after a million candidates."""

"""The dashboard: a run watched in a terminal. Reads `run.db` only; imported by the command that opens it."""

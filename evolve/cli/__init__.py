"""The command line: reads `run.db` for questions, drives the loop for `run` and `resume`."""

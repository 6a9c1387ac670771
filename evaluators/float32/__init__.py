"""Judging programs of float32 operations: compiled C, the error of every float32, instructions and nanoseconds."""

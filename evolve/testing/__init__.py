"""Conformance suites: what every archive, executor, sandbox, operator and evaluator must do. Needs pytest."""

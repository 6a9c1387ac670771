"""Operators make children from parents; they compete for the same budget under one bandit."""

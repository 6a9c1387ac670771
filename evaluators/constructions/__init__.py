"""Verifiers of mathematical constructions: a construction is data, its value is computed here, with proof."""

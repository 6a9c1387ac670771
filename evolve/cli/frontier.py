"""Moved to `evolve.view.frontier`."""

from evolve.view.frontier import Baselines, FrontierRow, frontier_of, read_baselines, tally

__all__ = ["Baselines", "FrontierRow", "frontier_of", "read_baselines", "tally"]

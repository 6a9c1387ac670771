"""Numbers, names and tables as text for people, by the name that the command line knows them by."""

from evolve.view.figures import figure, figures_apart, indented, named_figures, plural, table

__all__ = ["figure", "figures_apart", "indented", "named_figures", "plural", "table"]

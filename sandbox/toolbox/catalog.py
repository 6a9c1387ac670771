"""The toolboxes by name."""

from importlib import import_module
from typing import Any

from sandbox.toolbox.base import Step, Toolbox, steps_of

MODULES = {
    "circles": "sandbox.toolbox.circles:Circles",
    "distance_ratio": "sandbox.toolbox.distances:DistanceRatio",
    "spherical_code": "sandbox.toolbox.distances:SphericalCode",
    "heilbronn": "sandbox.toolbox.triangles:Heilbronn",
    "autoconvolution": "sandbox.toolbox.functions:Autoconvolution",
    "overlap": "sandbox.toolbox.functions:Overlap",
    "charges": "sandbox.toolbox.charges:Charges",
    "vector": "sandbox.toolbox.vectors:Vectors",
    "profile": "sandbox.toolbox.profiles:Profiles",
    "zeros": "sandbox.toolbox.zeros:Zeros",
    "integer_set": "sandbox.toolbox.integers:IntegerSet",
    "short_cycle_free": "sandbox.toolbox.graphs:ShortCycleFree",
    "matrix_product": "sandbox.toolbox.tensors:MatrixProduct",
    "conflict_free": "sandbox.toolbox.conflicts:ConflictFree",
    "grid_points": "sandbox.toolbox.grids:GridPoints",
    "small_union": "sandbox.toolbox.choices:SmallUnion",
    "free_cells": "sandbox.toolbox.tilings:FreeCells",
    "sidorenko": "sandbox.toolbox.graphons:Sidorenko",
    "square_free_residues": "sandbox.toolbox.residues:SquareFreeResidues",
    "sign_sequence": "sandbox.toolbox.signs:SignSequence",
    "no_convex": "sandbox.toolbox.convexity:NoConvex",
}


def toolbox_named(name: str) -> type[Toolbox[Any]]:
    """The toolbox of this name; imports what it needs, which takes a second or two.

    Raises:
        KeyError: there is none.
    """
    module, _, attribute = MODULES[name].partition(":")
    found: type[Toolbox[Any]] = getattr(import_module(module), attribute)
    return found


def steps_named(name: str) -> tuple[Step, ...]:
    """The steps of the toolbox of this name.

    Raises:
        KeyError: there is no such toolbox.
    """
    return steps_of(toolbox_named(name))

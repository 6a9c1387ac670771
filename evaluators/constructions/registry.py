"""Every verifier by name; the modules behind them are read when they are needed."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from evaluators.constructions.verdict import Parameters, RejectedError, Verdict, Verifier
from evaluators.errors import EvaluatorError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "circles": ("circles_in_rectangle", "circles_in_square"),
    "steps": (
        "erdos_overlap",
        "first_autocorrelation",
        "gagliardo_nirenberg",
        "second_autocorrelation",
        "smallest_autocorrelation",
        "third_autocorrelation",
        "young_convolution",
    ),
    "distances": ("minmax_distance_ratio", "spherical_code", "tammes", "thomson"),
    "graphs": ("cycle_power_independent", "girth_five", "sidorenko", "turan_tetrahedron"),
    "fields": ("kakeya", "nikodym", "sum_product"),
    "measures": (
        "arithmetic_kakeya",
        "beat_the_average",
        "block_stacking",
        "edges_and_triangles",
        "ring_loading",
    ),
    "signs": (
        "flat_polynomial",
        "largest_determinant",
        "lifted_polynomial",
        "low_discrepancy",
        "matrix_discrepancy",
        "merit_factor",
        "narrow_polynomial",
    ),
    "vectors": ("kissing", "lattice_packing"),
    "laguerre": ("uncertainty_hermite", "uncertainty_laguerre"),
    "arithmetic": ("factorial_factors", "maximal_function", "prime_number_certificate"),
    "plane": ("kakeya_needle", "polyhedron_volume", "rectangle_tiling"),
    "zeros": ("schmeisser", "sendov", "smale"),
    "critical": ("borcea", "de_bruin_sharma"),
    "cylinders": ("touching_cylinders",),
    "designs": ("spherical_design",),
    "harmonics": ("harmonic_norm",),
    "hexagons": ("hexagons_in_hexagon",),
    "inequalities": ("hausdorff_young", "interpolation_inequality"),
    "matrices": ("crouzeix", "matrix_mean"),
    "ovals": ("oval_eigenvalue",),
    "prisms": ("kakeya_space",),
    "radial": ("sphere_packing_bound", "uncertainty_minus"),
    "sidon": ("sidon_subset",),
    "sofas": ("moving_sofa",),
    "rotated": ("cubes_in_cube", "squares_in_square"),
    "grids": ("happy_ending", "incidences", "no_five_on_a_sphere", "no_isosceles", "no_three_in_line"),
    "sums": (
        "difference_basis",
        "golomb_ruler",
        "more_sums_than_differences",
        "no_squarefree_products",
        "square_free_differences",
        "sum_difference_one",
        "sum_difference_two",
        "sums_differences",
    ),
    "tensors": ("matrix_multiplication",),
    "triangles": ("heilbronn_convex", "heilbronn_disk", "heilbronn_square", "heilbronn_triangle"),
}
MODULES: Mapping[str, str] = {name: module for module, names in _NAMES.items() for name in names}


@cache
def verifier_named(name: str) -> Verifier:
    """The verifier of this name.

    Raises:
        EvaluatorError: there is none.
    """
    if name not in MODULES:
        raise EvaluatorError(f"there is no verifier {name!r}, expected one of {', '.join(sorted(MODULES))}")
    module = import_module(f"evaluators.constructions.{MODULES[name]}")
    found: Verifier = next(each for each in module.VERIFIERS if each.name == name)
    return found


def checked_parameters(verifier: Verifier, given: Mapping[str, Any]) -> Parameters:
    """The parameters that the verifier takes, all of them and in its order.

    Raises:
        EvaluatorError: some are missing, unknown or out of range; all are told.
    """
    known = {each.name: each for each in verifier.parameters}
    wrong = [f"{name} is unknown, expected {', '.join(known) or 'none'}" for name in given if name not in known]
    for name, parameter in known.items():
        if name not in given:
            wrong.append(f"{name} is missing, expected {parameter.expected}")
        elif not parameter.takes(given[name]):
            wrong.append(f"{name} is {given[name]!r}, expected {parameter.expected}")
    if wrong:
        raise EvaluatorError(f"parameters of {verifier.name}: {'; '.join(wrong)}")
    return {name: given[name] for name in known}


def verify(name: str, data: Any, parameters: Mapping[str, Any] | None = None) -> Verdict:
    """What a construction is worth: the same answer for the same data, with no tolerance.

    Raises:
        EvaluatorError: the verifier or its parameters are wrong, which is not the construction's fault.
    """
    verifier = verifier_named(name)
    checked = checked_parameters(verifier, parameters or {})
    try:
        return Verdict.of(verifier.measure(data, checked), verifier.direction)
    except RejectedError as error:
        return Verdict(valid=False, reason=str(error))

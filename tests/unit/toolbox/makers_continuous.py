"""The toolboxes of continuous constructions, small ones; and their quantities, with what the verifiers take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox import entropies, intervals, laguerre, loads, needles, patterns, polygons, profiles, zeros
from sandbox.toolbox.base import Toolbox
from sandbox.toolbox.charges import Charges, Coulomb, HullVolume
from sandbox.toolbox.vectors import Quantity, Vectors

Floats = npt.NDArray[np.float64]

CONTINUOUS: list[tuple[str, Callable[..., Toolbox[Any]]]] = [
    ("vector", lambda **more: Vectors(needles.kakeya_needle(5, "triangles"), **more)),
    ("vector-ring", lambda **more: Vectors(loads.ring_loading(4, "all"), **more)),
    ("vector-hexagons", lambda **more: Vectors(polygons.hexagons_in_hexagon(3), **more)),
    ("vector-roots", lambda **more: Vectors(laguerre.double_roots(1), **more)),
    ("charges", lambda **more: Charges(12, 3, Coulomb(), **more)),
    ("charges-volume", lambda **more: Charges(6, 3, HullVolume(), **more)),
    ("profile", lambda **more: profiles.Profiles(30, profiles.second_autocorrelation(30), **more)),
    (
        "profile-pair",
        lambda **more: profiles.Profiles(20, profiles.young_convolution(20), n_parts=2, **more),
    ),
    ("zeros", lambda **more: zeros.Zeros(4, "sendov", **more)),
    ("zeros-weights", lambda **more: zeros.Zeros(4, "schmeisser", **more)),
]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A quantity, the problem that it is of, and what a vector of it is for the verifier of that problem."""

    name: str
    verifier: str
    parameters: dict[str, int | str]
    quantity: Quantity
    construction: Callable[[Floats], Any] = lambda x: x
    score: Callable[[float], float] = lambda value: value
    is_smooth: bool = True
    may_be_worth_more: bool = False


CASES = (
    Case(
        name="kakeya_needle",
        verifier="kakeya_needle",
        parameters={"n": 6, "shape": "triangles"},
        quantity=needles.kakeya_needle(6, "triangles"),
    ),
    Case(
        name="kakeya_needle-parallelograms",
        verifier="kakeya_needle",
        parameters={"n": 5, "shape": "parallelograms"},
        quantity=needles.kakeya_needle(5, "parallelograms"),
    ),
    *(
        Case(
            name=f"ring_loading-{cuts}",
            verifier="ring_loading",
            parameters={"m": 5, "cuts": cuts},
            quantity=loads.ring_loading(5, cuts),
            construction=lambda x: x.reshape(2, -1).T,
        )
        for cuts in ("all", "inner")
    ),
    Case(
        name="edges_and_triangles",
        verifier="edges_and_triangles",
        parameters={"n": 30},
        quantity=loads.edges_and_triangles(30),
        construction=loads.multipartite_weights,
    ),
    Case(
        name="hexagons_in_hexagon",
        verifier="hexagons_in_hexagon",
        parameters={"n": 4},
        quantity=polygons.hexagons_in_hexagon(4),
        construction=polygons.hexagon_rows,
        score=lambda value: -1.0 / value,
        may_be_worth_more=True,  # where nothing touches the walls
    ),
    Case(
        name="squares_in_square",
        verifier="squares_in_square",
        parameters={"n": 4},
        quantity=polygons.squares_in_square(4),
        construction=polygons.square_rows,
    ),
    Case(
        name="autocorrelation_2",
        verifier="second_autocorrelation",
        parameters={"n": 20},
        quantity=profiles.second_autocorrelation(20),
    ),
    Case(
        name="autocorrelation_3_absolute",
        verifier="third_autocorrelation",
        parameters={"n": 20, "peak": "absolute"},
        quantity=profiles.third_autocorrelation(20),
    ),
    Case(
        name="autocorrelation_least",
        verifier="smallest_autocorrelation",
        parameters={"n": 20, "m": 8},
        quantity=profiles.smallest_autocorrelation(20, 8),
    ),
    Case(
        name="gagliardo_nirenberg",
        verifier="gagliardo_nirenberg",
        parameters={"n": 20},
        quantity=profiles.gagliardo_nirenberg(20),
        score=lambda value: float(np.exp(value)),
    ),
    Case(
        name="young_convolution",
        verifier="young_convolution",
        parameters={"n": 12},
        quantity=profiles.young_convolution(12),
        construction=profiles.young_pair,
    ),
    Case(
        name="arithmetic_kakeya",
        verifier="arithmetic_kakeya",
        parameters={"n": 36, "slopes": "three"},
        quantity=entropies.arithmetic_kakeya(4, "three"),
        construction=entropies.atoms,
    ),
    Case(
        name="maximal_function",
        verifier="maximal_function",
        parameters={"n": 12},
        quantity=intervals.maximal_function(12),
        construction=intervals.mass_rows,
    ),
    Case(
        name="turan_tetrahedron",
        verifier="turan_tetrahedron",
        parameters={"n": 4},
        quantity=patterns.turan_tetrahedron(4),
        construction=lambda x: patterns.pattern_of(x, 4),
    ),
    Case(
        name="sendov",
        verifier="sendov",
        parameters={"n": 5},
        quantity=zeros.distance_to_critical(5, "sendov"),
        construction=lambda x: zeros.zero_rows(x, 5),
        is_smooth=False,
        may_be_worth_more=True,  # where another zero than the first is farther from all critical points
    ),
    Case(
        name="schmeisser",
        verifier="schmeisser",
        parameters={"n": 5},
        quantity=zeros.distance_to_critical(5, "schmeisser"),
        construction=lambda x: zeros.weighted_zeros(x, 5),
        is_smooth=False,
    ),
    Case(
        name="smale",
        verifier="smale",
        parameters={"n": 5},
        quantity=zeros.smale_quotients(5),
        construction=zeros.coefficient_rows,
        is_smooth=False,
    ),
    Case(
        name="uncertainty_laguerre",
        verifier="uncertainty_laguerre",
        parameters={"n": 3},
        quantity=laguerre.double_roots(3),
        construction=laguerre.root_texts,
        is_smooth=False,
    ),
    Case(
        name="uncertainty_hermite",
        verifier="uncertainty_hermite",
        parameters={"n": 3},
        quantity=laguerre.double_roots(1),
        construction=lambda x: laguerre.hermite_coefficients(x, 3),
        is_smooth=False,
    ),
)

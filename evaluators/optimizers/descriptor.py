"""What kind of update rule a program is, measured on a fixed stream of gradients: no training, a few milliseconds.

The members of one batch see the same stream, each changed in one way; what the change does to the update tells the
kind. Rules that no training can help are refused here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import UpdateRule, start, step

KINDS: Final = ("linear", "partial", "adaptive", "sign", "normalised", "matrix", "curvature")
"""What the axis `family` tells apart, see `Kind.family`."""

FACTOR: Final = 16.0
N_STEPS: Final = 24
N_LAST: Final = 8
NEARLY: Final = 0.1
LATE: Final = 10_000
FILLING_UP: Final = 10.0
"""Undoing that an average began at zero changes an update by at most so many powers of two, after the first steps."""

LEAST, MOST = 1e-20, 1e20
_LAYOUT: Final = Layout(shapes=((6, 5), (5, 4), (7,)), roles=("hidden", "head", "vector"))
_STREAM_SEED: Final = 20262
_PLAIN, _LARGER, _OPPOSITE, _NEIGHBOURS, _SHIFTED, _N_MEMBERS = range(6)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The signature of a rule.

    `degree` is how the update grows with the gradient: 1 if it is proportional (plain descent), 0 if its size does not
    matter (Adam, sign descent). `late` is by how many powers of two the update changes, with the same state, from step
    10,000 to step 20,000, and before step 10,000 if that is more than averages that fill up can explain: anything but 0
    is a schedule of the rule's own. `reads_weights` says whether the update
    depends on the weights, `is_odd` whether the opposite gradients give the opposite update.
    """

    family: str
    degree: float
    late: float
    reads_weights: bool
    is_odd: bool

    def metrics(self) -> dict[str, float]:
        """Its numbers under the names of an evaluation's metrics."""
        return {
            "degree": self.degree,
            "late_schedule": self.late,
            "reads_weights": float(self.reads_weights),
            "odd": float(self.is_odd),
        }


class UselessRuleError(ValueError):
    """The rule cannot train anything: its update is not finite, nothing, or does not depend on the gradient."""

    def __init__(self, message: str, *, is_finite: bool = True) -> None:
        super().__init__(message)
        self.is_finite = is_finite


def kind_of(rule: UpdateRule) -> Kind:
    """Measure a rule.

    Raises:
        UselessRuleError: no training could come of it.
    """
    updates, late = _run(rule)
    plain = updates[:, _PLAIN]
    _require_use(updates)
    degree = _log2_ratio(updates[:, _LARGER], plain) / math.log2(FACTOR)
    return Kind(
        family=_family(rule, updates, degree),
        degree=round(degree, 3),
        late=round(_late(plain[-1], *late), 3),
        reads_weights=not np.allclose(updates[:, _SHIFTED], plain, rtol=1e-9, atol=0.0),
        is_odd=bool(np.allclose(updates[:, _OPPOSITE], -plain, rtol=1e-6, atol=1e-12)),
    )


def _late(now: FloatArray, later: FloatArray, latest: FloatArray) -> float:
    early, late = _log2_ratio(later, now), _log2_ratio(latest, later)
    return late + early if abs(early) > FILLING_UP else late


def _require_use(updates: FloatArray) -> None:
    if not np.isfinite(updates).all():
        raise UselessRuleError("the update is not finite on ordinary gradients", is_finite=False)
    size = _rms(updates[:, _PLAIN])
    if not LEAST < size < MOST:
        raise UselessRuleError(f"the update has size {size:.3g} on ordinary gradients, expected something in between")
    if all(np.array_equal(updates[:, each], updates[:, _PLAIN]) for each in (_LARGER, _OPPOSITE, _NEIGHBOURS)):
        raise UselessRuleError("the update does not depend on the gradient g")


def _family(rule: UpdateRule, updates: FloatArray, degree: float) -> str:
    """The first that fits.

    `matrix`: it multiplies, orthogonalises or rotates matrices; `curvature`: it reads the Hessian's diagonal; `linear`:
    the update grows as the gradient does; `partial`: with some other power of it, or in no such way; and where the
    gradient's size does not matter `sign`: all coordinates move by about the same; `normalised`: a coordinate's update
    depends on other coordinates; `adaptive`: on its own gradients only.
    """
    if rule.has_matrices:
        return "matrix"
    if "h" in rule.needs:
        return "curvature"
    if abs(degree - 1.0) < NEARLY:
        return "linear"
    if abs(degree) >= NEARLY:
        return "partial"
    plain = updates[:, _PLAIN]
    sizes = np.abs(plain)
    if float(np.mean(sizes.std(axis=1))) < NEARLY * float(np.mean(sizes)):
        return "sign"
    own = _own_half()
    is_alone = np.allclose(updates[:, _NEIGHBOURS][:, own], plain[:, own], rtol=1e-6, atol=1e-12)
    return "adaptive" if is_alone else "normalised"


def _run(rule: UpdateRule) -> tuple[FloatArray, FloatArray]:
    """The last updates of all members [step, member, coordinate], and the plain one much later, twice as late."""
    arrays = NumpyArrays(_LAYOUT)
    gradients, weights = _stream()
    losses = np.full((_N_MEMBERS, 1), 1.0)
    state = before = start(rule, arrays, _N_MEMBERS)

    def update(t: int, number: int, state: Mapping[str, Any]) -> tuple[FloatArray, dict[str, Any]]:
        g, f = gradients[number], losses * (1.0 + 1.0 / (1 + number))
        return step(rule, arrays, weights[number], g, state, t=t, lr=1e-3, h=np.abs(g) + 0.1, f=f)

    updates = []
    with np.errstate(all="ignore"):
        for number in range(N_STEPS):
            before = state
            u, state = update(number + 1, number, before)
            updates.append(u)
        late = [update(t, N_STEPS - 1, before)[0][_PLAIN] for t in (LATE, 2 * LATE)]
    return np.asarray(updates[-N_LAST:]), np.asarray(late)


def _stream() -> tuple[FloatArray, FloatArray]:
    """Gradients and weights [step, member, coordinate]: coordinates of many sizes, a trend and noise around it."""
    rng = np.random.default_rng(_STREAM_SEED)
    n = _LAYOUT.n_parameters
    sizes = 10.0 ** rng.uniform(-1.5, 0.5, n)
    trend = rng.normal(size=n)
    base = sizes * (trend + rng.normal(size=(N_STEPS, n)))
    gradients = np.repeat(base[:, None, :], _N_MEMBERS, axis=1)
    gradients[:, _LARGER] *= FACTOR
    gradients[:, _OPPOSITE] *= -1.0
    gradients[:, _NEIGHBOURS][:, ~_own_half()] *= 3.0 * rng.choice([-1.0, 1.0], (N_STEPS, int((~_own_half()).sum())))
    walk = 0.1 * rng.normal(size=n) + 0.001 * rng.normal(size=(N_STEPS, n)).cumsum(axis=0)
    weights = np.repeat(walk[:, None, :], _N_MEMBERS, axis=1)
    weights[:, _SHIFTED] += 1.0
    return gradients, weights


def _own_half() -> npt.NDArray[np.bool_]:
    """Every second coordinate: those whose gradients the member with changed neighbours leaves as they are."""
    own: npt.NDArray[np.bool_] = np.arange(_LAYOUT.n_parameters) % 2 == 0
    return own


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _log2_ratio(above: FloatArray, below: FloatArray) -> float:
    """By how many powers of two sizes differ; a thousand where one of them is nothing or not finite."""
    sizes = _rms(above), _rms(below)
    if not all(LEAST < size < math.inf for size in sizes):
        return 0.0 if sizes[0] == sizes[1] else 1000.0
    return math.log2(sizes[0] / sizes[1])

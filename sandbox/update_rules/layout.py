"""How the parameters of one model lie in one flat row: offsets, sizes, and which of them have rows and columns."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

HIDDEN: Final = "hidden"
EMBEDDING: Final = "embedding"
HEAD: Final = "head"
VECTOR: Final = "vector"
ROLES: Final = (HIDDEN, EMBEDDING, HEAD, VECTOR)


@dataclass(frozen=True, slots=True)
class Layout:
    """The shapes of a model's parameters, in order, and the role of each.

    Roles are "hidden" (matrices and convolutions inside), "embedding", "head" (the last matrix) and "vector"
    (everything with fewer than two dimensions). Without roles every parameter with rows and columns is hidden.
    A parameter with more than two dimensions is seen as a matrix of shape[0] rows.
    """

    shapes: tuple[tuple[int, ...], ...]
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in the roles and check that they fit.

        Raises:
            ValueError: no parameter, an empty one, or roles that do not fit the shapes.
        """
        if not self.shapes or any(size < 1 for shape in self.shapes for size in shape):
            raise ValueError(f"a layout needs at least one parameter and no empty one, got {self.shapes}")
        if not self.roles:
            object.__setattr__(self, "roles", tuple(HIDDEN if len(s) > 1 else VECTOR for s in self.shapes))
        if len(self.roles) != len(self.shapes):
            raise ValueError(
                f"the layout has {len(self.shapes)} shapes and {len(self.roles)} roles: give one role each"
            )
        for shape, role in zip(self.shapes, self.roles, strict=True):
            if role not in ROLES or (role == VECTOR) != (len(shape) < 2):
                wanted = VECTOR if len(shape) < 2 else " or ".join(ROLES[:3])
                raise ValueError(f"a parameter of shape {shape} has the role {role!r}: use {wanted}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers in each parameter."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each parameter starts in the row."""
        return tuple(accumulate(self.sizes[:-1], initial=0))

    @property
    def n_parameters(self) -> int:
        """Numbers in the whole row."""
        return sum(self.sizes)

    @property
    def matrices(self) -> tuple[int, ...]:
        """Positions of the parameters with rows and columns."""
        return tuple(k for k, shape in enumerate(self.shapes) if len(shape) > 1)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Positions of the parameters that `by_shape` gives its first argument."""
        return tuple(k for k, role in enumerate(self.roles) if role == HIDDEN)

    @property
    def hidden_places(self) -> tuple[slice, ...]:
        """Where the hidden parameters lie in the row; neighbours are one slice."""
        places: list[slice] = []
        for position in self.hidden:
            place = self.slice_of(position)
            if places and places[-1].stop == place.start:
                place = slice(places.pop().start, place.stop)
            places.append(place)
        return tuple(places)

    def rows_and_columns(self, position: int) -> tuple[int, int]:
        """A parameter seen as a matrix; one with fewer than two dimensions is a single column."""
        shape = self.shapes[position]
        return (shape[0], math.prod(shape[1:])) if shape else (1, 1)

    def slice_of(self, position: int) -> slice:
        """Where a parameter lies in the row."""
        start = self.offsets[position]
        return slice(start, start + self.sizes[position])

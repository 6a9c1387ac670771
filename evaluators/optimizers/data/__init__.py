"""Data of the proxy tasks: shipped or drawn, always at hand, the same everywhere."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["ALPHABET", "Digits", "digits", "leaf_patches", "leaves", "text", "text_starts"]

ALPHABET: Final = "\n !\"#'()*+,-./0123456789:;<=>[]_`abcdefghijklmnopqrstuvwxyz{|}~%"
"""The symbols of `text`, in the order of their numbers; anything else was left out."""

CHUNK: Final = 2048
"""Symbols of text that belong together: every tenth such chunk is held out."""

PICTURE_SEED: Final = 23
PICTURE_SIDE: Final = 192
N_DISCS: Final = 900
N_PATCHES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """Handwritten digits.

    Attributes:
        pixels: [1797, 64], each pixel with mean 0, all together with variance 1.
        labels: [1797], 0 to 9.
    """

    pixels: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


@lru_cache(maxsize=1)
def digits() -> Digits:
    """The optical digits of UCI (Alpaydin and Kaynak 1998), the part that scikit-learn ships too."""
    found = _shipped("digits.npz")
    pixels = found["pixels"].astype(np.float64)
    pixels -= pixels.mean(0)
    pixels /= pixels.std()
    return Digits(pixels=pixels.astype(np.float32), labels=found["labels"].astype(np.int64))


@lru_cache(maxsize=1)
def text() -> npt.NDArray[np.int64]:
    """English with code in it, as numbers of `ALPHABET`: the documentation of this project as it once was."""
    return _shipped("text.npz")["symbols"].astype(np.int64)


def text_starts(length: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where windows of `length` symbols of `text` may start: to train on, and held out; none crosses the border."""
    starts = np.arange(len(text()) - length)
    chunks, ends = starts // CHUNK % 10, (starts + length - 1) // CHUNK % 10
    return starts[(chunks < 9) & (ends < 9)], starts[(chunks == 9) & (ends == 9)]


@lru_cache(maxsize=4)
def leaves(seed: int = PICTURE_SEED, side: int = PICTURE_SIDE) -> npt.NDArray[np.float64]:
    """A grey picture of discs that hide each other, with mean 0 and variance 1.

    Dead leaves have the edges and the power spectrum of photographs (Lee, Mumford and Huang 2001,
    https://doi.org/10.1023/A:1011109015675): radii r with density r^-3, grey values uniform.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side]
    picture = np.zeros((side, side))
    smallest, largest = 3.0, side / 3.0
    radii = (smallest**-2 - rng.random(N_DISCS) * (smallest**-2 - largest**-2)) ** -0.5
    for radius in radii:
        y, x = rng.uniform(-radius / 2, side + radius / 2, size=2)
        picture[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = rng.random()
    scaled: npt.NDArray[np.float64] = (picture - picture.mean()) / picture.std()
    return scaled


def leaf_patches(patch: int, n_held_out: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Square patches of slightly blurred `leaves` as rows: some to train on, and `n_held_out` of another picture."""
    train, other = (_blurred(leaves(seed)) for seed in (PICTURE_SEED, PICTURE_SEED + 1))
    return _patches(train, patch, N_PATCHES), _patches(other, patch, n_held_out)


def _blurred(picture: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Means of 4x4 pixels, as a lens makes them, with variance 1."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (4, 4)).mean((2, 3))
    scaled: npt.NDArray[np.float64] = windows / windows.std()
    return scaled


def _patches(picture: npt.NDArray[np.float64], patch: int, n: int) -> npt.NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(picture, (patch, patch)).reshape(-1, patch, patch)
    chosen = np.random.default_rng([PICTURE_SEED, patch, n]).integers(0, len(windows), size=n)
    return windows[chosen].reshape(n, patch * patch).astype(np.float32)


def _shipped(name: str) -> dict[str, npt.NDArray[Any]]:
    with np.load(BytesIO((files(__package__) / name).read_bytes()), allow_pickle=False) as found:
        return dict(found)

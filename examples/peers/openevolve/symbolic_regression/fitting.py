"""What the evaluator needs besides: the data beside this file, and the fit of the coefficients."""

from pathlib import Path

import numpy as np


def samples():
    table = np.loadtxt(Path(__file__).parent / "data" / "samples.csv", delimiter=",", skiprows=1)
    return table[:, 0], table[:, 1]


def residual(columns, y):
    coefficients, *_ = np.linalg.lstsq(columns, y, rcond=None)
    return float(np.sqrt(np.mean((columns @ coefficients - y) ** 2)))

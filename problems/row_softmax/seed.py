"""Row softmax, correct and slow: one row after the other, with the library's exponential."""

import numba
import numpy as np

LOOSE = {"contract", "reassoc", "nsz", "arcp"}
LOG2_E = np.float32(1.4426950408889634)
LOWEST = np.float32(-126.0)
ZERO, ONE = np.float32(0.0), np.float32(1.0)
# 2**t around 0, to degree 7.
TAYLOR = (1.0, 0.6931471806, 0.240226507, 0.05550410866, 0.009618129108, 1.333355815e-3, 1.540353039e-4, 1.52527338e-5)


@numba.njit(fastmath=LOOSE, error_model="numpy")
def largest_of(row):
    largest = row[0]
    for value in row:
        largest = value if value > largest else largest
    return largest


@numba.njit
def bits_of_power(whole):
    """The bits of 2**whole, a float32."""
    return (np.int32(whole) + 127) << 23


def plainly(x, out):
    """For all kinds of arrays that are not timed."""
    largest = np.max(x, axis=1, keepdims=True)
    largest[largest == -np.inf] = 0.0
    np.exp(x - largest, out=out)
    total = np.sum(out, axis=1, keepdims=True)
    total[total == 0.0] = 1.0
    out /= total


# EVOLVE-BLOCK-START

EXPONENTIAL = "library"  # choices: ["library", "series"]
DEGREE = 7  # choices: [3, 4, 5, 6, 7]
LOOPS = "two"  # choices: ["one", "two"]
DIVIDES = True  # choices: [True, False]

SERIES = tuple(np.float32(each) for each in TAYLOR[: DEGREE + 1])


@numba.njit(fastmath=LOOSE, error_model="numpy")
def power(t):
    """2**t for t in [-0.5, 0.5]."""
    value = SERIES[DEGREE]
    for k in range(DEGREE - 1, -1, -1):
        value = SERIES[k] + t * value
    return value


@numba.njit(fastmath=LOOSE, error_model="numpy")
def library(row, largest, result, bits):
    """exp(row - largest), one after the other; returns the sum."""
    total = ZERO
    for j in range(row.size):
        value = np.exp(row[j] - largest)
        result[j] = value
        total += value
    return total


@numba.njit(fastmath=LOOSE, error_model="numpy")
def series(row, largest, result, bits):
    """exp(row - largest) as 2**whole * 2**rest; `bits` are those of `result`. Returns the sum."""
    total = ZERO
    if LOOPS == "two":
        for j in range(row.size):
            bits[j] = bits_of_power(np.rint(max((row[j] - largest) * LOG2_E, LOWEST)))
    for j in range(row.size):
        t = max((row[j] - largest) * LOG2_E, LOWEST)
        whole = np.rint(t)
        if LOOPS == "one":
            bits[j] = bits_of_power(whole)
        value = result[j] * power(t - whole)
        result[j] = value
        total += value
    return total


exponential = library if EXPONENTIAL == "library" else series


@numba.njit(fastmath=LOOSE, error_model="numpy")
def rows(x, out, bits):
    for i in range(x.shape[0]):
        row, result = x[i], out[i]
        largest = largest_of(row)
        if largest == -np.inf:
            result[:] = ZERO
            continue
        total = exponential(row, largest, result, bits[i])
        if DIVIDES:
            for j in range(row.size):
                result[j] /= total
        else:
            factor = ONE / total
            for j in range(row.size):
                result[j] *= factor


def softmax(x, out):
    if x.dtype == np.float32 and x.flags.c_contiguous:
        rows(x, out, out.view(np.int32))
    else:
        plainly(x, out)


# EVOLVE-BLOCK-END

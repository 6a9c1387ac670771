# ruff: noqa: C901, PLR0911, PLR0912 compiled: one branch a rule
"""Which structures are left out because another structure of at most their size gives all their functions.

A structure is a list of steps (kind, a, b). The constants of a structure are free, so that (u + c) * d is the same
family of functions as u * d + c; of such forms one is kept. The rules speak of steps that one reader alone reads: what
others read too cannot be rewritten for one of them. A form may give way to one with more freedom, but not where it is
exactly zero at a zero of what it is built from: c * u / (u + b) stays beside a / (u + b) + c.
"""

from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import IntArray

SHIFT, SCALE, RECIPROCAL = 0, 1, 2  # u + c, u * c, c / u
SUM, DIFFERENCE, PRODUCT, SQUARE, QUOTIENT = 3, 4, 5, 6, 7  # of registers
NOTHING = -1


@compiled
def _below(steps: IntArray, i: int, side: int, n_inputs: int, uses: IntArray) -> int:
    """The step that step `i` alone reads as operand `side`, or -1."""
    register = steps[i, side]
    if register < n_inputs:
        return -1
    return register - n_inputs if uses[register] == 1 else -1


@compiled
def _kind(steps: IntArray, j: int) -> int:
    return steps[j, 0] if j >= 0 else NOTHING


@compiled
def _shifted_scale(steps: IntArray, j: int, n_inputs: int, uses: IntArray) -> bool:
    """Whether step `j` is u * c + d."""
    return _kind(steps, j) == SHIFT and _kind(steps, _below(steps, j, 1, n_inputs, uses)) == SCALE


@compiled
def count_readers(steps: IntArray, n: int, n_inputs: int, uses: IntArray) -> None:
    """How many steps read each register (a square reads once); the output has one reader."""
    for r in range(n_inputs + n):
        uses[r] = 0
    for i in range(n):
        uses[steps[i, 1]] += 1
        if steps[i, 0] in (SUM, DIFFERENCE, PRODUCT, QUOTIENT):
            uses[steps[i, 2]] += 1
    uses[n_inputs + n - 1] += 1


@compiled
def _product_has_better_form(steps: IntArray, i: int, j: int, k: int, n_inputs: int, uses: IntArray) -> bool:
    """Rules for products, squares and quotients; `j` and `k` are the private steps below, or -1."""
    kind, left, right = steps[i, 0], _kind(steps, j), _kind(steps, k)
    if left in (SCALE, RECIPROCAL) or right in (SCALE, RECIPROCAL):  # the constant moves above
        return True
    if _shifted_scale(steps, j, n_inputs, uses) or _shifted_scale(steps, k, n_inputs, uses):  # (u + c') * v * d
        return True
    same = left == SHIFT and right == SHIFT and steps[j, 1] == steps[k, 1]
    if same and kind in (PRODUCT, QUOTIENT):  # (u + a)^2 + b; a / (u + b) + c
        return True
    return bool(kind == QUOTIENT and left == SHIFT and steps[j, 1] == steps[i, 2])  # (u + c) / u: c / u + d


@compiled
def _factor_of(steps: IntArray, j: int, register: int) -> bool:
    """Whether step `j` is `register` times something."""
    kind = _kind(steps, j)
    if kind == PRODUCT:
        return bool(steps[j, 1] == register or steps[j, 2] == register)
    return bool(kind in (SQUARE, SCALE) and steps[j, 1] == register)


@compiled
def _divisor(steps: IntArray, j: int) -> int:
    """The register that step `j` divides by, or -1."""
    kind = _kind(steps, j)
    return steps[j, 2] if kind == QUOTIENT else steps[j, 1] if kind == RECIPROCAL else -1


@compiled
def _sum_has_better_form(steps: IntArray, i: int, j: int, k: int) -> bool:
    """Rules for sums and differences; `j` and `k` are the private steps below, or -1."""
    left, right = _kind(steps, j), _kind(steps, k)
    if SHIFT in (left, right):  # the constant moves above
        return True
    if left in (SCALE, RECIPROCAL) and right in (SCALE, RECIPROCAL) and SCALE in (left, right):  # (u * c' + v) * d
        return True
    if (j >= 0 and _factor_of(steps, j, steps[i, 2])) or (k >= 0 and _factor_of(steps, k, steps[i, 1])):
        return True  # u * w + u: u * (w + c)
    if j >= 0 and k >= 0:
        if left in (PRODUCT, SQUARE, SCALE) and _factor_of(steps, k, steps[j, 1]):  # u * (w + z)
            return True
        if left == PRODUCT and _factor_of(steps, k, steps[j, 2]):
            return True
        return _divisor(steps, j) >= 0 and _divisor(steps, j) == _divisor(steps, k)  # (u + z) / w
    return False


@compiled
def _mobius_half(steps: IntArray, j: int, n_inputs: int, uses: IntArray) -> bool:
    """Whether step `j` is u / (u + c)."""
    if _kind(steps, j) != QUOTIENT:
        return False
    k = _below(steps, j, 2, n_inputs, uses)
    return _kind(steps, k) == SHIFT and steps[k, 1] == steps[j, 1]


@compiled
def _constant_has_better_form(steps: IntArray, i: int, j: int, n_inputs: int, uses: IntArray, order: IntArray) -> bool:
    """Rules for a step with a constant; `j` is the private step below, or -1."""
    kind, inner = steps[i, 0], _kind(steps, j)
    if j < 0:
        return False
    if kind == SCALE and inner == SHIFT:  # u * d + c
        return True
    if kind == RECIPROCAL and inner == QUOTIENT:  # b / a * c
        return True
    if kind == RECIPROCAL and inner == SHIFT:
        below = _kind(steps, _below(steps, j, 1, n_inputs, uses))
        if below in (SCALE, RECIPROCAL):  # d / (u + c'); a / (u + b) + c
            return True
    if kind == SHIFT and _mobius_half(steps, j, n_inputs, uses):  # a / (u + b) + c
        return True
    if kind in (SCALE, RECIPROCAL) and inner in (SUM, DIFFERENCE):  # (u * c + v) * d is (v * c' + u) * d'
        left, right = _below(steps, j, 1, n_inputs, uses), _below(steps, j, 2, n_inputs, uses)
        scaled = left if _kind(steps, left) == SCALE else right if _kind(steps, right) == SCALE else -1
        if scaled >= 0:
            other = steps[j, 2] if scaled == left else steps[j, 1]
            return bool(order[steps[scaled, 1]] > order[other])
    if kind == SHIFT and inner == PRODUCT:  # (u + a) * u + b is (u + a')^2 + b'
        for side in (1, 2):
            k = _below(steps, j, side, n_inputs, uses)
            if _kind(steps, k) == SHIFT and steps[k, 1] == steps[j, 3 - side]:
                return True
    return False


@compiled
def has_better_form(steps: IntArray, n: int, n_inputs: int, uses: IntArray, order: IntArray) -> bool:
    """Whether a rule rewrites the structure; `order` ranks registers whatever their place."""
    for i in range(n):
        kind = steps[i, 0]
        j = _below(steps, i, 1, n_inputs, uses)
        if kind <= RECIPROCAL:
            if _constant_has_better_form(steps, i, j, n_inputs, uses, order):
                return True
            continue
        k = _below(steps, i, 2, n_inputs, uses) if kind != SQUARE else -1
        if kind in (SUM, DIFFERENCE):
            if _sum_has_better_form(steps, i, j, k):
                return True
        elif _product_has_better_form(steps, i, j, k, n_inputs, uses):
            return True
    return False

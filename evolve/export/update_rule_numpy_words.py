"""Program texts for exported update rules over numpy: the classes that carry arrays and matrices, and every word."""

from collections.abc import Collection
from typing import Final

MANY: Final = '''\
class Many:
    """One array for every parameter; arithmetic goes to each."""

    def __init__(self, each, layers):
        self.each, self.layers = each, layers

    def map(self, function, *others):
        columns = [other.each if isinstance(other, Many) else [other] * len(self.each) for other in others]
        return Many([function(*row) for row in zip(self.each, *columns)], self.layers)

    def __add__(self, other):
        return self.map(lambda x, y: x + y, other)

    def __sub__(self, other):
        return self.map(lambda x, y: x - y, other)

    def __mul__(self, other):
        return self.map(lambda x, y: x * y, other)

    def __truediv__(self, other):
        return self.map(lambda x, y: x / y, other)

    def __rsub__(self, number):
        return self.map(lambda x: number - x)

    def __rtruediv__(self, number):
        return self.map(lambda x: number / x)

    def __neg__(self):
        return self.map(lambda x: -x)

    __radd__, __rmul__ = __add__, __mul__


def _of(function, x, *more):
    """A function of arrays, for each parameter or for a plain number."""
    return x.map(function, *more) if isinstance(x, Many) else float(function(x, *more))
'''

MATRICES: Final = '''\
class Matrices:
    """A square matrix for every parameter with rows and columns, None for the others."""

    def __init__(self, each):
        self.each = each

    def map(self, function, *others):
        matrices = zip(self.each, *(other.each for other in others))
        return Matrices([None if one is None else function(one, *more) for one, *more in matrices])

    def __add__(self, other):
        return self.map(lambda one, two: one + two, other)

    def __sub__(self, other):
        return self.map(lambda one, two: one - two, other)

    def __mul__(self, number):
        return self.map(lambda one: one * number)

    def __truediv__(self, number):
        return self.map(lambda one: one / number)

    def __matmul__(self, other):
        if isinstance(other, Matrices):
            return self.map(lambda one, two: one @ two, other)
        return other.map(lambda x, one: x if one is None else (one @ _flat(x)).reshape(x.shape), _rows(self))

    __rmul__ = __mul__


def _rows(matrices):
    return Many(matrices.each, None)


def _times(many, matrices):
    return many.map(lambda x, one: x if one is None else (_flat(x) @ one).reshape(x.shape), _rows(matrices))


Many.__matmul__ = _times


def left_gram(x):
    return Matrices([_gram(each, 0) for each in x.each])


def right_gram(x):
    return Matrices([_gram(each, 1) for each in x.each])


def _gram(each, side):
    if _side(each, side) is None:
        return None
    table = _flat(each)
    return table.T @ table if side else table @ table.T


def transpose(matrices):
    return matrices.map(lambda one: one.T)


def basis(gram, old, t):
    """Eigenvectors, of the largest eigenvalue first, improved by a step of QR every ten steps."""
    if not _is_refreshed(t):
        return old
    if t <= 1:
        return gram.map(lambda one: _numpy.linalg.eigh(_finite(one))[1][:, ::-1])
    return gram.map(lambda one, two: _numpy.linalg.qr(_finite(one @ two))[0], old)


def inverse_root(gram, old, t):
    """To the power -1/4, anew every ten steps."""
    return gram.map(_inverse_root) if _is_refreshed(t) else old


def _inverse_root(matrix):
    values, vectors = _numpy.linalg.eigh(_finite(matrix))
    values = _numpy.maximum(values, 0.0)
    values = _numpy.maximum(values + 1e-06 * values.max(), 1e-12)
    return (vectors * values**-0.25) @ vectors.T


def _is_refreshed(t):
    return _math.isfinite(t) and (t <= 1 or _math.floor(t - 1) % 10 == 0)


def _finite(matrix):
    return _numpy.nan_to_num(matrix, nan=0.0, posinf=0.0, neginf=0.0)


_SIDE_OF_SLOT = {"l": 0, "p": 0, "r": 1, "q": 1}


def _side(array, side):
    """The number of rows (0) or columns (1), None where there is no matrix: too few dimensions, or too many rows."""
    if array.ndim < 2:
        return None
    length = array.shape[0] if side == 0 else array[0].size
    return length if length <= 2048 else None
'''

_FLAT: Final = '''\
def _flat(x):
    """A parameter as rows and columns."""
    return x.reshape(x.shape[0] if x.ndim else 1, -1)
'''
_SPREAD: Final = """\
def _spread(x, values):
    return Many([_numpy.full(each.shape, value) for each, value in zip(x.each, values)], x.layers)
"""
_OVER: Final = """\
def _over(x, axis):
    tables = [_flat(each) for each in x.each]
    means = [_numpy.broadcast_to(table.mean(axis=axis, keepdims=True), table.shape) for table in tables]
    return x.map(lambda each, mean: mean.reshape(each.shape), Many(means, None))
"""
_GUARD: Final = """\
def _away_from_zero(x):
    return _numpy.where(x < 0, _numpy.minimum(x, -1e-12), _numpy.maximum(x, 1e-12))
"""

HELPERS: Final = {"_away_from_zero": _GUARD, "_spread": _SPREAD, "_over": _OVER, "_flat": _FLAT}

_SIMPLE: Final = {
    "sign": "_numpy.sign",
    "abs": "_numpy.abs",
    "sqrt": "lambda each: _numpy.sqrt(_numpy.abs(each))",
    "square": "lambda each: each * each",
    "exp": "lambda each: _numpy.exp(_numpy.clip(each, -50.0, 50.0))",
    "log": "lambda each: _numpy.log(_numpy.maximum(_numpy.abs(each), 1e-12))",
    "log1p": "lambda each: _numpy.log1p(_numpy.abs(each))",
    "tanh": "_numpy.tanh",
    "sigmoid": "lambda each: 0.5 + 0.5 * _numpy.tanh(0.5 * each)",
}

WORDS: Final = {
    "neg": "def neg(x):\n    return -x\n",
    **{name: f"def {name}(x):\n    return _of({function}, x)\n" for name, function in _SIMPLE.items()},
    **{
        name: f"def {name}(x, y):\n    x, y = (x, y) if isinstance(x, Many) else (y, x)\n"
        f"    return _of(_numpy.{name}, x, y)\n"
        for name in ("minimum", "maximum")
    },
    "clip": """\
def clip(x, bound):
    bound = _math.fabs(bound)
    return _of(lambda each: _numpy.clip(each, -bound, bound), x)
""",
    "agree": '''\
def agree(x, y):
    """1 where both have the same sign, else 0."""
    return _of(lambda a, b: _numpy.maximum(_numpy.sign(a) * _numpy.sign(b), 0.0), x, y)
''',
    "quotient": '''\
def quotient(x, y):
    """x / y, with y at least 1e-12 away from zero."""
    return x / _of(_away_from_zero, y)
''',
    "power": '''\
def power(x, y):
    """|x| to the power y."""
    try:
        return _math.fabs(x) ** y
    except (OverflowError, ZeroDivisionError):
        return _math.inf
''',
    "ema": '''\
def ema(old, new, beta):
    """beta * old + (1 - beta) * new."""
    return old * beta + (1.0 - beta) * new
''',
    "debias": '''\
def debias(x, beta, t):
    """x / (1 - beta**t): undoes that an average began at zero, t steps ago."""
    rest = 1.0 - power(beta, t)
    return x / (min(rest, -1e-12) if rest < 0 else max(rest, 1e-12))
''',
    "mean": "def mean(x):\n    return _spread(x, [each.mean() for each in x.each])\n",
    "rms": "def rms(x):\n    return _spread(x, [_numpy.sqrt((each * each).mean()) for each in x.each])\n",
    "largest": "def largest(x):\n    return _spread(x, [_numpy.abs(each).max() for each in x.each])\n",
    "dot": "def dot(x, y):\n    return _spread(x, [each.sum() for each in (x * y).each])\n",
    "total_rms": '''\
def total_rms(x):
    """Over all parameters."""
    squares = sum((each * each).sum() for each in x.each)
    return _spread(x, [_numpy.sqrt(squares / sum(each.size for each in x.each))] * len(x.each))
''',
    "total_dot": '''\
def total_dot(x, y):
    """Over all parameters."""
    return _spread(x, [sum(each.sum() for each in (x * y).each)] * len(x.each))
''',
    "row_mean": "def row_mean(x):\n    return _over(x, 1)\n",
    "col_mean": "def col_mean(x):\n    return _over(x, 0)\n",
    "by_shape": '''\
def by_shape(x, y):
    """x for the matrices of hidden layers, y for other parameters."""
    return x.map(lambda one, two, is_hidden: one if is_hidden else two, y, Many(x.layers, None))
''',
    "orthogonal": '''\
def orthogonal(x):
    """Five Newton-Schulz steps towards the nearest orthogonal matrix, times sqrt(max(rows, columns))."""
    return x.map(_orthogonal)


def _orthogonal(each):
    scaled = each / max(_math.sqrt((each * each).mean()), 1e-12)
    if each.ndim < 2:
        return scaled
    table = _flat(scaled)
    is_tall = table.shape[0] > table.shape[1]
    y = (table.T if is_tall else table) / _math.sqrt(table.size)
    for _ in range(5):
        gram = y @ y.T
        y = 3.4445 * y + (-4.775 * gram + 2.0315 * gram @ gram) @ y
    y = (y.T if is_tall else y) * _math.sqrt(max(table.shape))
    return y.reshape(each.shape)
''',
}
"""The text of every word, by its name (matrices apart)."""


def numpy_definitions(words: Collection[str], *, has_matrices: bool) -> str:
    """The texts of the classes, words and helpers that a rule with these words needs, in a fixed order."""
    named = {*words, *(["power"] if "debias" in words else [])}
    chosen = [text for name, text in WORDS.items() if name in named]
    classes = [MANY, MATRICES] if has_matrices else [MANY]
    helpers = [text for name, text in HELPERS.items() if any(name in part for part in (*classes, *chosen))]
    if _OVER in helpers and _FLAT not in helpers:
        helpers.append(_FLAT)
    return "\n\n".join([*classes, *helpers, *chosen])

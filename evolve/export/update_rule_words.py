"""Program texts for exported update rules: the classes that carry tensors and matrices, and every word, over torch.

A rule's own text runs over these. `Many` holds one tensor for every parameter and works on all of them at once
(`torch._foreach_*`, as the optimizers of torch do); `Matrices` holds a square matrix for every parameter with rows and
columns. The names below are those of the language, so the text of a rule stands in the file as it was judged.
"""

from collections.abc import Collection
from typing import Final

MANY: Final = '''\
class Many:
    """One tensor for every parameter; arithmetic goes to all of them at once."""

    __slots__ = ("each", "layers")

    def __init__(self, each, layers):
        self.each, self.layers = each, layers

    def like(self, each):
        return Many(each, self.layers)

    def __add__(self, other):
        return self.like(_torch._foreach_add(self.each, _plain(other)))

    def __sub__(self, other):
        return self.like(_torch._foreach_sub(self.each, _plain(other)))

    def __mul__(self, other):
        return self.like(_torch._foreach_mul(self.each, _plain(other)))

    def __truediv__(self, other):
        return self.like(_torch._foreach_div(self.each, _plain(other)))

    def __rsub__(self, number):
        return -self + number

    def __rtruediv__(self, number):
        return self.like([number / each for each in self.each])

    def __neg__(self):
        return self.like(_torch._foreach_neg(self.each))

    __radd__, __rmul__ = __add__, __mul__


def _plain(value):
    return value.each if isinstance(value, Many) else float(value)


def _is_real(value):
    return not isinstance(value, Many)
'''

MATRICES: Final = '''\
class Matrices:
    """A square matrix for every parameter with rows and columns, None for the others."""

    __slots__ = ("each",)

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
        pairs = zip(self.each, other.each)
        return other.like([x if one is None else (one @ _flat(x)).reshape(x.shape) for one, x in pairs])

    __rmul__ = __mul__


def _times(many, matrices):
    pairs = zip(many.each, matrices.each)
    return many.like([x if one is None else (_flat(x) @ one).reshape(x.shape) for x, one in pairs])


Many.__matmul__ = _times
'''

_GUARD: Final = """\
def _away_from_zero(x):
    smallest = max(1e-12, _torch.finfo(x.dtype).tiny)
    return _torch.where(x < 0, x.clamp(max=-smallest), x.clamp(min=smallest))
"""

_SPREAD: Final = """\
def _spread(x, values):
    return x.like([value.expand_as(each) for each, value in zip(x.each, values)])
"""

_ROWS: Final = """\
def _over(x, dimension):
    means = []
    for each in x.each:
        table = each.reshape(each.shape[0] if each.dim() else 1, -1)
        means.append(table.mean(dimension, keepdim=True).expand_as(table).reshape(each.shape))
    return x.like(means)
"""

_FLAT: Final = '''\
def _flat(x):
    """A parameter as rows and columns."""
    return x.reshape(x.shape[0], -1)
'''


def _elementwise(name: str, over_many: str, over_reals: str) -> str:
    return f"def {name}(x):\n    return {over_reals} if _is_real(x) else x.like({over_many})\n"


def _of_size(name: str, over_reals: str) -> str:
    """A function of |x|, in place over what `abs` has made."""
    return f"""\
def {name}(x):
    if _is_real(x):
        return {over_reals}
    sizes = _torch._foreach_abs(x.each)
    _torch._foreach_{name}_(sizes)
    return x.like(sizes)
"""


def _pairwise(name: str) -> str:
    clamp = {"minimum": "max", "maximum": "min"}[name]
    short = name[:3]
    return f"""\
def {name}(x, y):
    if _is_real(x):
        x, y = y, x
    if _is_real(x):
        return _math.nan if x != x or y != y else ({short}(x, y))
    if _is_real(y):
        return x.like(_torch._foreach_clamp_{clamp}(x.each, float(y)))
    return x.like(_torch._foreach_{name}(x.each, y.each))
"""


HELPERS: Final = {"_away_from_zero": _GUARD, "_spread": _SPREAD, "_over": _ROWS, "_flat": _FLAT}
"""What words use, by a name that their text mentions."""

WORDS: Final = {
    "neg": "def neg(x):\n    return -x\n",
    "sign": _elementwise("sign", "_torch._foreach_sign(x.each)", "float(x > 0) - float(x < 0)"),
    "abs": _elementwise("abs", "_torch._foreach_abs(x.each)", "_math.fabs(x)"),
    "sqrt": _of_size("sqrt", "_math.sqrt(_math.fabs(x))"),
    "square": _elementwise("square", "_torch._foreach_mul(x.each, x.each)", "x * x"),
    "exp": _elementwise(
        "exp",
        "_torch._foreach_exp([each.clamp(-50.0, 50.0) for each in x.each])",
        "_math.exp(min(max(x, -50.0), 50.0))",
    ),
    "log": "def log(x):\n    return _math.log(max(_math.fabs(x), 1e-12))\n",
    "log1p": _of_size("log1p", "_math.log1p(_math.fabs(x))"),
    "tanh": _elementwise("tanh", "_torch._foreach_tanh(x.each)", "_math.tanh(x)"),
    "sigmoid": _elementwise("sigmoid", "_torch._foreach_sigmoid(x.each)", "0.5 + 0.5 * _math.tanh(0.5 * x)"),
    "minimum": _pairwise("minimum"),
    "maximum": _pairwise("maximum"),
    "clip": """\
def clip(x, bound):
    bound = _math.fabs(bound)
    if _is_real(x):
        return min(max(x, -bound), bound)
    return x.like(_torch._foreach_clamp_min(_torch._foreach_clamp_max(x.each, bound), -bound))
""",
    "agree": '''\
def agree(x, y):
    """1 where both have the same sign, else 0."""
    if _is_real(x):
        return float(x > 0 < y or x < 0 > y)
    signs = _torch._foreach_sign(x.each)
    _torch._foreach_mul_(signs, _sign_of(y) if _is_real(y) else _torch._foreach_sign(y.each))
    _torch._foreach_clamp_min_(signs, 0.0)
    return x.like(signs)


def _sign_of(y):
    return float(y > 0) - float(y < 0)
''',
    "quotient": '''\
def quotient(x, y):
    """x / y, with y at least 1e-12 away from zero."""
    if _is_real(y):
        return x / (min(y, -1e-12) if y < 0 else max(y, 1e-12))
    return x / y.like([_away_from_zero(each) for each in y.each])
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
    if not isinstance(old, Many):
        return old * beta + new * (1.0 - beta)
    if _is_real(new):
        return old * beta + (1.0 - beta) * new
    sums = _torch._foreach_mul(old.each, beta)
    _torch._foreach_add_(sums, new.each, alpha=1.0 - beta)
    return old.like(sums)
''',
    "debias": '''\
def debias(x, beta, t):
    """x / (1 - beta**t): undoes that an average began at zero, t steps ago."""
    rest = 1.0 - power(beta, t)
    return x / (min(rest, -1e-12) if rest < 0 else max(rest, 1e-12))
''',
    "mean": "def mean(x):\n    return _spread(x, [each.mean() for each in x.each])\n",
    "rms": "def rms(x):\n    return _spread(x, [each.square().mean().sqrt() for each in x.each])\n",
    "largest": "def largest(x):\n    return _spread(x, [each.abs().amax() for each in x.each])\n",
    "dot": "def dot(x, y):\n    return _spread(x, [each.sum() for each in (x * y).each])\n",
    "total_rms": '''\
def total_rms(x):
    """Over all parameters of a group."""
    n = sum(each.numel() for each in x.each)
    total = (sum(each.square().sum() for each in x.each) / n).sqrt()
    return _spread(x, [total] * len(x.each))
''',
    "total_dot": '''\
def total_dot(x, y):
    """Over all parameters of a group."""
    total = sum(each.sum() for each in (x * y).each)
    return _spread(x, [total] * len(x.each))
''',
    "row_mean": "def row_mean(x):\n    return _over(x, 1)\n",
    "col_mean": "def col_mean(x):\n    return _over(x, 0)\n",
    "by_shape": '''\
def by_shape(x, y):
    """x for the matrices of hidden layers, y for other parameters."""
    return x.like([one if is_hidden else two for one, two, is_hidden in zip(x.each, y.each, x.layers)])
''',
    "orthogonal": '''\
def orthogonal(x):
    """Five Newton-Schulz steps towards the nearest orthogonal matrix, times sqrt(max(rows, columns))."""
    return x.like([_orthogonal(each) for each in x.each])


def _orthogonal(each):
    scaled = each / each.square().mean().sqrt().clamp(min=1e-12)
    if each.dim() < 2:
        return scaled
    table = _flat(scaled)
    is_tall = table.shape[0] > table.shape[1]
    y = (table.mT if is_tall else table) / _math.sqrt(table.numel())
    for _ in range(5):
        gram = y @ y.mT
        y = 3.4445 * y + (-4.775 * gram + 2.0315 * gram @ gram) @ y
    y = (y.mT if is_tall else y) * _math.sqrt(max(table.shape))
    return y.reshape(each.shape)
''',
}
"""The text of every word, by its name (matrices apart)."""


def definitions(words: Collection[str], *, matrices: str) -> str:
    """The texts of the classes, words and helpers that a rule with these words needs, in a fixed order.

    `matrices` is the text that a rule with matrices needs besides, "" for others.
    """
    named = {*words, *(["power"] if "debias" in words else [])}
    chosen = [text for name, text in WORDS.items() if name in named] + ([matrices] if matrices else [])
    classes = [MANY, MATRICES] if matrices else [MANY]
    helpers = [text for name, text in HELPERS.items() if any(name in part for part in (*classes, *chosen))]
    return "\n\n".join([*classes, *helpers, *chosen])

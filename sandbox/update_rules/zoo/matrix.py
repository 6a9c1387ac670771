"""Rules that treat a weight matrix as a matrix: orthogonalised momentum, and Kronecker-factored preconditioners."""

from typing import Final

from sandbox.update_rules.zoo.published import PublishedRule

_SCALE = (
    "`orthogonal` scales by sqrt(max(rows, columns)); the factor 0.2 gives about the root mean square of Adam's steps."
)

MATRIX_RULES: Final = (
    PublishedRule(
        name="muon",
        title="Muon for hidden matrices, Adam elsewhere",
        source="Jordan and others 2024, https://kellerjordan.github.io/posts/muon/; "
        "scale of Liu and others 2025, https://arxiv.org/abs/2502.16982",
        template="""\
def update(g, t, m, v, s):
    m = ema(m, g, {beta})
    s = ema(s, g, {beta1})
    v = ema(v, square(g), {beta2})
    adam = debias(s, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    return by_shape(0.2 * orthogonal(ema(m, g, {beta})), adam), m, v, s
""",
        defaults={"beta": 0.95, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs=_SCALE,
    ),
    PublishedRule(
        name="muon_everywhere",
        title="Muon for all parameters",
        source="Jordan and others 2024, https://kellerjordan.github.io/posts/muon/",
        template="""\
def update(g, m):
    m = ema(m, g, {beta})
    return orthogonal(ema(m, g, {beta})), m
""",
        defaults={"beta": 0.95},
        departs="Embeddings and heads are orthogonalised too, and vectors divided by their root mean square.",
    ),
    PublishedRule(
        name="adago",
        title="AdaGO",
        source="Zhang, Liu and Schaeffer 2025, https://arxiv.org/abs/2509.02981",
        template="""\
def update(g, lr, m, v):
    m = ema(m, g, {beta})
    size = minimum(sqrt(dot(g, g)), {gamma})
    v = v + square(size)
    return orthogonal(m) * maximum({epsilon} / lr, size / sqrt(v)), m, v
""",
        defaults={"beta": 0.95, "gamma": 1.0, "epsilon": 1e-5},
        departs="`orthogonal` scales by sqrt(max(rows, columns)), and the sum of squares starts at zero.",
    ),
    PublishedRule(
        name="shampoo",
        title="Shampoo",
        source="Gupta, Koren and Singer 2018, https://arxiv.org/abs/1802.09568",
        template="""\
def update(g, t, l, p, r, q):
    l = l + left_gram(g)
    r = r + right_gram(g)
    p = inverse_root(l, p, t)
    q = inverse_root(r, q, t)
    return p @ g @ q, l, p, r, q
""",
        departs="The factors start at zero instead of a multiple of the identity: the roots add a small ridge. "
        "Roots are refreshed every ten steps, and vectors take the gradient itself.",
    ),
    PublishedRule(
        name="shampoo_grafted",
        title="Shampoo with moving averages, grafted to RMSprop",
        source="Anil, Gupta, Koren, Regan and Singer 2020, https://arxiv.org/abs/2002.09018",
        template="""\
def update(g, t, m, v, l, p, r, q):
    l = ema(l, left_gram(g), {beta2})
    r = ema(r, right_gram(g), {beta2})
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    p = inverse_root(l, p, t)
    q = inverse_root(r, q, t)
    direction = p @ m @ q
    length = rms(g / (sqrt(debias(v, {beta2}, t)) + {epsilon}))
    return direction / rms(direction) * length, m, v, l, p, r, q
""",
        defaults={"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8},
        departs="The direction is grafted after momentum.",
    ),
    PublishedRule(
        name="soap",
        title="SOAP",
        source="Vyas and others 2024, https://arxiv.org/abs/2409.11321",
        template="""\
def update(g, t, m, v, l, p, r, q):
    l = ema(l, left_gram(g), {shampoo_beta})
    r = ema(r, right_gram(g), {shampoo_beta})
    p = basis(l, p, t)
    q = basis(r, q, t)
    m = ema(m, g, {beta1})
    v = ema(v, square(transpose(p) @ g @ q), {beta2})
    turned = transpose(p) @ debias(m, {beta1}, t) @ q
    step = turned / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    return p @ step @ transpose(q), m, v, l, p, r, q
""",
        defaults={"beta1": 0.95, "beta2": 0.95, "shampoo_beta": 0.95, "epsilon": 1e-8},
        departs="The bases are refreshed before the step, so the first step needs no exception. Vectors take Adam.",
    ),
)

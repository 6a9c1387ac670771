"""Gradient descent with and without momentum, signs of momentum, and momentum of normalised length."""

from typing import Final

from sandbox.update_rules.zoo.published import PublishedRule

MOMENTUM_RULES: Final = (
    PublishedRule(
        name="sgd",
        title="Stochastic gradient descent",
        source="Robbins and Monro 1951, https://doi.org/10.1214/aoms/1177729586",
        template="""\
def update(g):
    return g
""",
    ),
    PublishedRule(
        name="momentum",
        title="Heavy-ball momentum",
        source="Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5",
        template="""\
def update(g, m):
    m = {beta} * m + g
    return m, m
""",
        defaults={"beta": 0.9},
    ),
    PublishedRule(
        name="nesterov",
        title="Nesterov momentum",
        source="Sutskever, Martens, Dahl and Hinton 2013, https://proceedings.mlr.press/v28/sutskever13.html",
        template="""\
def update(g, m):
    m = {beta} * m + g
    return g + {beta} * m, m
""",
        defaults={"beta": 0.9},
    ),
    PublishedRule(
        name="normalised_momentum",
        title="Normalised momentum",
        source="Cutkosky and Mehta 2020, https://arxiv.org/abs/2002.03305",
        template="""\
def update(g, m):
    m = ema(m, g, {beta})
    return m / rms(m), m
""",
        defaults={"beta": 0.9},
        departs="The length is a root mean square over each parameter tensor, so one learning rate fits tensors "
        "of all sizes; the publication divides by the Euclidean norm.",
    ),
    PublishedRule(
        name="lars",
        title="LARS",
        source="You, Gitman and Ginsburg 2017, https://arxiv.org/abs/1708.03888",
        template="""\
def update(w, g, m):
    weight = sqrt(dot(w, w))
    rate = {trust} * weight / (sqrt(dot(g, g)) + {decay} * weight)
    m = {beta} * m + rate * (g + {decay} * w)
    return m, m
""",
        defaults={"beta": 0.9, "trust": 0.001, "decay": 0.0001},
    ),
    PublishedRule(
        name="sign_sgd",
        title="signSGD",
        source="Bernstein, Wang, Azizzadenesheli and Anandkumar 2018, https://arxiv.org/abs/1802.04434",
        template="""\
def update(g):
    return sign(g)
""",
    ),
    PublishedRule(
        name="signum",
        title="Signum",
        source="Bernstein, Wang, Azizzadenesheli and Anandkumar 2018, https://arxiv.org/abs/1802.04434",
        template="""\
def update(g, m):
    m = ema(m, g, {beta})
    return sign(m), m
""",
        defaults={"beta": 0.9},
    ),
    PublishedRule(
        name="lion",
        title="Lion",
        source="Chen and others 2023, https://arxiv.org/abs/2302.06675",
        template="""\
def update(g, m):
    return sign(ema(m, g, {beta1})), ema(m, g, {beta2})
""",
        defaults={"beta1": 0.9, "beta2": 0.99},
        departs="Without weight decay; add a multiple of w to the update for it.",
    ),
    PublishedRule(
        name="rprop",
        title="Rprop",
        source="Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623",
        template="""\
def update(g, t, s, d):
    first = 1 - minimum(t - 1, 1)
    back = agree(g, -d)
    grown = s * (1 + {grow} * agree(g, d) - {shrink} * back)
    s = minimum(maximum(grown + first, {smallest}), {largest_step})
    g = g * (1 - back)
    return sign(g) * s, s, g
""",
        defaults={"grow": 0.2, "shrink": 0.5, "smallest": 1e-6, "largest_step": 50.0},
        departs="Step sizes are multiples of the learning rate, which is what they start from. As in torch a step that "
        "went too far is not taken back.",
    ),
)

"""Rules that look at gradient differences, agreement of update and gradient, or the size of whole layers."""

from typing import Final

from sandbox.update_rules.zoo.published import PublishedRule

VARIANCE_RULES: Final = (
    PublishedRule(
        name="adan",
        title="Adan",
        source="Xie, Zhou, Li, Lin and Yan 2022, https://arxiv.org/abs/2208.06677",
        template="""\
def update(g, t, m, v, s, d):
    change = minimum(t - 1, 1) * (g - d)
    m = ema(m, g, {beta1})
    s = ema(s, change, {beta2})
    v = ema(v, square(g + {beta2} * change), {beta3})
    ahead = debias(m, {beta1}, t) + {beta2} * debias(s, {beta2}, t)
    return ahead / (sqrt(debias(v, {beta3}, t)) + {epsilon}), m, v, s, g
""",
        defaults={"beta1": 0.98, "beta2": 0.92, "beta3": 0.99, "epsilon": 1e-8},
        departs="With the bias corrections of its authors' code, and without weight decay.",
    ),
    PublishedRule(
        name="mars",
        title="MARS-AdamW",
        source="Yuan, Liu, Wu, Zhou and Gu 2024, https://arxiv.org/abs/2411.10438",
        template="""\
def update(g, t, m, v, d):
    change = minimum(t - 1, 1) * (g - d)
    c = g + {gamma} * {beta1} / (1 - {beta1}) * change
    c = c / maximum(sqrt(dot(c, c)), 1)
    m = ema(m, c, {beta1})
    v = ema(v, square(c), {beta2})
    return debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v, g
""",
        defaults={"beta1": 0.95, "beta2": 0.99, "gamma": 0.025, "epsilon": 1e-8},
        departs="With the gradient of the previous batch, clipped in each parameter tensor; without weight decay.",
    ),
    PublishedRule(
        name="mars_lion",
        title="MARS-Lion",
        source="Yuan, Liu, Wu, Zhou and Gu 2024, https://arxiv.org/abs/2411.10438",
        template="""\
def update(g, t, m, d):
    change = minimum(t - 1, 1) * (g - d)
    c = g + {gamma} * {beta1} / (1 - {beta1}) * change
    m = ema(m, c / maximum(sqrt(dot(c, c)), 1), {beta1})
    return sign(m), m, g
""",
        defaults={"beta1": 0.95, "gamma": 0.025},
        departs="With the gradient of the previous batch, clipped in each parameter tensor; without weight decay.",
    ),
    PublishedRule(
        name="cautious_adamw",
        title="Cautious AdamW",
        source="Liang, Chen, Liu and Liu 2024, https://arxiv.org/abs/2411.16085",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    step = debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    kept = agree(step, g)
    return step * kept / maximum(mean(kept), 0.001), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="Without weight decay; add a multiple of w to the update for it. Kept steps are scaled as in the "
        "authors' code, by the mean of the mask and at most a thousandfold.",
    ),
    PublishedRule(
        name="cautious_lion",
        title="Cautious Lion",
        source="Liang, Chen, Liu and Liu 2024, https://arxiv.org/abs/2411.16085",
        template="""\
def update(g, m):
    step = sign(ema(m, g, {beta1}))
    kept = agree(step, g)
    return step * kept / maximum(mean(kept), 0.001), ema(m, g, {beta2})
""",
        defaults={"beta1": 0.9, "beta2": 0.99},
        departs="Without weight decay; add a multiple of w to the update for it. Kept steps are scaled as in the "
        "authors' code, by the mean of the mask and at most a thousandfold.",
    ),
    PublishedRule(
        name="grams",
        title="Grams",
        source="Cao, Li and Song 2024, https://arxiv.org/abs/2412.17107",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    step = debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    return sign(g) * abs(step), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="Without weight decay; add a multiple of w to the update for it.",
    ),
    PublishedRule(
        name="novograd",
        title="NovoGrad",
        source="Ginsburg and others 2019, https://arxiv.org/abs/1905.11286",
        template="""\
def update(g, t, m, v):
    v = ema(v, dot(g, g), {beta2} * minimum(t - 1, 1))
    m = {beta1} * m + g / (sqrt(v) + {epsilon})
    return m, m, v
""",
        defaults={"beta1": 0.95, "beta2": 0.98, "epsilon": 1e-8},
        departs="Without weight decay.",
    ),
    PublishedRule(
        name="lamb",
        title="LAMB",
        source="You and others 2020, https://arxiv.org/abs/1904.00962",
        template="""\
def update(w, g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    step = debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}) + {decay} * w
    ratio = rms(w) / rms(step)
    both = agree(rms(w), rms(step))
    return step * (both * ratio + 1 - both), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-6, "decay": 0.01},
        departs="A layer whose weights are all zero takes the step itself, as implementations do.",
    ),
    PublishedRule(
        name="adafactor",
        title="Adafactor",
        source="Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235",
        template="""\
def update(g, t, m, v):
    power = square(g) + {epsilon}
    beta = 1 - t ** -0.8
    m = ema(m, row_mean(power), beta)
    v = ema(v, col_mean(power), beta)
    step = g / sqrt(m * v / mean(m))
    return step / maximum(rms(step) / {threshold}, 1), m, v
""",
        defaults={"threshold": 1.0, "epsilon": 1e-30},
        departs="The learning rate is not relative to the weights; averages are kept broadcast, which saves no memory.",
    ),
    PublishedRule(
        name="gravity",
        title="Gravity",
        source="Bahrami and Sadeghi 2021, https://arxiv.org/abs/2101.09192",
        template="""\
def update(g, t, m):
    beta = ({beta} * t + 1) / (t + 2)
    m = ema(m, g / (1 + square(g * largest(g))), beta)
    return m, m
""",
        defaults={"beta": 0.9},
        departs="The velocity starts at zero, where the publication draws it at random.",
    ),
)

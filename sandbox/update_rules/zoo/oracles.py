"""Rules that need more than a gradient: the diagonal of the Hessian (`h`) or the loss of the batch (`f`)."""

from typing import Final

from sandbox.update_rules.zoo.published import PublishedRule

ORACLE_RULES: Final = (
    PublishedRule(
        name="sophia",
        title="Sophia-H",
        source="Liu, Li, Hall, Liang and Ma 2023, https://arxiv.org/abs/2305.14342",
        template="""\
def update(g, h, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, h, {beta2})
    return clip(m / maximum({gamma} * v, {epsilon}), 1), m, v
""",
        defaults={"beta1": 0.965, "beta2": 0.99, "gamma": 0.01, "epsilon": 1e-12},
        departs="The average of the Hessian moves at every step; the publication moves it when the estimate is new. "
        "Without weight decay.",
    ),
    PublishedRule(
        name="adahessian",
        title="AdaHessian",
        source="Yao and others 2021, https://arxiv.org/abs/2006.00719",
        template="""\
def update(g, h, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(h), {beta2})
    return debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-4},
        departs="Without the averaging over blocks of weights.",
    ),
    PublishedRule(
        name="momo",
        title="MoMo",
        source="Schaipp, Ohana, Eickenberg, Defazio and Gower 2023, https://arxiv.org/abs/2305.07583",
        template="""\
def update(w, g, f, t, lr, m, s, d):
    m = ema(m, g, {beta})
    s = {beta} * s + (1 - {beta}) * f
    d = ema(d, total_dot(w, g), {beta})
    left = maximum(s + total_dot(w, m) - d - (1 - {beta} ** t) * {lower_bound}, 0)
    rate = minimum(left / total_dot(m, m), lr / (1 - {beta} ** t))
    return rate / lr * m, m, s, d
""",
        defaults={"beta": 0.9, "lower_bound": 0.0},
        departs="With bias correction; the authors' code starts its averages at the first gradient and loss unless "
        "told otherwise.",
    ),
    PublishedRule(
        name="momo_adam",
        title="MoMo-Adam",
        source="Schaipp, Ohana, Eickenberg, Defazio and Gower 2023, https://arxiv.org/abs/2305.07583",
        template="""\
def update(w, g, f, t, lr, m, v, s, d):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    s = {beta1} * s + (1 - {beta1}) * f
    d = ema(d, total_dot(w, g), {beta1})
    step = m / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    left = maximum(s + total_dot(w, m) - d - (1 - {beta1} ** t) * {lower_bound}, 0)
    rate = minimum(left / total_dot(m, step), lr / (1 - {beta1} ** t))
    return rate / lr * step, m, v, s, d
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "lower_bound": 0.0},
        departs="Without weight decay.",
    ),
    PublishedRule(
        name="sania",
        title="SANIA Adam-SQR",
        source="Abdukhakimov and others 2023, https://arxiv.org/abs/2312.17369",
        template="""\
def update(g, f, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    step = debias(m, {beta1}, t) / (debias(v, {beta2}, t) + {epsilon})
    reach = 2 * f / total_dot(debias(m, {beta1}, t), step)
    return (1 - sqrt(maximum(1 - reach, 0))) * step, m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-12},
        departs="The least loss is taken to be zero, and the step is multiplied by the learning rate.",
    ),
)

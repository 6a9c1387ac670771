"""Rules that divide by a root of squared gradients: Adagrad to AdamW, and what repairs their second moment."""

from typing import Final

from sandbox.update_rules.zoo.published import PublishedRule

ADAPTIVE_RULES: Final = (
    PublishedRule(
        name="adagrad",
        title="Adagrad",
        source="Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html",
        template="""\
def update(g, v):
    v = v + square(g)
    return g / (sqrt(v) + {epsilon}), v
""",
        defaults={"epsilon": 1e-10},
    ),
    PublishedRule(
        name="adadelta",
        title="Adadelta",
        source="Zeiler 2012, https://arxiv.org/abs/1212.5701",
        template="""\
def update(g, v, s):
    v = ema(v, square(g), {rho})
    change = g * sqrt(s + {epsilon}) / sqrt(v + {epsilon})
    return change, v, ema(s, square(change), {rho})
""",
        defaults={"rho": 0.9, "epsilon": 1e-6},
        departs="Constants are torch's.",
    ),
    PublishedRule(
        name="rmsprop",
        title="RMSprop",
        source="Tieleman and Hinton 2012, lecture 6e of Neural Networks for Machine Learning",
        template="""\
def update(g, v):
    v = ema(v, square(g), {alpha})
    return g / (sqrt(v) + {epsilon}), v
""",
        defaults={"alpha": 0.99, "epsilon": 1e-8},
        departs="Constants are torch's; the lecture has 0.9.",
    ),
    PublishedRule(
        name="adam",
        title="Adam",
        source="Kingma and Ba 2015, https://arxiv.org/abs/1412.6980",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    return debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    ),
    PublishedRule(
        name="adamw",
        title="AdamW",
        source="Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101",
        template="""\
def update(w, g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    step = debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon})
    return step + {decay} * w, m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "decay": 0.01},
    ),
    PublishedRule(
        name="amsgrad",
        title="AMSGrad",
        source="Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237",
        template="""\
def update(g, t, m, v, s):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    s = maximum(s, v)
    return debias(m, {beta1}, t) / (sqrt(debias(s, {beta2}, t)) + {epsilon}), m, v, s
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="With Adam's bias corrections, as torch.optim has it.",
    ),
    PublishedRule(
        name="adamax",
        title="Adamax",
        source="Kingma and Ba 2015, https://arxiv.org/abs/1412.6980",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = maximum({beta2} * v, abs(g) + {epsilon})
    return debias(m, {beta1}, t) / v, m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="The epsilon is torch's; the publication has none.",
    ),
    PublishedRule(
        name="nadam",
        title="NAdam",
        source="Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
        template="""\
def update(g, t, m, v, s):
    now = {beta1} * (1 - 0.5 * 0.96 ** ({momentum_decay} * t))
    next = {beta1} * (1 - 0.5 * 0.96 ** ({momentum_decay} * (t + 1)))
    s = s + (1 - s) * (1 - now)
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    ahead = next * m / (1 - next * (1 - s)) + (1 - now) * g / s
    return ahead / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v, s
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "momentum_decay": 0.004},
        departs="The slot s is 1 minus the product of the momenta so far, since slots start at zero.",
    ),
    PublishedRule(
        name="nadamw",
        title="NAdamW with constant momentum",
        source="Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    ahead = {beta1} * debias(m, {beta1}, t + 1) + (1 - {beta1}) * debias(g, {beta1}, t)
    return ahead / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="Without weight decay; add a multiple of w to the update for it.",
    ),
    PublishedRule(
        name="radam",
        title="RAdam",
        source="Liu and others 2020, https://arxiv.org/abs/1908.03265",
        template="""\
def update(g, t, m, v):
    power = {beta2} ** t
    longest = 2 / (1 - {beta2}) - 1
    length = longest - 2 * t * power / (1 - power)
    trusted = minimum(maximum((length - 5) * 1e9, 0), 1)
    squares = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    rate = trusted * sqrt(squares * (1 - power)) / (sqrt(v) + {epsilon}) + (1 - trusted)
    return debias(m, {beta1}, t) * rate, m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="As in torch the rectification begins above a length of 5, in the publication above 4.",
    ),
    PublishedRule(
        name="adabelief",
        title="AdaBelief",
        source="Zhuang and others 2020, https://arxiv.org/abs/2010.07468",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g - m), {beta2}) + {epsilon}
    return debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-12},
    ),
    PublishedRule(
        name="adabound",
        title="AdaBound",
        source="Luo, Xiong, Liu and Sun 2019, https://arxiv.org/abs/1902.09843",
        template="""\
def update(g, t, lr, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    rate = lr * sqrt(1 - {beta2} ** t) / (1 - {beta1} ** t) / (sqrt(v) + {epsilon})
    low = {final} * (1 - 1 / ({gamma} * t + 1))
    high = {final} * (1 + 1 / ({gamma} * t))
    return minimum(maximum(rate, low), high) * m / lr, m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "final": 0.1, "gamma": 0.001},
        departs="As in the authors' experiments: with bias corrections, without the factor 1/sqrt(t) of the analysis.",
    ),
    PublishedRule(
        name="diffgrad",
        title="diffGrad",
        source="Dubey and others 2020, https://arxiv.org/abs/1909.11015",
        template="""\
def update(g, t, m, v, d):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    friction = sigmoid(abs(d - g))
    return friction * debias(m, {beta1}, t) / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v, g
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    ),
    PublishedRule(
        name="yogi",
        title="Yogi",
        source="Zaheer, Reddi, Sachan, Kale and Kumar 2018, https://papers.nips.cc/paper/8186",
        template="""\
def update(g, m, v):
    m = ema(m, g, {beta1})
    v = v - (1 - {beta2}) * sign(v - square(g)) * square(g)
    return m / (sqrt(v) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-3},
    ),
    PublishedRule(
        name="kate",
        title="KATE",
        source="Choudhury and others 2024, https://arxiv.org/abs/2403.02648",
        template="""\
def update(g, v, s):
    v = v + square(g)
    s = s + {eta} * square(g) + square(g) / (v + {epsilon})
    return sqrt(s) * g / (v + {epsilon}), v, s
""",
        defaults={"eta": 0.9, "epsilon": 1e-8},
    ),
    PublishedRule(
        name="adopt",
        title="ADOPT",
        source="Taniguchi and others 2024, https://arxiv.org/abs/2411.02853",
        template="""\
def update(g, t, m, v):
    later = minimum(t - 1, 1)
    m = later * ema(m, g / maximum(sqrt(v), {epsilon}), {beta1})
    return m, m, ema(v, square(g), {beta2} * later)
""",
        defaults={"beta1": 0.9, "beta2": 0.9999, "epsilon": 1e-6},
        departs="Its first step only measures the gradient, as published: the update there is zero.",
    ),
    PublishedRule(
        name="ademamix",
        title="AdEMAMix",
        source="Pagliardini, Ablin and Grangier 2024, https://arxiv.org/abs/2409.03137",
        template="""\
def update(g, t, m, v, s):
    m = ema(m, g, {beta1})
    s = ema(s, g, {beta3})
    v = ema(v, square(g), {beta2})
    both = debias(m, {beta1}, t) + {alpha} * s
    return both / (sqrt(debias(v, {beta2}, t)) + {epsilon}), m, v, s
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "beta3": 0.9999, "alpha": 8.0, "epsilon": 1e-8},
        departs="Without the warm-ups of alpha and beta3, which depend on the length of the training.",
    ),
    PublishedRule(
        name="exadam",
        title="EXAdam",
        source="Adly 2024, https://arxiv.org/abs/2412.20302",
        template="""\
def update(g, t, m, v):
    m = ema(m, g, {beta1})
    v = ema(v, square(g), {beta2})
    first = 1 + v / (v + {epsilon}) * {beta2} ** t
    second = 1 + square(m) / (square(m) + {epsilon}) * {beta1} ** t
    ahead = debias(m + g, {beta1}, t) * first
    return ahead / (sqrt(debias(v, {beta2}, t) * second) + {epsilon}), m, v
""",
        defaults={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        departs="Without the growing step size of the publication's first version, which the second dropped.",
    ),
)

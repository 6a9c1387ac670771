def update(g, t, m, v):
    m = ema(m, g, 0.65)
    v = ema(v, square(g), 0.95)
    return debias(m, 0.65, t) / (sqrt(debias(v, 0.95, t)) + 1e-8), m, v

def f(x):
    t = x + 12582912.0
    r = x - (t - 12582912.0)
    p = fma(r, 0.24, 0.69)
    p = fma(p, r, 1.0)
    return add_bits(p, to_exponent(t))

def f(x):
    i = sub_bits(x, 0.7071067690849304)
    e = int_to_float(from_exponent(i))
    m = sub_bits(x, clear_bits(i, 1.1754942106924411e-38)) - 1.0
    q = fma(m, -0.65, 1.4426950408889634)
    return fma(m, q, e)

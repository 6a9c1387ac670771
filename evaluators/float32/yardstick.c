/* What speeds are compared with: a polynomial of degree 8, eight fused multiplications and additions an element. */
void yardstick(const float *restrict x, float *restrict y, long n) {
    for (long i = 0; i < n; i++) {
        float p = x[i];
        for (int k = 1; k <= 8; k++) p = __builtin_fmaf(p, x[i], 1.0f / (float)k);
        y[i] = p;
    }
}

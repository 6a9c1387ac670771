/* The exact function in double. Compiled with -ffast-math, for then vector libraries may be used (libmvec: within 4
 * units in the last place of double); no number that reaches it or leaves it is special. */
#include <math.h>

void reference(const float *restrict x, double *restrict exact, long n) {
    for (long i = 0; i < n; i++) exact[i] = REFERENCE((double)x[i]);
}

/* Judges a kernel: its error in units in the last place, its speed, and better constants for it.
 *
 *   check FIRST LAST STEP STOP    errors at every STEP-th float32 of a range of keys; ends above STOP
 *   points FILE                   errors at the float32 numbers of a file
 *   time FILE ROUNDS              nanoseconds per element over the numbers of a file
 *   pairs FILE ROUNDS             the same of kernel and yardstick in every round, in turn who begins
 *   polish FILE CONSTANTS MOVING STEPS SEED   better constants, errors on the numbers of a file; MOVING is 0s and 1s
 *
 * Keys number the float32 numbers in their order: 0 is zero, 1 the smallest positive number, -1 the largest negative.
 * `reference` is the exact function in double, whose own error counts as nothing here.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void kernel(const float *x, float *y, long n);
void kernel_with(const float *c, const float *x, float *y, long n);
void yardstick(const float *x, float *y, long n);
void reference(const float *x, double *exact, long n);

enum { BLOCK = 4096, SLICE = 1 << 17, MAX_CONSTANTS = 64, POWER_DOUBLINGS = 5 };

static float x_of[BLOCK], y_of[BLOCK];

static float from_key(int64_t key) {
    uint32_t bits = key >= 0 ? (uint32_t)key : (uint32_t)-key | 0x80000000u;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

/* The distance between the float32 numbers around y. */
static double unit(double y) {
    int64_t bits;
    memcpy(&bits, &y, 8);
    int64_t exponent = (bits >> 52) & 0x7ff;
    if (exponent < 1023 - 126) exponent = 1023 - 126;
    bits = (exponent - 23) << 52;
    double ulp;
    memcpy(&ulp, &bits, 8);
    return ulp;
}

/* The bits of the error: as integers they are in the order of the numbers, with infinity and NaN on top. */
static int64_t error_of(float y, double exact) {
    double error = fabs((double)y - exact) / unit(exact);
    int64_t bits;
    memcpy(&bits, &error, 8);
    return bits;
}

static double worst;
static float worst_x;

/* The errors of one block; false above the limit. Where float32 overflows, the right answer is infinity. */
static int judge_block(long n, double stop) {
    static double exact[BLOCK];
    kernel(x_of, y_of, n);
    reference(x_of, exact, n);
    for (long i = 0; i < n; i++)
        if (fabs(exact[i]) >= 0x1.ffffffp127) {
            int is_right = isinf(y_of[i]) && !signbit(y_of[i]) == !signbit(exact[i]);
            y_of[i] = 0.0f;
            exact[i] = is_right ? 0.0 : INFINITY;
        }
    int64_t largest = 0;
    for (long i = 0; i < n; i++) {
        int64_t error = error_of(y_of[i], exact[i]);
        largest = error > largest ? error : largest;
    }
    double error;
    memcpy(&error, &largest, 8);
    if (!(error <= worst)) {
        worst = error <= INFINITY ? error : INFINITY;
        long i = 0;
        while (error_of(y_of[i], exact[i]) != largest) i++;
        worst_x = x_of[i];
    }
    return worst <= stop;
}

static void report(int64_t count) { printf("%a %a %lld\n", worst, worst_x, (long long)count); }

/* One line for each slice of keys, so that it shows where a program is bad. */
static int check(int64_t first, int64_t last, int64_t step, double stop) {
    int is_good = 1;
    for (int64_t key = first; key <= last && is_good;) {
        int64_t end = key + SLICE * step > last ? last : key + SLICE * step - 1, count = 0;
        worst = -1.0;
        while (key <= end && is_good) {
            long n = 0;
            for (; n < BLOCK && key <= end; key += step) x_of[n++] = from_key(key);
            count += n;
            is_good = judge_block(n, stop);
        }
        report(count);
    }
    if (first <= 0 && last >= 0 && is_good) {
        worst = -1.0;
        x_of[0] = -0.0f;
        judge_block(1, stop);
        report(1);
    }
    return 0;
}

static float *read_floats(const char *path, long *n) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    *n = ftell(file) / 4;
    rewind(file);
    float *values = aligned_alloc(64, (size_t)(*n * 4 + 127) / 64 * 64);
    if (!values || fread(values, 4, (size_t)*n, file) != (size_t)*n) exit(2);
    fclose(file);
    return values;
}

static int points(const char *path) {
    long n;
    float *x = read_floats(path, &n);
    worst = -1.0;
    for (long start = 0; start < n; start += BLOCK) {
        long size = n - start < BLOCK ? n - start : BLOCK;
        memcpy(x_of, x + start, (size_t)size * 4);
        judge_block(size, INFINITY);
    }
    report(n);
    return 0;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double timed(void (*run)(const float *, float *, long), const float *x, float *y, long n, long repeats) {
    double start = seconds();
    for (long k = 0; k < repeats; k++) {
        run(x, y, n);
        __asm__ volatile("" ::: "memory");
    }
    return (seconds() - start) * 1e9 / (double)(repeats * n);
}

/* The yardstick runs next to the kernel in every round, so that both meet the same machine. */
static int measure(const char *path, long rounds) {
    long n;
    float *x = read_floats(path, &n);
    float *y = aligned_alloc(64, (size_t)(n * 4 + 127) / 64 * 64);
    double *own = malloc(sizeof(double) * (size_t)rounds), *ratio = malloc(sizeof(double) * (size_t)rounds);
    if (!y || !own || !ratio) return 2;
    long repeats = 1 + (1 << 19) / n;
    timed(yardstick, x, y, n, repeats);
    timed(kernel, x, y, n, repeats);
    for (long k = 0; k < rounds; k++) {
        double beside = timed(yardstick, x, y, n, repeats);
        own[k] = timed(kernel, x, y, n, repeats);
        ratio[k] = own[k] / beside;
    }
    qsort(own, (size_t)rounds, sizeof(double), ascending);
    qsort(ratio, (size_t)rounds, sizeof(double), ascending);
    printf("%a %a\n", own[rounds / 2], ratio[rounds / 2]);
    return 0;
}

/* Short runs next to each other: what disturbs the machine disturbs both, or is an outlier among many rounds. */
static int pairs(const char *path, long rounds) {
    long n;
    float *x = read_floats(path, &n);
    float *y = aligned_alloc(64, (size_t)(n * 4 + 127) / 64 * 64);
    if (!y) return 2;
    long repeats = 1 + (1 << 17) / n;
    timed(yardstick, x, y, n, repeats);
    timed(kernel, x, y, n, repeats);
    for (long k = 0; k < rounds; k++) {
        double first = timed(k & 1 ? yardstick : kernel, x, y, n, repeats);
        double second = timed(k & 1 ? kernel : yardstick, x, y, n, repeats);
        printf("%.6g %.6g\n", k & 1 ? second : first, k & 1 ? first : second);
    }
    return 0;
}

static uint64_t state;

static uint64_t draw(void) {
    uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

typedef struct {
    long n;
    const float *x;
    float *y;
    const double *exact, *scale;
} Table;

/* The 32-norm of the errors; it lies just above the largest, and tells constants apart that share it. */
static double norm(const float *c, const Table *t, double *largest) {
    kernel_with(c, t->x, t->y, t->n);
    double most = 0.0, sum = 0.0;
    for (long i = 0; i < t->n; i++) {
        double error = fabs((double)t->y[i] - t->exact[i]) * t->scale[i];
        error = error <= 1e9 ? error : 1e9;
        most = error > most ? error : most;
        double power = error * error;
        for (int k = 1; k < POWER_DOUBLINGS; k++) power *= power;
        sum += power;
    }
    *largest = most;
    return pow(sum / (double)t->n, 1.0 / (1 << POWER_DOUBLINGS)) + most;
}

static void move(float *c, const char *moving, long n) {
    long moves = 1 + (long)(draw() % 3);
    for (long k = 0; k < moves; k++) {
        long which = (long)(draw() % (uint64_t)n);
        if (moving[which] != '1') continue;
        uint32_t size = (uint32_t)(1 + draw() % (1ull << (draw() % 12)));
        uint32_t bits = bits_of(c[which]);
        bits = draw() & 1 ? bits + size : bits - size;
        memcpy(&c[which], &bits, 4);
    }
}

/* Climbs on the bits of the constants: a few of them move by a few units, what is not worse is kept. */
static int polish(const char *table, const char *constants, const char *moving, long steps, uint64_t seed) {
    long n, n_constants;
    float *x = read_floats(table, &n), *best = read_floats(constants, &n_constants);
    double *exact = malloc(sizeof(double) * (size_t)n), *scale = malloc(sizeof(double) * (size_t)n);
    float *y = aligned_alloc(64, (size_t)(n * 4 + 127) / 64 * 64), c[MAX_CONSTANTS];
    if (!exact || !scale || !y || n_constants < 1 || n_constants > MAX_CONSTANTS) return 2;
    if ((long)strlen(moving) != n_constants) return 2;
    reference(x, exact, n);
    for (long i = 0; i < n; i++) scale[i] = 1.0 / unit(exact[i]);
    Table t = {n, x, y, exact, scale};
    double largest, held, value = norm(best, &t, &largest);
    state = seed;
    for (long step = 0; step < steps; step++) {
        memcpy(c, best, (size_t)n_constants * 4);
        move(c, moving, n_constants);
        double trial = norm(c, &t, &held);
        if (trial <= value) {
            value = trial;
            largest = held;
            memcpy(best, c, (size_t)n_constants * 4);
        }
    }
    printf("%a", largest);
    for (long k = 0; k < n_constants; k++) printf(" %a", best[k]);
    printf("\n");
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "check"))
        return check(atoll(argv[2]), atoll(argv[3]), atoll(argv[4]), strtod(argv[5], NULL));
    if (argc == 3 && !strcmp(argv[1], "points")) return points(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "time")) return measure(argv[2], atol(argv[3]));
    if (argc == 4 && !strcmp(argv[1], "pairs")) return pairs(argv[2], atol(argv[3]));
    if (argc == 7 && !strcmp(argv[1], "polish"))
        return polish(argv[2], argv[3], argv[4], atol(argv[5]), strtoull(argv[6], NULL, 10));
    return 2;
}

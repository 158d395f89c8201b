/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/interval.h"

#include <math.h>

#include "base/error.h"

static const double sqrt_2 = 1.4142135623730950488;
static const double sqrt_2_pi = 2.5066282746310005024;

/* Of a tail p <= 1/2, within 4.5e-4. */
static double quantile_start(double p) {
    double t = sqrt(-2 * log(p));
    return (2.515517 + t * (0.802853 + t * 0.010328)) /
               (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
           t;
}

double normal_quantile(double p) {
    ASSERT(p > 0 && p < 1);
    if (p > 0.5)
        return -normal_quantile(1 - p);
    double x = quantile_start(p);
    for (int step = 0; step < 2; step++) {
        double error = (0.5 * erfc(-x / sqrt_2) - p) * sqrt_2_pi * exp(x * x / 2);
        x -= error / (1 + x * error / 2);
    }
    return x;
}

double normal_deviate(double level) {
    ASSERT(level > 0 && level < 1);
    return -normal_quantile((1 - level) / 2);
}

struct interval interval_wilson(double p, double effective, double level) {
    ASSERT(p >= 0 && p <= 1 && effective > 0);
    double z = normal_deviate(level), square = z * z / effective;
    double centre = (p + square / 2) / (1 + square);
    double half = sqrt(square * (p * (1 - p) + square / 4)) / (1 + square);
    return (struct interval){fmin(fmax(centre - half, 0), p), fmax(fmin(centre + half, 1), p)};
}

double interval_effective(int64_t n, int64_t population) {
    ASSERT(n > 0);
    if (n >= population)
        return INFINITY;
    return (double)n * (double)population / (double)(population - n);
}

struct interval interval_proportion(int64_t successes, int64_t n, int64_t population,
                                    double level) {
    ASSERT(successes >= 0 && successes <= n);
    double size = (double)(population > n ? population : n), missing = size - (double)n;
    double p = (double)successes / (double)n;
    struct interval wilson = interval_wilson(p, interval_effective(n, population), level);
    double least = (double)successes, most = (double)successes + missing;
    return (struct interval){
        fmin(fmax(floor(wilson.low * size), least) / size, p),
        fmax(fmin(ceil(wilson.high * size), most) / size, p),
    };
}

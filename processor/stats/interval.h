/* interval.h -- confidence intervals for what a window will say once all of its labels are in.
 *
 * Finite population: of N predictions n are labelled, at random within the window; the interval is
 * for the realised value over all N, so every variance carries the factor 1 - n/N and the width is
 * 0 at n = N.
 *
 * Input    level in (0, 1); counts >= 0; variances >= 0
 * Output   low <= value <= high
 * Cost     about .2 us, no allocation
 * Limits   labels that come by their value, not at random, are outside of every promise here
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_INTERVAL_H
#define SLIPSTREAM_STATS_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

struct interval {
    double low, high;
};

/* The x with P(Z <= x) = p, p in (0, 1).  Source: Abramowitz and Stegun 1964, 26.2.23, then two
 * steps of Halley's method on erfc: to the last digits of a double. */
double normal_quantile(double p);
/* Two-sided: 1.96 for .95. */
double normal_deviate(double level);

/* Wilson's interval for a proportion p in [0, 1] worth effective > 0 independent observations;
 * INFINITY gives [p, p].  Source: Wilson 1927; effective size p(1-p)/V after Korn and Graubard
 * 1998. */
struct interval interval_wilson(double p, double effective, double level);

/* n independent observations out of population: n / (1 - n/N).  Equal to p(1-p)/V with V = p(1-p)/n
 * (1 - n/N), but without 0/0 at p = 0 and 1; INFINITY at n >= N.  n > 0. */
double interval_effective(int64_t n, int64_t population);

/* Wilson for successes out of n > 0 labelled of population >= n.  The realised proportion is a
 * multiple of 1/population: the ends are moved outward to the next one, and no further than the
 * labels that are missing can move it.  Without that the interval is too short for the last labels
 * of a window. */
struct interval interval_proportion(int64_t successes, int64_t n, int64_t population, double level);

#endif

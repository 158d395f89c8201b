/* estimates.h -- how a metric fills its estimate.  Each function sets the whole struct.
 *
 * All intervals are for the value once every label is in (stats/interval.h), and take the labels
 * that are there as a random part of those to come.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_ESTIMATES_H
#define SLIPSTREAM_METRICS_ESTIMATES_H

#include "metrics/metric.h"

/* For metrics without sums of their own. */
void metric_adds_nothing(const struct shape *shape, const struct pair *pair, int128 *sums);

void estimate_none(struct estimate *out_estimate);
/* Known without a sample. */
void estimate_exact(double value, int64_t support, struct estimate *out_estimate);

/* successes of n, of a known population >= n: Wilson; none when n = 0. */
void estimate_proportion(int64_t successes, int64_t n, int64_t population, double level,
                         struct estimate *out_estimate);
/* successes of n whose population is known by the label alone (recall: all positives): it is taken
 * to be n predicted / labelled.  Wilson; none when n = 0. */
void estimate_share(const struct tables *tables, int64_t successes, int64_t n, double level,
                    struct estimate *out_estimate);

/* value +- z se within [least, most].  variance: over samples from an infinite population, < 0 when
 * unknown; multiplied by 1 - labelled/predicted here.  A sample without variation says nothing
 * about the labels to come: no interval then, unless all are there. */
struct spread {
    double variance, least, most;
    enum interval_method method;
};
void estimate_spread(const struct tables *tables, double value, int64_t support,
                     const struct spread *spread, double level, struct estimate *out_estimate);

/* Mean of the labelled values whose fixed-point sum and sum of squares are given: normal, value >=
 * 0; none when nothing is labelled. */
void estimate_mean(const struct tables *tables, int128 sum, int128 squares, double level,
                   struct estimate *out_estimate);
/* Sample variance of count values, -1 when count < 2. */
double sample_variance(double sum, double squares, double count);

/* Binary, at the declared threshold. */
struct counts {
    int64_t tp, fp, fn, tn;
};
struct counts counts_of(const struct tables *tables);

#endif

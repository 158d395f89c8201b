/* metric.h -- one metric: sums it keeps, and how it reads an estimate with its interval from the
 * tables.
 *
 * A metric is one file metrics/NAME.c that defines `const struct metric metric_NAME`, plus one line
 * METRIC(NAME) in metrics.def.  Laws over the whole registry (tests/laws): merge = adding in one
 * go, retract = never added, order, save and load, no labels gives no value.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_METRIC_H
#define SLIPSTREAM_METRICS_METRIC_H

#include "metrics/tables.h"

enum interval_method {
    INTERVAL_NONE,   /* not a sample quantity (volume, coverage), or nothing to say yet */
    INTERVAL_WILSON, /* Wilson 1927 */
    INTERVAL_DELONG, /* DeLong 1988 */
    INTERVAL_NORMAL, /* estimate +- z se, se by the delta method */
};
const char *interval_method_name(enum interval_method method); /* "wilson", ... */

struct estimate {
    double value;
    double low, high;
    double error_bound; /* of the value itself, from score cells; 0 when exact */
    int64_t support;    /* records in the denominator */
    enum interval_method method;
    bool has_value; /* false: cannot tell (no labels, no positives, ...) */
    bool has_interval;
};

struct metric {
    const char *name; /* the file's name */
    const char
        *summary; /* one line for `slipstream reference`, docs/REFERENCE.md: meaning and formula */
    uint32_t version;   /* grows when the meaning changes: part of the definition's fingerprint */
    unsigned kinds;     /* 1 << TASK_BINARY | ... : tasks that may use it */
    uint32_t sum_count; /* fixed-point sums of its own in the tables */
    double parameter;   /* default of metric_use.parameter */
    /* Adds this pair's contribution to sums[sum_count], in units of 2^-32 (see stats/fixed.h). */
    void (*add)(const struct shape *shape, const struct pair *pair, int128 *sums);
    /* The interval is for the value that the window will have once every label is in (finite
     * population: it shrinks to no width as labelled reaches predicted).  first_sum: index of its
     * first sum. */
    void (*estimate)(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate);
};

extern const struct metric *const metrics[];
extern const size_t metrics_count;
const struct metric *metric_find(struct slice name); /* NULL: unknown */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"
#include "metrics/lag_bins.h"
#include "stats/histogram.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)level;
    int64_t counts[LAG_BINS];
    double value, bound;
    for (uint32_t bin = 0; bin < LAG_BINS; bin++)
        counts[bin] = tables_lag(tables, bin);
    estimate_none(out_estimate);
    if (!histogram_quantile(counts, lag_bin_edges_ms, LAG_BINS, parameter, &value, &bound))
        return;
    estimate_exact(value, tables_labelled(tables), out_estimate);
    out_estimate->error_bound = bound;
}

const struct metric metric_lag = {
    .name = "lag",
    .summary = "quantile of label time minus prediction time in ms (parameter: its order, .5), "
               "linear within bins that are 1.34 times wider one by one; none at 0 and below and "
               "beyond 800 d",
    .version = 1,
    .kinds = 1U << TASK_BINARY | 1U << TASK_MULTICLASS | 1U << TASK_REGRESSION,
    .sum_count = 0,
    .parameter = 0.5,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

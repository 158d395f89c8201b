/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"
#include "stats/cells.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    struct ranking ranking = {0};
    const struct cell *cells;
    double value, bound, variance = -1;
    for (size_t i = 0, count = tables_cells(tables, &cells); i < count; i++)
        ranking_add(&ranking, cells[i].positives, cells[i].negatives);
    estimate_none(out_estimate);
    if (!ranking_auc(&ranking, &value, &bound))
        return;
    if (!ranking_variance(&ranking, &variance))
        variance = -1;
    struct spread spread = {.variance = variance, .most = 1, .method = INTERVAL_DELONG};
    estimate_spread(tables, value, tables_labelled(tables), &spread, level, out_estimate);
    out_estimate->error_bound = bound;
}

const struct metric metric_auc = {
    .name = "auc",
    .summary = "area under the ROC curve, from score cells, with its bound",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"
#include "stats/cells.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    (void)level;
    struct precision_recall sums = {0};
    const struct cell *cells;
    double value, bound;
    for (size_t i = tables_cells(tables, &cells); i > 0; i--)
        precision_recall_add(&sums, cells[i - 1].positives, cells[i - 1].negatives);
    estimate_none(out_estimate);
    if (!precision_recall_average(&sums, &value, &bound))
        return;
    estimate_exact(value, tables_labelled(tables), out_estimate);
    out_estimate->error_bound = bound;
}

const struct metric metric_average_precision = {
    .name = "average_precision",
    .summary = "sum of (R_k - R_k-1) P_k over falling scores, from score cells, with its bound",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    struct counts counts = counts_of(tables);
    estimate_share(tables, counts.tp, counts.tp + counts.fn, level, out_estimate);
}

const struct metric metric_recall = {
    .name = "recall",
    .summary = "TP / (TP + FN)",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

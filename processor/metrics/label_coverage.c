/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    (void)level;
    int64_t predicted = tables_predicted(tables);
    estimate_none(out_estimate);
    if (predicted > 0)
        estimate_exact((double)tables_labelled(tables) / (double)predicted, predicted,
                       out_estimate);
}

const struct metric metric_label_coverage = {
    .name = "label_coverage",
    .summary = "labelled / predictions",
    .version = 1,
    .kinds = 1U << TASK_BINARY | 1U << TASK_MULTICLASS | 1U << TASK_REGRESSION,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    struct counts counts = counts_of(tables);
    estimate_proportion(counts.tp + counts.fn, tables_labelled(tables), tables_predicted(tables),
                        level, out_estimate);
}

const struct metric metric_base_rate = {
    .name = "base_rate",
    .summary = "positives / labelled",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

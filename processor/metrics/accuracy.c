/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)first_sum;
    (void)parameter;
    int64_t correct = 0;
    for (uint32_t class = 0; class < shape->class_count; class ++)
        correct += tables_confusion(tables, class, class);
    estimate_proportion(correct, tables_labelled(tables), tables_predicted(tables), level,
                        out_estimate);
}

const struct metric metric_accuracy = {
    .name = "accuracy",
    .summary = "correct / labelled; binary: at the threshold",
    .version = 1,
    .kinds = 1U << TASK_BINARY | 1U << TASK_MULTICLASS,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

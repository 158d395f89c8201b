/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    struct counts counts = counts_of(tables);
    double positives = (double)(counts.tp + counts.fn), negatives = (double)(counts.tn + counts.fp);
    estimate_none(out_estimate);
    if (!(positives > 0 && negatives > 0))
        return;
    double recall = (double)counts.tp / positives, specificity = (double)counts.tn / negatives;
    struct spread spread = {
        .variance =
            (recall * (1 - recall) / positives + specificity * (1 - specificity) / negatives) / 4,
        .most = 1,
        .method = INTERVAL_NORMAL,
    };
    estimate_spread(tables, (recall + specificity) / 2, tables_labelled(tables), &spread, level,
                    out_estimate);
}

const struct metric metric_balanced_accuracy = {
    .name = "balanced_accuracy",
    .summary = "(TP / (TP + FN) + TN / (TN + FP)) / 2",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    struct counts counts = counts_of(tables);
    double square = parameter * parameter;
    double tp = (double)counts.tp, fp = (double)counts.fp, fn = (double)counts.fn;
    double denominator = (1 + square) * tp + square * fn + fp;
    estimate_none(out_estimate);
    if (!(denominator > 0))
        return;
    double value = (1 + square) * tp / denominator;
    /* A ratio: the influence of a record is (its numerator - value its denominator) / denominator.
     */
    double of_tp = (1 + square) * (1 - value), of_fn = square * value, of_fp = value;
    struct spread spread = {
        .variance = (tp * of_tp * of_tp + fn * of_fn * of_fn + fp * of_fp * of_fp) /
                    (denominator * denominator),
        .most = 1,
        .method = INTERVAL_NORMAL,
    };
    estimate_spread(tables, value, counts.tp + counts.fp + counts.fn, &spread, level, out_estimate);
}

const struct metric metric_fbeta = {
    .name = "fbeta",
    .summary = "(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP); parameter: b, 1",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 1,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

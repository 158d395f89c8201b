/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "metrics/estimates.h"

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)first_sum;
    (void)parameter;
    struct counts counts = counts_of(tables);
    double tp = (double)counts.tp, fp = (double)counts.fp, fn = (double)counts.fn,
           tn = (double)counts.tn;
    double said = tp + fp, real = tp + fn, unsaid = tn + fn, unreal = tn + fp;
    double root = sqrt(said) * sqrt(real) * sqrt(unsaid) * sqrt(unreal);
    estimate_none(out_estimate);
    if (!(root > 0))
        return;
    double value = (tp * tn - fp * fn) / root, half = value / 2;
    /* Multinomial delta method: derivatives by the four counts; they sum to 0 over the records. */
    double of_tp = tn / root - half * (1 / said + 1 / real);
    double of_tn = tp / root - half * (1 / unsaid + 1 / unreal);
    double of_fp = -fn / root - half * (1 / said + 1 / unreal);
    double of_fn = -fp / root - half * (1 / unsaid + 1 / real);
    struct spread spread = {
        .variance =
            tp * of_tp * of_tp + tn * of_tn * of_tn + fp * of_fp * of_fp + fn * of_fn * of_fn,
        .least = -1,
        .most = 1,
        .method = INTERVAL_NORMAL,
    };
    estimate_spread(tables, value, tables_labelled(tables), &spread, level, out_estimate);
}

const struct metric metric_mcc = {
    .name = "mcc",
    .summary = "Matthews correlation: (TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN))",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

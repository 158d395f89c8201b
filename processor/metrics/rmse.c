/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "metrics/estimates.h"
#include "stats/fixed.h"

/* Fourth powers of errors up to 2^30 need more than one sum: the second counts units of 2^30, the
 * third what is left, in units of 2^-64. */
static void add(const struct shape *shape, const struct pair *pair, int128 *sums) {
    (void)shape;
    double error = fabs(pair->output.value - pair->label.value);
    double square = fmin(error * error, FIXED_LIMIT), fourth = square * square;
    double units = nearbyint(fourth * 0x1p-30);
    sums[0] = fixed_from(square);
    sums[1] = (int128)units;
    sums[2] = (int128)nearbyint((fourth - units * 0x1p30) * 0x1p64);
}

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)parameter;
    int64_t labelled = tables_labelled(tables);
    estimate_none(out_estimate);
    if (labelled <= 0)
        return;
    double count = (double)labelled, squares = fixed_to(tables_sum(tables, first_sum));
    double fourth = fixed_to(tables_sum(tables, first_sum + 1)) * 0x1p62 +
                    fixed_to(tables_sum(tables, first_sum + 2)) * 0x1p-32;
    double mean = squares / count, variance = sample_variance(squares, fourth, count) / count;
    struct spread spread = {
        .variance = mean > 0 ? variance / (4 * mean) : variance,
        .most = INFINITY,
        .method = INTERVAL_NORMAL,
    };
    estimate_spread(tables, sqrt(mean), labelled, &spread, level, out_estimate);
}

const struct metric metric_rmse = {
    .name = "rmse",
    .summary = "square root of the mean of (predicted - true)^2; its interval wants errors from "
               "2^-16 to 2^30",
    .version = 1,
    .kinds = 1U << TASK_REGRESSION,
    .sum_count = 3,
    .parameter = 0,
    .add = add,
    .estimate = estimate,
};

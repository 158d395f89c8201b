/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "metrics/estimates.h"
#include "stats/fixed.h"

static const double clip = 1e-15;

static void add(const struct shape *shape, const struct pair *pair, int128 *sums) {
    (void)shape;
    double score = fmin(fmax(pair->output.score, clip), 1 - clip);
    double loss = pair->label.value > 0.5 ? -log(score) : -log1p(-score);
    sums[0] = fixed_from(loss);
    sums[1] = fixed_from(loss * loss);
}

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)shape;
    (void)parameter;
    estimate_mean(tables, tables_sum(tables, first_sum), tables_sum(tables, first_sum + 1), level,
                  out_estimate);
}

const struct metric metric_log_loss = {
    .name = "log_loss",
    .summary = "mean of -ln P(label), probabilities within [1e-15, 1 - 1e-15]",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 2,
    .parameter = 0,
    .add = add,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "metrics/estimates.h"

struct bin {
    int64_t positives, negatives;
};

static void count_bins(const struct tables *tables, const struct shape *shape, struct bin *bins) {
    const struct cell *cells;
    for (size_t i = 0, count = tables_cells(tables, &cells); i < count; i++) {
        struct bin *bin = &bins[calibration_bin_of_cell(shape, cells[i].cell)];
        bin->positives += cells[i].positives;
        bin->negatives += cells[i].negatives;
    }
}

/* Debiased: the noise of the label mean is taken off (Kumar, Liang and Ma 2019). */
static double squared_error(const struct bin *bin, double scores) {
    double count = (double)(bin->positives + bin->negatives), rate = (double)bin->positives / count;
    double gap = rate - scores / count;
    return gap * gap - rate * (1 - rate) / (count - 1);
}

static void estimate(const struct tables *tables, const struct shape *shape, uint32_t first_sum,
                     double parameter, double level, struct estimate *out_estimate) {
    (void)first_sum;
    (void)parameter;
    (void)level;
    struct bin bins[CALIBRATION_BINS] = {{0}};
    double weighted = 0;
    int64_t support = 0;
    count_bins(tables, shape, bins);
    for (uint32_t i = 0; i < CALIBRATION_BINS; i++) {
        int64_t count = bins[i].positives + bins[i].negatives;
        if (count < 2)
            continue;
        double scores = (double)tables_calibration_score(tables, i) * 0x1p-32;
        weighted += (double)count * squared_error(&bins[i], scores);
        support += count;
    }
    estimate_none(out_estimate);
    if (support > 0)
        estimate_exact(sqrt(fmax(weighted / (double)support, 0)), support, out_estimate);
}

const struct metric metric_ece = {
    .name = "ece",
    .summary = "root of the debiased squared calibration error: sum over 16 bins of share ((label "
               "mean - score mean)^2 - label variance / (n - 1)); bins of one record are left out",
    .version = 1,
    .kinds = 1U << TASK_BINARY,
    .sum_count = 0,
    .parameter = 0,
    .add = metric_adds_nothing,
    .estimate = estimate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/estimates.h"

#include <math.h>

#include "stats/fixed.h"
#include "stats/interval.h"

void estimate_none(struct estimate *out_estimate) {
    *out_estimate = (struct estimate){.has_value = false};
}

void estimate_exact(double value, int64_t support, struct estimate *out_estimate) {
    *out_estimate = (struct estimate){.has_value = true, .value = value, .support = support};
}

static void set_interval(struct estimate *estimate, struct interval interval,
                         enum interval_method method) {
    estimate->has_interval = true;
    estimate->low = interval.low;
    estimate->high = interval.high;
    estimate->method = method;
}

void estimate_proportion(int64_t successes, int64_t n, int64_t population, double level,
                         struct estimate *out_estimate) {
    estimate_none(out_estimate);
    if (n <= 0)
        return;
    estimate_exact((double)successes / (double)n, n, out_estimate);
    set_interval(out_estimate, interval_proportion(successes, n, population, level),
                 INTERVAL_WILSON);
}

void estimate_share(const struct tables *tables, int64_t successes, int64_t n, double level,
                    struct estimate *out_estimate) {
    estimate_none(out_estimate);
    if (n <= 0)
        return;
    estimate_exact((double)successes / (double)n, n, out_estimate);
    int64_t labelled = tables_labelled(tables);
    double effective = interval_effective(labelled, tables_predicted(tables));
    set_interval(
        out_estimate,
        interval_wilson(out_estimate->value, effective * ((double)n / (double)labelled), level),
        INTERVAL_WILSON);
}

void estimate_spread(const struct tables *tables, double value, int64_t support,
                     const struct spread *spread, double level, struct estimate *out_estimate) {
    double labelled = (double)tables_labelled(tables), predicted = (double)tables_predicted(tables);
    estimate_exact(value, support, out_estimate);
    if (labelled >= predicted) {
        set_interval(out_estimate, (struct interval){value, value}, spread->method);
    } else if (spread->variance > 0) {
        double half = normal_deviate(level) * sqrt(spread->variance * (1 - labelled / predicted));
        struct interval interval = {fmax(value - half, fmin(spread->least, value)),
                                    fmin(value + half, fmax(spread->most, value))};
        set_interval(out_estimate, interval, spread->method);
    }
}

double sample_variance(double sum, double squares, double count) {
    if (count < 2)
        return -1;
    double deviation = squares - sum * (sum / count);
    return deviation > 1e-12 * squares ? deviation / (count - 1) : 0;
}

void estimate_mean(const struct tables *tables, int128 sum, int128 squares, double level,
                   struct estimate *out_estimate) {
    int64_t labelled = tables_labelled(tables);
    estimate_none(out_estimate);
    if (labelled <= 0)
        return;
    double count = (double)labelled, total = fixed_to(sum);
    struct spread spread = {
        .variance = sample_variance(total, fixed_to(squares), count) / count,
        .most = INFINITY,
        .method = INTERVAL_NORMAL,
    };
    estimate_spread(tables, total / count, labelled, &spread, level, out_estimate);
}

struct counts counts_of(const struct tables *tables) {
    return (struct counts){
        .tp = tables_confusion(tables, 1, 1),
        .fp = tables_confusion(tables, 0, 1),
        .fn = tables_confusion(tables, 1, 0),
        .tn = tables_confusion(tables, 0, 0),
    };
}

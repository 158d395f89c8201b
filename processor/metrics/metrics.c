/* The registry's table.  SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metric.h"

#include "metrics/estimates.h"

#define METRIC(name) extern const struct metric metric_##name;
#include "metrics/metrics.def"
#undef METRIC

#define METRIC(name) &metric_##name,
const struct metric *const metrics[] = {
#include "metrics/metrics.def"
};
#undef METRIC

const size_t metrics_count = COUNT_OF(metrics);

const struct metric *metric_find(struct slice name) {
    for (size_t i = 0; i < metrics_count; i++) {
        if (slice_equal(name, slice_from(metrics[i]->name)))
            return metrics[i];
    }
    return NULL;
}

const char *interval_method_name(enum interval_method method) {
    static const char *const names[] = {"none", "wilson", "delong", "normal"};
    return names[method];
}

void metric_adds_nothing(const struct shape *shape, const struct pair *pair, int128 *sums) {
    (void)shape;
    (void)pair;
    (void)sums;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/histogram.h"

bool histogram_quantile(const int64_t *counts, const int64_t *upper, size_t size, double order,
                        double *out_value, double *out_bound) {
    double total = 0, below = 0;
    for (size_t bin = 0; bin < size; bin++)
        total += (double)counts[bin];
    double rank = order * total;
    for (size_t bin = 0; bin < size; below += (double)counts[bin], bin++) {
        double count = (double)counts[bin];
        if (count <= 0 || below + count < rank)
            continue;
        if (bin == 0 || upper[bin] == INT64_MAX)
            return false;
        double high = (double)upper[bin], low = (double)upper[bin - 1];
        *out_value = low + (high - low) * (rank - below) / count;
        *out_bound = high - low;
        return true;
    }
    return false;
}

/* histogram.h -- a quantile of values that are known by bin only.
 *
 * Input    counts[size] >= 0; upper[size]: upper edges, ascending; bin b holds (upper[b-1],
 *          upper[b]], bin 0 all up to upper[0]; order in (0, 1)
 * Output   the value whose rank is order x total, by linear interpolation within its bin; bound:
 *          the width of the bin, which the true quantile cannot leave.  False when empty, or when
 *          the quantile falls into bin 0, which has no beginning, or into a last bin without an end
 *          (INT64_MAX)
 * Cost     O(size), no allocation
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_HISTOGRAM_H
#define SLIPSTREAM_STATS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool histogram_quantile(const int64_t *counts, const int64_t *upper, size_t size, double order,
                        double *out_value, double *out_bound);

#endif

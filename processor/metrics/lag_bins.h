/* lag_bins.h -- the bin of a lag.  Bin 0: lag <= 0; bins 1..62: up to 1 s .. 800 d, each edge 1.344
 * times the one before; bin 63: longer.  Edges: lag_bin_edge_ms in tables.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_LAG_BINS_H
#define SLIPSTREAM_METRICS_LAG_BINS_H

#include <stdint.h>

/* The bin b with edge(b - 1) < lag <= edge(b). */
uint32_t lag_bin_of(int64_t lag_ms);
/* All upper edges, LAG_BINS of them. */
extern const int64_t lag_bin_edges_ms[];

#endif

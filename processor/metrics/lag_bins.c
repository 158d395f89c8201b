/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/lag_bins.h"

#include "base/error.h"
#include "metrics/tables.h"

/* round(1000 (800 d / 1 s)^(k / 61)) for k = 0..61, written out: a bin must not depend on a libm.
 */
const int64_t lag_bin_edges_ms[LAG_BINS] = {
    0,           1000,        1344,        1807,        2430,        3266,        4391,
    5903,        7936,        10670,       14344,       19283,       25924,       34851,
    46853,       62987,       84678,       113839,      153041,      205743,      276595,
    371845,      499896,      672045,      903475,      1214603,     1632873,     2195182,
    2951131,     3967406,     5333653,     7170391,     9639642,     12959224,    17421964,
    23421526,    31487145,    42330303,    56907496,    76504604,    102850324,   138268661,
    185883932,   249896368,   335952625,   451643883,   607175483,   816267153,   1097363257,
    1475259800,  1983291736,  2666273500,  3584452175,  4818821997,  6478269009,  8709176098,
    11708335698, 15740309219, 21160764493, 28447849892, 38244372681, 51414502231, 69120000000,
    INT64_MAX};

uint32_t lag_bin_of(int64_t lag_ms) {
    uint32_t low = 0, high = LAG_BINS - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (lag_ms <= lag_bin_edges_ms[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int64_t lag_bin_edge_ms(uint32_t bin) {
    ASSERT(bin < LAG_BINS);
    return lag_bin_edges_ms[bin];
}

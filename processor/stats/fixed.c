/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/fixed.h"

#include <math.h>

bool fixed_fits(double x) {
    return fabs(x) <= FIXED_LIMIT;
}

int128 fixed_from(double x) {
    if (isnan(x))
        return 0;
    /* Converted to 128 bits directly: llround would overflow from 2^31 on. */
    return (int128)nearbyint(fmin(fmax(x, -FIXED_LIMIT), FIXED_LIMIT) * 0x1p32);
}

double fixed_to(int128 sum) {
    return (double)sum * 0x1p-32;
}

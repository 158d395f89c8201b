/* fixed.h -- real numbers as integers in units of 2^-32, so that sums are exact: associative,
 * commutative, and a value taken away leaves no trace.
 *
 * Input    x: finite, |x| <= FIXED_LIMIT; callers refuse other records before they count them
 * Output   nearbyint(x 2^32), ties to even; fixed_to is the double nearest to the sum
 * Cost     about 2 ns, no allocation
 * Edge     beyond the limit the value is the limit, and NaN is 0: never a wrap, never a trap, and
 *          still retracted exactly
 * Limits   a sum holds 2^35 values of the greatest size; values below 2^-33 are lost
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATS_FIXED_H
#define SLIPSTREAM_STATS_FIXED_H

#include <stdbool.h>

#include "base/attributes.h"

#define FIXED_LIMIT 0x1p60

int128 fixed_from(double x);
double fixed_to(int128 sum);
/* Finite and within the limit. */
bool fixed_fits(double x);

#endif

/* clock.h -- the only place that reads a clock.  Everything pure takes time as a parameter.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_CLOCK_H
#define SLIPSTREAM_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);      /* Unix time, UTC */
int64_t clock_monotonic_us(void); /* for durations and deadlines */

#endif

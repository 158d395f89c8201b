/* trim.h -- gives memory back to the system that threads of others allocated and this one freed:
 * it stays in their arenas otherwise.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_TRIM_H
#define SLIPSTREAM_WORKER_TRIM_H

#include <stdint.h>

/* At most every ten seconds; to be called when there is nothing to do: under load the pages would
 * only be asked for again (10 % of the CPU, measured).  *trimmed_at_us: 0 at first. */
void trim_memory(int64_t *trimmed_at_us);

#endif

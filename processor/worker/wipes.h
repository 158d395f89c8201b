/* wipes.h -- inside this room: how often the store of a partition was thrown away because it was
 * corrupt, and when that may be done again.
 *
 * Each wipe within an hour of the last waits twice as long, from 2 s to about a minute: a store
 * that fails as soon as it is rebuilt must not be rebuilt in a loop.  Times: clock_monotonic_us.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_WIPES_H
#define SLIPSTREAM_WORKER_WIPES_H

#include "base/error.h"
#include "kafka/consume.h"

struct wipes {
    bool is_due; /* before the next opening */
    int in_a_row;
    int64_t last_us;
};

/* One was done. */
void wipes_count(struct wipes *wipes, int64_t now_us);
/* From when on the next one may be done. */
int64_t wipes_next_us(const struct wipes *wipes);
/* Empties the folder of the partition's store, which is closed, and says so.  Errors: IO. */
enum status wipes_make(struct wipes *wipes, const char *state_directory, const char *topic,
                       int32_t partition, struct error *err) MUST_CHECK;
/* Says that a new store failed as the last one did; positions: what was read until then. */
void wipes_say_in_vain(const struct wipes *wipes, const char *stage,
                       const struct log_position *positions, size_t count, const struct error *err);

#endif

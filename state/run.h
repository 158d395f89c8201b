/* run.h -- a sorted run: pairs in ascending key order, keys unique, in one piece of memory, never
 * changed once made.  A pair may be a tombstone, which hides the key in older runs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_RUN_H
#define SLIPSTREAM_STATE_RUN_H

#include "state/store.h"

static const uint32_t RUN_TOMBSTONE = UINT32_MAX;

struct pair {
    uint64_t prefix;   /* the first 8 bytes of the key, big-endian, zeros behind a short one */
    const char *bytes; /* key, then value */
    uint32_t key_size, value_size; /* value_size: or RUN_TOMBSTONE */
};

struct run {
    struct pair *pairs; /* owned; the bytes lie in the same allocation */
    size_t count;
    size_t bytes; /* of keys and values */
};

/* Builders copy.  The first count of rows; puts: of one family, ascending, unique. */
struct run run_of_rows(const struct store_rows *rows, size_t count);
struct run run_of_puts(const struct store_put *const *puts, size_t count);
/* newer wins.  Releases neither.  Without tombstones when drop_tombstones. */
struct run run_merge(const struct run *older, const struct run *newer, bool drop_tombstones);
void run_release(struct run *run);

/* The pair of key, or NULL.  *cursor starts at 0 and only moves up, so that ascending keys cost
 * O(log of the gap between them) each. */
const struct pair *run_find(const struct run *run, struct slice key, size_t *cursor);
struct slice pair_key(const struct pair *pair);
struct slice pair_value(const struct pair *pair); /* not of a tombstone */

#endif

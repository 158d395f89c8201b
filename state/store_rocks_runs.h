/* store_rocks_runs.h -- which runs a database has, in memory, and which of them to merge.
 *
 * A run is one sorted file of one family of ROWS or MARKS.  Of a key that several runs hold, the
 * run with the greatest number has the value.
 *
 * Merging    the newest runs of a family become one, RUNS_MERGED or more at a time, when the oldest
 *            of them is no longer than the others are on average: so a family of n equal flushes
 *            has fewer than RUNS_MERGED runs a power of RUNS_MERGED in n, and writes each row again
 *            once a power.  The store waits for a merge: it takes MERGE_BYTES_MAX at most, and
 *            longer runs stay.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_RUNS_H
#define SLIPSTREAM_STATE_STORE_ROCKS_RUNS_H

#include "state/key.h"

enum { RUNS_MERGED = 16, MERGE_BYTES_MAX = 128 * 1024 * 1024 };

struct stored_run {
    struct family family;
    uint64_t number, bytes;
};

struct stored_runs {
    struct stored_run *entries; /* ascending by family, then number; owned */
    size_t count, capacity;
    uint64_t bytes; /* of all */
};

/* Runs of one family, oldest first: a borrow, valid until the next change. */
struct family_runs {
    const struct stored_run *entries;
    size_t count;
};

void stored_runs_release(struct stored_runs *runs);
/* Its number is new in its family. */
void stored_runs_insert(struct stored_runs *runs, struct stored_run run);
struct family_runs stored_runs_of(const struct stored_runs *runs, struct family family);
bool stored_runs_contain(const struct stored_runs *runs, struct family family, uint64_t number);
/* Forgets the runs of family with numbers from first to last. */
void stored_runs_remove(struct stored_runs *runs, struct family family, uint64_t first,
                        uint64_t last);
/* The newest runs of a family that are to become one; count 0: none. */
struct family_runs runs_to_merge(struct family_runs runs);

#endif

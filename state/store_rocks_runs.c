/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_runs.h"

#include <stdlib.h>
#include <string.h>

void stored_runs_release(struct stored_runs *runs) {
    free(runs->entries);
    *runs = (struct stored_runs){0};
}

/* Where the run is, or belongs. */
static size_t position(const struct stored_runs *runs, struct family family, uint64_t number) {
    size_t low = 0, high = runs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct stored_run *run = &runs->entries[middle];
        int order = family_compare(run->family, family);
        if (order < 0 || (order == 0 && run->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void stored_runs_insert(struct stored_runs *runs, struct stored_run run) {
    if (runs->count == runs->capacity) {
        runs->capacity = runs->capacity ? runs->capacity * 2 : 64;
        runs->entries = alloc_resize(runs->entries, runs->capacity, sizeof *runs->entries);
    }
    size_t at = position(runs, run.family, run.number);
    memmove(&runs->entries[at + 1], &runs->entries[at], (runs->count - at) * sizeof *runs->entries);
    runs->entries[at] = run;
    runs->count++;
    runs->bytes += run.bytes;
}

struct family_runs stored_runs_of(const struct stored_runs *runs, struct family family) {
    if (runs->count == 0)
        return (struct family_runs){0};
    size_t first = position(runs, family, 0), end = first;
    while (end < runs->count && family_compare(runs->entries[end].family, family) == 0)
        end++;
    return (struct family_runs){runs->entries + first, end - first};
}

bool stored_runs_contain(const struct stored_runs *runs, struct family family, uint64_t number) {
    size_t at = position(runs, family, number);
    return at < runs->count && runs->entries[at].number == number &&
           family_compare(runs->entries[at].family, family) == 0;
}

void stored_runs_remove(struct stored_runs *runs, struct family family, uint64_t first,
                        uint64_t last) {
    size_t from = position(runs, family, first), to = position(runs, family, last + 1);
    for (size_t i = from; i < to; i++)
        runs->bytes -= runs->entries[i].bytes;
    memmove(&runs->entries[from], &runs->entries[to], (runs->count - to) * sizeof *runs->entries);
    runs->count -= to - from;
}

/* The longest that will do, for a merge that makes another one due is written in vain. */
struct family_runs runs_to_merge(struct family_runs runs) {
    struct family_runs merged = {0};
    uint64_t newer = 0;
    for (size_t count = 1; count <= runs.count; count++) {
        const struct stored_run *oldest = &runs.entries[runs.count - count];
        if (newer + oldest->bytes > MERGE_BYTES_MAX)
            break;
        if (count >= RUNS_MERGED && oldest->bytes * (RUNS_MERGED - 1) <= newer)
            merged = (struct family_runs){oldest, count};
        newer += oldest->bytes;
    }
    return merged;
}

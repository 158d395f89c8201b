/* delta.h -- the join rows and label marks that are in memory: written since the last flush, or
 * fetched from the store for the present batch.
 *
 * Found by (task, key); several segments or epochs of one key stand side by side.  Entries are
 * dense and in order of insertion, the hash table holds their numbers, so that emptying and sorting
 * are cheap. An entry's number is stable until delta_reset; a pointer until the next insertion.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_DELTA_H
#define SLIPSTREAM_PARTITION_DELTA_H

#include "base/hash.h"
#include "config/definition.h"
#include "metrics/tables.h"

enum delta_flags {
    DELTA_ROW_UNSTORED = 1,  /* the row must be flushed */
    DELTA_MARK_UNSTORED = 2, /* the label mark must be flushed */
    DELTA_LABELLED = 4,
};

struct delta_entry {
    struct hash128 key;
    int64_t segment;
    int64_t time_ms, offset; /* of the prediction */
    double output;           /* score, value, or class, by the task's kind */
    int64_t label_ms, label_offset;
    double label;                       /* 0 or 1, value, or class */
    uint32_t next;                      /* entry of the same bucket, DELTA_NONE at its end */
    uint16_t instance;                  /* index into the partition's instances */
    uint16_t flags;                     /* enum delta_flags */
    uint16_t groups[GROUPINGS_MAX + 1]; /* group numbers; groups[0] is "all" */
};

#define DELTA_NONE UINT32_MAX

struct delta {
    struct delta_entry *entries;
    uint32_t *buckets;
    size_t count, capacity, bucket_count; /* bucket_count is a power of two */
    size_t unstored_rows;
};

void delta_init(struct delta *delta);
void delta_release(struct delta *delta);
void delta_reset(struct delta *delta);
/* All are stored: forgets those that have their label, since only a second one would ask for them,
 * and of the others the oldest insertions, until at most count are left. */
void delta_trim(struct delta *delta, size_t count);
/* Of the entries in use and their share of buckets. */
size_t delta_bytes(const struct delta *delta);

/* Starts to bring what delta_first will read into the cache: all keys of a batch, then what they
 * name. */
void delta_prefetch(const struct delta *delta, const struct hash128 *keys, size_t count);
/* First entry of this key, then the next ones; NULL at the end.  Keys are distinct between tasks.
 */
struct delta_entry *delta_first(const struct delta *delta, const struct hash128 *key);
struct delta_entry *delta_next(const struct delta *delta, const struct delta_entry *entry);
struct delta_entry *delta_find(const struct delta *delta, const struct hash128 *key,
                               uint16_t instance, int64_t segment);
/* A zeroed entry with key, instance and segment set; the caller knows that it is not there. */
struct delta_entry *delta_insert(struct delta *delta, const struct hash128 *key, uint16_t instance,
                                 int64_t segment);

#endif

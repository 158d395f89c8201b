/* delta.h -- the join rows and label marks that are in memory: written since the last flush, or
 * fetched from the store for the present batch.
 *
 * Found by (task, key); several segments or epochs of one key stand side by side.  Entries are
 * dense and in order of insertion, the hash table holds their numbers, so that emptying and sorting
 * are cheap. An entry's number is stable until delta_reset or delta_trim; a pointer until the next
 * insertion.
 *
 * An entry is small, for it is what most of a partition's memory is made of: labels, which most
 * rows have not, lie apart, and so does what rows have in common.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_DELTA_H
#define SLIPSTREAM_PARTITION_DELTA_H

#include <stdbool.h>

#include "base/hash.h"
#include "partition/cohorts.h"

/* Ids are known by 96 bits of their hash, the others of a key are 0: random bits do not compress,
 * and two of 10^9 ids share 96 with a chance of 6e-12. */
enum { ROW_KEY_BYTES = 12 };

struct delta_label {
    int64_t time_ms, offset;
    double value; /* 0 or 1, value, or class */
};

struct delta_entry {
    unsigned char key[ROW_KEY_BYTES];
    uint32_t next;           /* entry of the same bucket, DELTA_NONE at its end */
    int64_t time_ms, offset; /* of the prediction */
    double output;           /* score, value, or class, by the task's kind */
    uint32_t label;          /* number of its label, DELTA_NONE without one */
    unsigned cohort : 30;    /* number of its cohort */
    unsigned row_unstored : 1, mark_unstored : 1; /* must be flushed */
};

#define DELTA_NONE UINT32_MAX

struct delta {
    struct delta_entry *entries;
    struct delta_label *labels;
    uint32_t *buckets;
    size_t count, capacity, bucket_count; /* bucket_count is a power of two */
    size_t label_count, label_capacity;
    size_t unstored_rows;
    struct cohorts cohorts, spare; /* spare: for the next trim */
};

void delta_init(struct delta *delta);
void delta_release(struct delta *delta);
void delta_reset(struct delta *delta);
/* All are stored: forgets those that have their label, since only a second one would ask for them,
 * and of the others the oldest insertions, until at most bytes are left. */
void delta_trim(struct delta *delta, size_t bytes);
/* Of entries, labels and cohorts in use, with their shares of buckets. */
size_t delta_bytes(const struct delta *delta);

/* Starts to bring what delta_first will read into the cache: the buckets of the keys, then what
 * they name. */
void delta_prefetch(const struct delta *delta, const struct hash128 *keys, size_t count);
/* First entry of this key, then the next ones; NULL at the end.  Keys are distinct between tasks.
 */
struct delta_entry *delta_first(const struct delta *delta, const struct hash128 *key);
struct delta_entry *delta_next(const struct delta *delta, const struct delta_entry *entry);
struct delta_entry *delta_find(const struct delta *delta, const struct hash128 *key,
                               uint16_t instance, int64_t segment);
/* An entry of this key and cohort, stored and without label, the rest zero; the caller knows that
 * it is not there. */
struct delta_entry *delta_insert(struct delta *delta, const struct hash128 *key,
                                 const struct cohort *cohort);
const struct cohort *delta_cohort(const struct delta *delta, const struct delta_entry *entry);
/* NULL without one; until the next label is set. */
const struct delta_label *delta_label(const struct delta *delta, const struct delta_entry *entry);
void delta_set_label(struct delta *delta, struct delta_entry *entry, struct delta_label label);

#endif

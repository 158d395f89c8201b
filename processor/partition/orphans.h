/* orphans.h -- labels that wait for their predictions.
 *
 * Found by (task, key); leave when their prediction comes or when the prediction clock passes their
 * deadline.  Bounded by orphans_max (the overflow rule is the partition's).  Kept in the store's
 * FAMILY_ORPHANS over restarts.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_ORPHANS_H
#define SLIPSTREAM_PARTITION_ORPHANS_H

#include "base/hash.h"
#include "state/store.h"

struct orphan {
    struct hash128 key;
    int64_t label_ms, offset;
    int64_t prediction_ms;   /* TIME_NONE when the label does not carry it */
    int64_t deadline_ms;     /* prediction clock beyond it: unmatched */
    int64_t clock_before_ms; /* feedback clock before this record: the rebuild floor's clock */
    int64_t joins_before; /* only predictions with lower offsets may join (overflow replayed), else
                             INT64_MAX */
    double label;
    char *id; /* for the dead letter; owned */
    uint32_t id_size;
    uint32_t next; /* in the bucket, or in the free list */
    uint32_t heap_index;
    uint32_t task; /* stable id of the task */
    bool stored;   /* has been flushed: its removal must be, too */
    bool used;
};

#define ORPHAN_NONE UINT32_MAX

struct orphans {
    struct orphan *list;
    uint32_t *buckets, *heap; /* heap: least (deadline, offset) first */
    size_t capacity, bucket_count, count;
    uint32_t free_list;
    size_t bytes;          /* of ids and entries */
    struct buffer removed; /* store keys of removed stored orphans since the last flush */
};

enum { ORPHAN_KEY_BYTES = 4 + 16 + 8 };

void orphans_init(struct orphans *orphans);
void orphans_release(struct orphans *orphans);
/* Copies the orphan and its id. */
void orphans_add(struct orphans *orphans, const struct orphan *orphan, struct slice id);
/* Numbers of this key's orphans, first and next; ORPHAN_NONE at the end. */
uint32_t orphans_first(const struct orphans *orphans, uint32_t task, const struct hash128 *key);
uint32_t orphans_next(const struct orphans *orphans, uint32_t number);
/* The one with the least deadline, or ORPHAN_NONE. */
uint32_t orphans_earliest(const struct orphans *orphans);
void orphans_remove(struct orphans *orphans, uint32_t number);
struct slice orphan_id(const struct orphan *orphan); /* borrowed */

void orphan_write_key(const struct orphan *orphan, char out_key[ORPHAN_KEY_BYTES]);
void orphan_write(const struct orphan *orphan, struct buffer *out);
/* Adds a stored orphan; false when malformed. */
bool orphans_load(struct orphans *orphans, struct slice key, struct slice value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { BUCKETS_MIN = 1024 };

/* The key is a keyed hash already: any of its bits will do. */
static uint32_t *bucket_of(const struct delta *delta, const struct hash128 *key) {
    uint64_t word;
    memcpy(&word, key->bytes + 8, sizeof word);
    return &delta->buckets[word & (delta->bucket_count - 1)];
}

static void clear_buckets(struct delta *delta) {
    memset(delta->buckets, 0xff, delta->bucket_count * sizeof *delta->buckets);
}

static void link_entry(struct delta *delta, uint32_t number) {
    uint32_t *bucket = bucket_of(delta, &delta->entries[number].key);
    delta->entries[number].next = *bucket;
    *bucket = number;
}

void delta_init(struct delta *delta) {
    *delta = (struct delta){.bucket_count = BUCKETS_MIN};
    delta->buckets = alloc_zero(delta->bucket_count, sizeof *delta->buckets);
    clear_buckets(delta);
}

void delta_release(struct delta *delta) {
    free(delta->entries);
    free(delta->buckets);
    *delta = (struct delta){0};
}

void delta_reset(struct delta *delta) {
    delta->count = 0;
    delta->unstored_rows = 0;
    clear_buckets(delta);
}

void delta_trim(struct delta *delta, size_t count) {
    size_t waiting = 0, kept = 0;
    for (size_t i = 0; i < delta->count; i++)
        waiting += !(delta->entries[i].flags & DELTA_LABELLED);
    size_t skipped = waiting > count ? waiting - count : 0;
    for (size_t i = 0; i < delta->count; i++) {
        bool is_waiting = !(delta->entries[i].flags & DELTA_LABELLED);
        if (is_waiting && skipped == 0)
            delta->entries[kept++] = delta->entries[i];
        skipped -= is_waiting && skipped > 0;
    }
    delta->count = kept;
    clear_buckets(delta);
    for (size_t i = 0; i < kept; i++)
        link_entry(delta, (uint32_t)i);
}

size_t delta_bytes(const struct delta *delta) {
    return delta->count * (sizeof *delta->entries + sizeof *delta->buckets);
}

static bool same_key(const struct hash128 *a, const struct hash128 *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct delta_entry *from(const struct delta *delta, uint32_t number,
                                const struct hash128 *key) {
    for (; number != DELTA_NONE; number = delta->entries[number].next)
        if (same_key(&delta->entries[number].key, key))
            return &delta->entries[number];
    return NULL;
}

struct delta_entry *delta_first(const struct delta *delta, const struct hash128 *key) {
    return from(delta, *bucket_of(delta, key), key);
}

void delta_prefetch(const struct delta *delta, const struct hash128 *keys, size_t count) {
    enum { DISTANCE = 16 };
    for (size_t i = 0; i < count + DISTANCE; i++) {
        if (i < count)
            PREFETCH(bucket_of(delta, &keys[i]));
        uint32_t number = i >= DISTANCE ? *bucket_of(delta, &keys[i - DISTANCE]) : DELTA_NONE;
        if (number != DELTA_NONE)
            PREFETCH(&delta->entries[number]);
    }
}

struct delta_entry *delta_next(const struct delta *delta, const struct delta_entry *entry) {
    return from(delta, entry->next, &entry->key);
}

struct delta_entry *delta_find(const struct delta *delta, const struct hash128 *key,
                               uint16_t instance, int64_t segment) {
    struct delta_entry *entry = delta_first(delta, key);
    while (entry && (entry->segment != segment || entry->instance != instance))
        entry = delta_next(delta, entry);
    return entry;
}

static void grow(struct delta *delta) {
    delta->capacity = delta->capacity ? delta->capacity * 2 : BUCKETS_MIN;
    delta->entries = alloc_resize(delta->entries, delta->capacity, sizeof *delta->entries);
    if (delta->capacity <= delta->bucket_count)
        return;
    delta->bucket_count = delta->capacity;
    delta->buckets = alloc_resize(delta->buckets, delta->bucket_count, sizeof *delta->buckets);
    clear_buckets(delta);
    for (size_t i = 0; i < delta->count; i++)
        link_entry(delta, (uint32_t)i);
}

struct delta_entry *delta_insert(struct delta *delta, const struct hash128 *key, uint16_t instance,
                                 int64_t segment) {
    if (delta->count == delta->capacity)
        grow(delta);
    ASSERT(delta->count < DELTA_NONE);
    struct delta_entry *entry = &delta->entries[delta->count];
    *entry = (struct delta_entry){.key = *key, .instance = instance, .segment = segment};
    link_entry(delta, (uint32_t)delta->count++);
    return entry;
}

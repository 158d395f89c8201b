/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { BUCKETS_MIN = 1024, LABELS_MIN = 1024, COHORT_MASK = (1 << 30) - 1 };

_Static_assert(sizeof(struct delta_entry) == 48, "most of the memory: no padding");

/* The key is a keyed hash already: any of its bits will do. */
static uint32_t *bucket_of(const struct delta *delta, const unsigned char *key) {
    uint32_t word;
    memcpy(&word, key + 8, sizeof word);
    return &delta->buckets[word & (delta->bucket_count - 1)];
}

static void clear_buckets(struct delta *delta) {
    memset(delta->buckets, 0xff, delta->bucket_count * sizeof *delta->buckets);
}

static void link_entry(struct delta *delta, uint32_t number) {
    uint32_t *bucket = bucket_of(delta, delta->entries[number].key);
    delta->entries[number].next = *bucket;
    *bucket = number;
}

void delta_init(struct delta *delta) {
    *delta = (struct delta){.bucket_count = BUCKETS_MIN};
    delta->buckets = alloc_zero(delta->bucket_count, sizeof *delta->buckets);
    clear_buckets(delta);
    cohorts_init(&delta->cohorts);
    cohorts_init(&delta->spare);
}

void delta_release(struct delta *delta) {
    cohorts_release(&delta->cohorts);
    cohorts_release(&delta->spare);
    free(delta->entries);
    free(delta->labels);
    free(delta->buckets);
    *delta = (struct delta){0};
}

void delta_reset(struct delta *delta) {
    delta->count = 0;
    delta->label_count = 0;
    delta->unstored_rows = 0;
    cohorts_reset(&delta->cohorts);
    clear_buckets(delta);
}

/* Those that wait, but for the oldest. */
static size_t compact(struct delta *delta, size_t skipped) {
    size_t kept = 0;
    for (size_t i = 0; i < delta->count; i++) {
        struct delta_entry *entry = &delta->entries[i];
        if (entry->label != DELTA_NONE)
            continue;
        if (skipped > 0) {
            skipped--;
            continue;
        }
        entry->cohort =
            cohorts_number(&delta->spare, &delta->cohorts.list[entry->cohort]) & COHORT_MASK;
        entry->row_unstored = entry->mark_unstored = 0;
        delta->entries[kept++] = *entry;
    }
    return kept;
}

void delta_trim(struct delta *delta, size_t bytes) {
    size_t waiting = 0, most = bytes / (sizeof *delta->entries + sizeof *delta->buckets);
    for (size_t i = 0; i < delta->count; i++)
        waiting += delta->entries[i].label == DELTA_NONE;
    cohorts_reset(&delta->spare);
    delta->count = compact(delta, waiting > most ? waiting - most : 0);
    delta->label_count = 0;
    delta->unstored_rows = 0;
    struct cohorts former = delta->cohorts;
    delta->cohorts = delta->spare;
    delta->spare = former;
    clear_buckets(delta);
    for (size_t i = 0; i < delta->count; i++)
        link_entry(delta, (uint32_t)i);
}

size_t delta_bytes(const struct delta *delta) {
    return delta->count * (sizeof *delta->entries + sizeof *delta->buckets) +
           delta->label_count * sizeof *delta->labels + 2 * cohorts_bytes(&delta->cohorts);
}

static bool same_key(const unsigned char *a, const unsigned char *b) {
    return memcmp(a, b, ROW_KEY_BYTES) == 0;
}

static struct delta_entry *from(const struct delta *delta, uint32_t number,
                                const unsigned char *key) {
    for (; number != DELTA_NONE; number = delta->entries[number].next)
        if (same_key(delta->entries[number].key, key))
            return &delta->entries[number];
    return NULL;
}

struct delta_entry *delta_first(const struct delta *delta, const struct hash128 *key) {
    return from(delta, *bucket_of(delta, key->bytes), key->bytes);
}

void delta_prefetch(const struct delta *delta, const struct hash128 *keys, size_t count) {
    enum { DISTANCE = 16 };
    for (size_t i = 0; i < count + DISTANCE; i++) {
        if (i < count)
            PREFETCH(bucket_of(delta, keys[i].bytes));
        uint32_t number = i >= DISTANCE ? *bucket_of(delta, keys[i - DISTANCE].bytes) : DELTA_NONE;
        if (number != DELTA_NONE)
            PREFETCH(&delta->entries[number]);
    }
}

struct delta_entry *delta_next(const struct delta *delta, const struct delta_entry *entry) {
    return from(delta, entry->next, entry->key);
}

struct delta_entry *delta_find(const struct delta *delta, const struct hash128 *key,
                               uint16_t instance, int64_t segment) {
    for (struct delta_entry *entry = delta_first(delta, key); entry;
         entry = delta_next(delta, entry)) {
        const struct cohort *cohort = delta_cohort(delta, entry);
        if (cohort->segment == segment && cohort->instance == instance)
            return entry;
    }
    return NULL;
}

static void grow(struct delta *delta) {
    delta->capacity = delta->capacity ? delta->capacity * 2 : BUCKETS_MIN;
    delta->entries = alloc_resize(delta->entries, delta->capacity, sizeof *delta->entries);
    if (delta->capacity <= delta->bucket_count)
        return;
    delta->bucket_count = delta->capacity;
    free(delta->buckets);
    delta->buckets = alloc_resize(NULL, delta->bucket_count, sizeof *delta->buckets);
    clear_buckets(delta);
    for (size_t i = 0; i < delta->count; i++)
        link_entry(delta, (uint32_t)i);
}

struct delta_entry *delta_insert(struct delta *delta, const struct hash128 *key,
                                 const struct cohort *cohort) {
    if (delta->count == delta->capacity)
        grow(delta);
    ASSERT(delta->count < COHORT_MASK); /* cohorts are fewer */
    struct delta_entry *entry = &delta->entries[delta->count];
    *entry = (struct delta_entry){.label = DELTA_NONE,
                                  .cohort = cohorts_number(&delta->cohorts, cohort) & COHORT_MASK};
    memcpy(entry->key, key->bytes, sizeof entry->key);
    link_entry(delta, (uint32_t)delta->count++);
    return entry;
}

const struct cohort *delta_cohort(const struct delta *delta, const struct delta_entry *entry) {
    return &delta->cohorts.list[entry->cohort];
}

const struct delta_label *delta_label(const struct delta *delta, const struct delta_entry *entry) {
    return entry->label == DELTA_NONE ? NULL : &delta->labels[entry->label];
}

void delta_set_label(struct delta *delta, struct delta_entry *entry, struct delta_label label) {
    if (entry->label == DELTA_NONE) {
        if (delta->label_count == delta->label_capacity) {
            delta->label_capacity = delta->label_capacity ? delta->label_capacity * 2 : LABELS_MIN;
            delta->labels =
                alloc_resize(delta->labels, delta->label_capacity, sizeof *delta->labels);
        }
        entry->label = (uint32_t)delta->label_count++;
    }
    delta->labels[entry->label] = label;
}

/* sparse.h -- counters by a small key, few of them present: sorted by key, found directly once
 * there are many.
 *
 * Items start with their uint32_t key.  Up to SPARSE_SCAN items are scanned; from then on an index
 * of 2 bytes a key points at the item.  Memory grows by doubling and is kept when cleared.
 * Private to the tables.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_METRICS_SPARSE_H
#define SLIPSTREAM_METRICS_SPARSE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SPARSE_SCAN = 8,
    SPARSE_KEYS_MAX = 4096, /* keys are below it */
};

struct sparse {
    char *items;
    uint16_t *index; /* position + 1 by key, 0: absent; NULL while items are scanned */
    uint16_t count, capacity, index_size;
};

static inline uint32_t sparse_key(const char *item) {
    return *(const uint32_t *)(const void *)item;
}

/* The item of key, or NULL.  size: of an item, a constant, so that this folds away. */
static inline void *sparse_find(const struct sparse *sparse, uint32_t key, size_t size) {
    if (sparse->index) {
        uint32_t position = key < sparse->index_size ? sparse->index[key] : 0;
        return position ? sparse->items + (position - 1) * size : NULL;
    }
    for (uint32_t i = 0; sparse->items && i < sparse->count; i++) {
        char *item = sparse->items + i * size;
        if (sparse_key(item) == key)
            return item;
    }
    return NULL;
}

/* Puts a zeroed item of an absent key in its place.  Valid until the next insertion. */
void *sparse_insert(struct sparse *sparse, uint32_t key, size_t size);

/* Ascending keys into memory that is there, which is how tables are read back; else NULL. */
static inline void *sparse_append(struct sparse *sparse, uint32_t key, size_t size) {
    if (!sparse->items || sparse->count == sparse->capacity || key >= sparse->index_size)
        return NULL;
    char *item = sparse->items + sparse->count * size;
    if (sparse->count > 0 && key <= sparse_key(item - size))
        return NULL;
    memset(item, 0, size);
    memcpy(item, &key, sizeof key);
    sparse->index[key] = ++sparse->count;
    return item;
}

static inline void *sparse_at(struct sparse *sparse, uint32_t key, size_t size) {
    void *item = sparse_find(sparse, key, size);
    if (!item)
        item = sparse_append(sparse, key, size);
    return item ? item : sparse_insert(sparse, key, size);
}

void sparse_clear(struct sparse *sparse, size_t size);
void sparse_release(struct sparse *sparse);
size_t sparse_bytes(const struct sparse *sparse, size_t size);

#endif

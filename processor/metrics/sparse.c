/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/slice.h"

static void index_items(struct sparse *sparse, uint32_t from, size_t size) {
    ASSERT(sparse->index != NULL);
    for (uint32_t i = from; i < sparse->count; i++)
        sparse->index[sparse_key(sparse->items + i * size)] = (uint16_t)(i + 1);
}

static void grow_index(struct sparse *sparse, uint32_t keys) {
    uint32_t wanted = sparse->index_size ? sparse->index_size : 64;
    while (wanted < keys)
        wanted *= 2;
    sparse->index = alloc_resize(sparse->index, wanted, sizeof *sparse->index);
    memset(sparse->index + sparse->index_size, 0,
           (wanted - sparse->index_size) * sizeof *sparse->index);
    sparse->index_size = (uint16_t)wanted;
}

static void grow_items(struct sparse *sparse, size_t size) {
    sparse->capacity = (uint16_t)(sparse->capacity ? 2 * sparse->capacity : 1);
    sparse->items = alloc_resize(sparse->items, sparse->capacity, size);
}

/* First position whose key is greater. */
static uint32_t place_of(const struct sparse *sparse, uint32_t key, size_t size) {
    uint32_t place = sparse->count;
    while (place > 0 && sparse_key(sparse->items + (place - 1) * size) > key)
        place--;
    return place;
}

void *sparse_insert(struct sparse *sparse, uint32_t key, size_t size) {
    ASSERT(key < SPARSE_KEYS_MAX);
    if (sparse->count == sparse->capacity)
        grow_items(sparse, size);
    uint32_t place = place_of(sparse, key, size);
    memmove(sparse->items + (place + 1) * size, sparse->items + place * size,
            (sparse->count - place) * size);
    char *item = sparse->items + place * size;
    memset(item, 0, size);
    memcpy(item, &key, sizeof key);
    sparse->count++;
    if (sparse->count > SPARSE_SCAN || sparse->index) {
        bool is_first = sparse->index == NULL;
        if (key >= sparse->index_size)
            grow_index(sparse, sparse_key(sparse->items + (sparse->count - 1) * size) + 1);
        index_items(sparse, is_first ? 0 : place, size);
    }
    return item;
}

void sparse_clear(struct sparse *sparse, size_t size) {
    for (uint32_t i = 0; sparse->index && i < sparse->count; i++)
        sparse->index[sparse_key(sparse->items + i * size)] = 0;
    sparse->count = 0;
}

void sparse_release(struct sparse *sparse) {
    free(sparse->items);
    free(sparse->index);
    *sparse = (struct sparse){0};
}

size_t sparse_bytes(const struct sparse *sparse, size_t size) {
    return sparse->capacity * size + sparse->index_size * sizeof *sparse->index;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "state/put_order.h"

#include <stdlib.h>

#include "state/key.h"

/* What most comparisons need, packed: puts and keys lie scattered. */
struct place {
    struct family family;
    uint64_t high, low; /* the first 16 bytes of the key: they order as the bytes do */
    const struct store_put *put;
};

/* Zeros behind a short key, which whole keys then tell apart. */
static uint64_t eight_bytes(struct slice key, size_t from) {
    uint64_t number = 0;
    for (size_t i = from; i < from + 8; i++)
        number = number << 8 | (i < key.size ? (unsigned char)key.data[i] : 0U);
    return number;
}

static int compare_places(const void *left, const void *right) {
    const struct place *a = left, *b = right;
    int order = family_compare(a->family, b->family);
    if (order)
        return order;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    order = slice_compare(a->put->key, b->put->key);
    return order ? order : (a->put > b->put) - (a->put < b->put);
}

const struct store_put **put_order(const struct store_put *puts, size_t count,
                                   struct arena *arena) {
    struct place *places = arena_take(arena, (count + 1) * sizeof *places);
    const struct store_put **sorted = arena_take(arena, (count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){.family = puts[i].family,
                                   .high = eight_bytes(puts[i].key, 0),
                                   .low = eight_bytes(puts[i].key, 8),
                                   .put = &puts[i]};
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++)
        sorted[i] = places[i].put;
    return sorted;
}

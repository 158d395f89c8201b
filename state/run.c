/* SPDX-License-Identifier: Apache-2.0 */
#include "state/run.h"

#include <stdlib.h>
#include <string.h>

#include "state/key.h"

struct slice pair_key(const struct pair *pair) {
    return (struct slice){pair->bytes, pair->key_size};
}

struct slice pair_value(const struct pair *pair) {
    return (struct slice){pair->bytes + pair->key_size, pair->value_size};
}

static int pair_compare(const struct pair *pair, uint64_t prefix, struct slice key) {
    if (pair->prefix != prefix)
        return pair->prefix < prefix ? -1 : 1;
    return slice_compare(pair_key(pair), key);
}

/* Room for count pairs and bytes behind them; *out_bytes is where they go. */
static struct run run_reserve(size_t count, size_t bytes, char **out_bytes) {
    struct run run = {.pairs = alloc_resize(NULL, count * sizeof *run.pairs + bytes, 1)};
    *out_bytes = (char *)(run.pairs + count);
    return run;
}

static void append(struct run *run, char **bytes, struct slice key, const struct slice *value) {
    struct pair *pair = &run->pairs[run->count++];
    *pair = (struct pair){key_head(key), *bytes, (uint32_t)key.size,
                          value ? (uint32_t)value->size : RUN_TOMBSTONE};
    if (key.size)
        memcpy(*bytes, key.data, key.size);
    if (value && value->size)
        memcpy(*bytes + key.size, value->data, value->size);
    size_t size = key.size + (value ? value->size : 0);
    *bytes += size;
    run->bytes += size;
}

struct run run_of_rows(const struct store_rows *rows, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        struct store_row row = rows->row(rows->context, i);
        size += row.key.size + row.value.size;
    }
    char *bytes = NULL;
    struct run run = run_reserve(count, size, &bytes);
    for (size_t i = 0; i < count; i++) {
        struct store_row row = rows->row(rows->context, i);
        append(&run, &bytes, row.key, &row.value);
        ASSERT(i == 0 || slice_compare(pair_key(&run.pairs[i - 1]), row.key) < 0);
    }
    return run;
}

struct run run_of_puts(const struct store_put *const *puts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += puts[i]->key.size + (puts[i]->is_delete ? 0 : puts[i]->value.size);
    char *bytes = NULL;
    struct run run = run_reserve(count, size, &bytes);
    for (size_t i = 0; i < count; i++)
        append(&run, &bytes, puts[i]->key, puts[i]->is_delete ? NULL : &puts[i]->value);
    return run;
}

static void append_pair(struct run *run, char **bytes, const struct pair *pair) {
    bool is_tombstone = pair->value_size == RUN_TOMBSTONE;
    size_t size = pair->key_size + (is_tombstone ? 0 : pair->value_size);
    struct pair *copy = &run->pairs[run->count++];
    *copy = *pair;
    copy->bytes = *bytes;
    if (size)
        memcpy(*bytes, pair->bytes, size);
    *bytes += size;
    run->bytes += size;
}

struct run run_merge(const struct run *older, const struct run *newer, bool drop_tombstones) {
    char *bytes = NULL;
    struct run run = run_reserve(older->count + newer->count, older->bytes + newer->bytes, &bytes);
    for (size_t i = 0, j = 0; i < older->count || j < newer->count;) {
        int order = 0;
        if (i == older->count)
            order = 1;
        else if (j == newer->count)
            order = -1;
        else
            order =
                pair_compare(&older->pairs[i], newer->pairs[j].prefix, pair_key(&newer->pairs[j]));
        const struct pair *pair = order < 0 ? &older->pairs[i] : &newer->pairs[j];
        i += order <= 0;
        j += order >= 0;
        if (!drop_tombstones || pair->value_size != RUN_TOMBSTONE)
            append_pair(&run, &bytes, pair);
    }
    return run;
}

void run_release(struct run *run) {
    free(run->pairs);
    *run = (struct run){0};
}

/* Strides double from the cursor until they pass the key; then halves. */
const struct pair *run_find(const struct run *run, struct slice key, size_t *cursor) {
    uint64_t prefix = key_head(key);
    size_t low = *cursor, high = low, stride = 1;
    while (high < run->count && pair_compare(&run->pairs[high], prefix, key) < 0) {
        low = high + 1;
        high += stride;
        stride *= 2;
    }
    if (high > run->count)
        high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pair_compare(&run->pairs[middle], prefix, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *cursor = low;
    bool is_found = low < run->count && pair_compare(&run->pairs[low], prefix, key) == 0;
    return is_found ? &run->pairs[low] : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/pane_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

enum {
    SPARE_MAX = 2048,
    PACKED_BYTES_MAX = 1 << 28,
    CHANGED_BYTES_MAX = 512, /* larger ones are opened to be changed */
    SMALL_ITEMS_MAX = 80,    /* which take less than that, nearly always */
    PACKED_STEP = 32,        /* capacities are multiples of it */
};

void entry_pool_init(struct entry_pool *pool, const struct shape *shape) {
    *pool = (struct entry_pool){.shape = shape, .work = tables_create()};
    buffer_init(&pool->scratch, PACKED_BYTES_MAX);
    pool->spare = alloc_zero(SPARE_MAX, sizeof(struct tables *));
}

size_t entry_pool_bytes(const struct entry_pool *pool) {
    size_t bytes = 0;
    for (size_t i = 0; i < pool->spare_count; i++)
        bytes += tables_bytes(pool->spare[i]);
    return bytes;
}

void entry_pool_trim(struct entry_pool *pool) {
    while (pool->spare_count > 0)
        tables_destroy(pool->spare[--pool->spare_count]);
}

void entry_pool_release(struct entry_pool *pool) {
    entry_pool_trim(pool);
    free((void *)pool->spare);
    tables_destroy(pool->work);
    buffer_release(&pool->scratch);
    *pool = (struct entry_pool){0};
}

static void give_tables(struct entry_pool *pool, struct tables *tables) {
    if (!tables)
        return;
    if (pool->spare_count == SPARE_MAX) {
        tables_destroy(tables);
        return;
    }
    tables_clear(tables);
    pool->spare[pool->spare_count++] = tables;
}

static struct tables *take_tables(struct entry_pool *pool) {
    return pool->spare_count > 0 ? pool->spare[--pool->spare_count] : tables_create();
}

void entry_make_tables(struct entry_pool *pool, struct pane_entry *entry) {
    entry->tables = take_tables(pool);
}

static void set_packed(struct pane_entry *entry, struct slice bytes) {
    ASSERT(bytes.size <= PACKED_BYTES_MAX);
    if (!entry->packed || bytes.size > entry->packed_capacity) {
        free(entry->packed);
        entry->packed_capacity =
            (uint32_t)((bytes.size + PACKED_STEP - 1) / PACKED_STEP * PACKED_STEP);
        entry->packed = alloc_resize(NULL, 1, entry->packed_capacity);
    }
    memcpy(entry->packed, bytes.data, bytes.size);
    entry->packed_size = (uint32_t)bytes.size;
}

static struct slice packed_of(const struct pane_entry *entry) {
    return (struct slice){entry->packed, entry->packed_size};
}

bool entry_load(struct entry_pool *pool, struct pane_entry *entry, struct slice bytes) {
    tables_clear(pool->work);
    if (bytes.size > PACKED_BYTES_MAX || !tables_read(pool->work, pool->shape, bytes))
        return false;
    set_packed(entry, bytes);
    return true;
}

void entry_release(struct entry_pool *pool, struct pane_entry *entry) {
    give_tables(pool, entry->tables);
    entry->tables = NULL;
    entry_evict(entry);
}

bool entry_is_in_memory(const struct pane_entry *entry) {
    return entry->tables || entry->packed;
}

size_t entry_bytes(const struct pane_entry *entry) {
    return (entry->tables ? tables_bytes(entry->tables) : 0) +
           (entry->packed ? entry->packed_capacity : 0);
}

struct tables *entry_open(struct entry_pool *pool, struct pane_entry *entry) {
    if (entry->tables)
        return entry->tables;
    tables_clear(pool->work);
    if (!tables_read(pool->work, pool->shape, packed_of(entry)))
        return NULL;
    if (entry->packed_size <= CHANGED_BYTES_MAX)
        return pool->work;
    entry->tables = pool->work;
    entry_evict(entry);
    pool->work = take_tables(pool);
    return entry->tables;
}

void entry_close(struct entry_pool *pool, struct pane_entry *entry, const struct tables *tables) {
    if (tables == entry->tables)
        return;
    buffer_reset(&pool->scratch);
    tables_write(tables, &pool->scratch);
    set_packed(entry, buffer_slice(&pool->scratch));
}

int64_t entry_predicted(const struct pane_entry *entry) {
    return entry->tables ? tables_predicted(entry->tables)
                         : tables_written_predicted(packed_of(entry));
}

void entry_write(const struct pane_entry *entry, struct buffer *out) {
    if (entry->tables)
        tables_write(entry->tables, out);
    else
        buffer_append(out, entry->packed, entry->packed_size);
}

void entry_pack(struct entry_pool *pool, struct pane_entry *entry) {
    if (!entry->tables)
        return;
    struct tables *tables = entry->tables;
    entry->tables = NULL;
    entry_close(pool, entry, tables);
    give_tables(pool, tables);
}

void entry_pack_small(struct entry_pool *pool, struct pane_entry *entry) {
    if (entry->tables && tables_items(entry->tables) <= SMALL_ITEMS_MAX)
        entry_pack(pool, entry);
}

void entry_evict(struct pane_entry *entry) {
    free(entry->packed);
    entry->packed = NULL;
    entry->packed_size = entry->packed_capacity = 0;
}

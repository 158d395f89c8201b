/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/panes.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

enum { SPARE_PANES_MAX = 16, SLOTS_MIN = 16, NEW_BYTES_ABOUT = 300 };

void panes_init(struct panes *panes, const struct shape *shape, uint32_t instance) {
    *panes = (struct panes){.instance = instance};
    entry_pool_init(&panes->pool, shape);
    panes->spare_panes = alloc_zero(SPARE_PANES_MAX, sizeof(struct pane *));
}

static void pane_destroy(struct pane *pane) {
    free(pane->entries);
    free(pane->slots);
    free(pane);
}

static void give_pane(struct panes *panes, struct pane *pane) {
    for (size_t i = 0; i < pane->count; i++)
        entry_release(&panes->pool, &pane->entries[i]);
    if (panes->spare_pane_count == SPARE_PANES_MAX)
        pane_destroy(pane);
    else
        panes->spare_panes[panes->spare_pane_count++] = pane;
}

static struct pane *take_pane(struct panes *panes, int64_t start_ms, bool sealed) {
    bool is_new = panes->spare_pane_count == 0;
    struct pane *pane =
        is_new ? alloc_zero(1, sizeof *pane) : panes->spare_panes[--panes->spare_pane_count];
    if (is_new) {
        pane->slot_count = SLOTS_MIN;
        pane->slots = alloc_zero(pane->slot_count, sizeof *pane->slots);
    }
    memset(pane->slots, 0, pane->slot_count * sizeof *pane->slots);
    *pane = (struct pane){.start_ms = start_ms,
                          .sealed = sealed,
                          .entries = pane->entries,
                          .capacity = pane->capacity,
                          .slots = pane->slots,
                          .slot_count = pane->slot_count};
    return pane;
}

void panes_release(struct panes *panes) {
    for (size_t i = 0; i < panes->count; i++)
        give_pane(panes, panes->sorted[i]);
    while (panes->spare_pane_count > 0)
        pane_destroy(panes->spare_panes[--panes->spare_pane_count]);
    free((void *)panes->spare_panes);
    free((void *)panes->sorted);
    entry_pool_release(&panes->pool);
    *panes = (struct panes){0};
}

size_t panes_lower_bound(const struct panes *panes, int64_t start_ms) {
    size_t low = 0, high = panes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (panes->sorted[middle]->start_ms < start_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct pane *insert_at(struct panes *panes, size_t index, int64_t start_ms, bool sealed) {
    if (panes->count == panes->capacity) {
        panes->capacity = panes->capacity ? panes->capacity * 2 : 16;
        panes->sorted = alloc_resize((void *)panes->sorted, panes->capacity, sizeof *panes->sorted);
    }
    struct pane *pane = take_pane(panes, start_ms, sealed);
    memmove((void *)(panes->sorted + index + 1), (void *)(panes->sorted + index),
            (panes->count - index) * sizeof *panes->sorted);
    panes->sorted[index] = pane;
    panes->count++;
    return pane;
}

struct pane *panes_at(struct panes *panes, int64_t start_ms, bool sealed) {
    if (panes->last < panes->count && panes->sorted[panes->last]->start_ms == start_ms)
        return panes->sorted[panes->last];
    size_t index = panes_lower_bound(panes, start_ms);
    panes->last = index;
    if (index < panes->count && panes->sorted[index]->start_ms == start_ms)
        return panes->sorted[index];
    return insert_at(panes, index, start_ms, sealed);
}

static uint16_t *slot_of(const struct pane *pane, uint16_t group) {
    size_t mask = pane->slot_count - 1;
    for (size_t i = (group * 40503U) & mask;; i = (i + 1) & mask)
        if (pane->slots[i] == 0 || pane->entries[pane->slots[i] - 1].group == group)
            return &pane->slots[i];
}

static void rehash(struct pane *pane) {
    pane->slot_count *= 2;
    free(pane->slots);
    pane->slots = alloc_zero(pane->slot_count, sizeof *pane->slots);
    for (size_t i = 0; i < pane->count; i++)
        *slot_of(pane, pane->entries[i].group) = (uint16_t)(i + 1);
}

static struct pane_entry *add_entry(struct panes *panes, struct pane *pane, uint16_t group) {
    if (pane->count == pane->capacity) {
        pane->capacity = pane->capacity ? pane->capacity * 2 : 4;
        pane->entries = alloc_resize(pane->entries, pane->capacity, sizeof *pane->entries);
    }
    struct pane_entry *entry = &pane->entries[pane->count++];
    *entry = (struct pane_entry){.group = group, .version = {-1, -1}};
    *slot_of(pane, group) = (uint16_t)pane->count;
    if (pane->count * 2 > pane->slot_count)
        rehash(pane);
    panes->entries++;
    return entry;
}

static struct slice tables_of(struct slice value) {
    struct reader reader = reader_from(value);
    for (int i = 0; i < 4; i++)
        (void)read_long(&reader);
    return (struct slice){(const char *)reader.at, (size_t)(reader.end - reader.at)};
}

struct pane_entry *panes_evicted(struct panes *panes, int64_t start_ms, uint16_t group) {
    size_t index = panes_lower_bound(panes, start_ms);
    if (index == panes->count || panes->sorted[index]->start_ms != start_ms)
        return NULL;
    const struct pane *pane = panes->sorted[index];
    uint16_t slot = *slot_of(pane, group);
    return slot != 0 && !entry_is_in_memory(&pane->entries[slot - 1]) ? &pane->entries[slot - 1]
                                                                      : NULL;
}

enum status panes_restore(struct panes *panes, struct pane_entry *entry, struct slice value,
                          struct error *err) {
    if (!value.data || !entry_load(&panes->pool, entry, tables_of(value)))
        return error_set(err, STATUS_CORRUPT, "stored pane does not parse");
    panes->loaded++;
    panes->bytes += entry_bytes(entry);
    return STATUS_OK;
}

static enum status load_entry(struct panes *panes, int64_t start_ms, struct pane_entry *entry,
                              struct store *store, struct error *err) {
    char key_bytes[PANE_KEY_BYTES];
    pane_write_key(panes->instance, start_ms, entry->group, key_bytes);
    struct slice key = {key_bytes, sizeof key_bytes}, value;
    struct arena arena;
    arena_init(&arena);
    enum status status =
        store->ops->get(store, (struct family){.kind = FAMILY_PANES}, &key, 1, &value, &arena, err);
    if (status == STATUS_OK)
        status = panes_restore(panes, entry, value, err);
    arena_release(&arena);
    return status;
}

enum status panes_entry(struct panes *panes, struct pane *pane, uint16_t group, struct store *store,
                        struct pane_entry **out_entry, struct error *err) {
    uint16_t slot = *slot_of(pane, group);
    if (slot == 0) {
        *out_entry = add_entry(panes, pane, group);
        entry_make_tables(&panes->pool, *out_entry);
        panes->loaded++;
        panes->bytes += NEW_BYTES_ABOUT;
        return STATUS_OK;
    }
    *out_entry = &pane->entries[slot - 1];
    return entry_is_in_memory(*out_entry)
               ? STATUS_OK
               : load_entry(panes, pane->start_ms, *out_entry, store, err);
}

void panes_touch(struct pane *pane, struct pane_entry *entry, enum log_side log, int64_t offset) {
    if (entry->version[log] < offset)
        entry->version[log] = offset;
    if (!entry->dirty)
        pane->dirty_count++;
    entry->dirty = true;
    entry->unstored = true;
}

int64_t pane_entry_late(const struct pane *pane, const struct pane_entry *entry) {
    return pane->sealed ? entry_predicted(entry) - entry->sealed_predicted : 0;
}

void panes_seal(struct panes *panes, int64_t sealed_before_ms, int64_t pane_ms) {
    size_t end = panes_lower_bound(panes, sealed_before_ms - pane_ms + 1);
    for (size_t i = end; i-- > 0 && !panes->sorted[i]->sealed;) {
        struct pane *pane = panes->sorted[i];
        pane->sealed = true;
        for (size_t j = 0; j < pane->count; j++) {
            struct pane_entry *entry = &pane->entries[j];
            if (entry_is_in_memory(entry)) /* else the stored count stands, see pane_write */
                entry->sealed_predicted = entry_predicted(entry);
        }
    }
}

void panes_remove(struct panes *panes, size_t count) {
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        panes->entries -= panes->sorted[i]->count;
        give_pane(panes, panes->sorted[i]);
    }
    panes->count -= count;
    memmove((void *)panes->sorted, (void *)(panes->sorted + count),
            panes->count * sizeof *panes->sorted);
    panes->last = 0;
}

void pane_write_key(uint32_t instance, int64_t start_ms, uint16_t group,
                    char out_key[PANE_KEY_BYTES]) {
    uint64_t start = (uint64_t)start_ms ^ (UINT64_C(1) << 63);
    for (int i = 0; i < 4; i++)
        out_key[i] = (char)(unsigned char)(instance >> (24 - 8 * i));
    for (int i = 0; i < 8; i++)
        out_key[4 + i] = (char)(unsigned char)(start >> (56 - 8 * i));
    out_key[12] = (char)(unsigned char)(group >> 8);
    out_key[13] = (char)(unsigned char)group;
}

bool pane_read_key(struct slice key, uint32_t *out_instance, int64_t *out_start_ms,
                   uint16_t *out_group) {
    if (key.size != PANE_KEY_BYTES)
        return false;
    const unsigned char *at = (const unsigned char *)key.data;
    uint64_t start = 0;
    *out_instance = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    for (int i = 0; i < 8; i++)
        start = start << 8 | at[4 + i];
    *out_start_ms = (int64_t)(start ^ (UINT64_C(1) << 63));
    *out_group = (uint16_t)(at[12] << 8 | at[13]);
    return true;
}

/* sealed_predicted of an open pane is written as its present count: should the pane be sealed while
 * this entry is not in memory, that is the count at the seal, for it has not changed since it was
 * written. */
void pane_write(const struct pane *pane, const struct pane_entry *entry, struct buffer *out) {
    write_long(out, entry->dirty);
    write_long(out, entry->version[LOG_PREDICTIONS]);
    write_long(out, entry->version[LOG_FEEDBACK]);
    write_long(out, pane->sealed ? entry->sealed_predicted : entry_predicted(entry));
    entry_write(entry, out);
}

bool panes_load(struct panes *panes, int64_t start_ms, uint16_t group, struct slice value) {
    struct reader reader = reader_from(value);
    struct pane *pane = panes_at(panes, start_ms, false);
    if (*slot_of(pane, group) != 0)
        return false;
    struct pane_entry *entry = add_entry(panes, pane, group);
    entry->dirty = read_long(&reader) != 0;
    entry->version[LOG_PREDICTIONS] = read_long(&reader);
    entry->version[LOG_FEEDBACK] = read_long(&reader);
    entry->sealed_predicted = read_long(&reader);
    pane->dirty_count += entry->dirty;
    if (reader.failed || !entry->dirty)
        return !reader.failed;
    return entry_load(&panes->pool, entry, tables_of(value));
}

void panes_set_sealed(struct panes *panes, int64_t sealed_before_ms, int64_t pane_ms) {
    for (size_t i = 0; i < panes->count; i++)
        panes->sorted[i]->sealed = panes->sorted[i]->start_ms + pane_ms <= sealed_before_ms;
}

static bool may_pack(const struct pane_entry *entry) {
    return entry->tables != NULL;
}

static void pack(struct panes *panes, const struct pane *pane UNUSED, struct pane_entry *entry) {
    entry_pack(&panes->pool, entry);
}

/* What is neither stored nor published is nowhere else. */
static bool may_evict(const struct pane_entry *entry) {
    return !entry->unstored && !entry->dirty && entry_is_in_memory(entry);
}

static void evict(struct panes *panes UNUSED, const struct pane *pane, struct pane_entry *entry) {
    if (!pane->sealed)
        entry->sealed_predicted = entry_predicted(entry);
    entry_evict(entry);
}

struct shrinking {
    bool (*may)(const struct pane_entry *entry);
    void (*let_go)(struct panes *panes, const struct pane *pane, struct pane_entry *entry);
};

/* The bytes left when entries of the oldest panes were let go. */
static size_t shrink(struct panes *panes, size_t bytes, size_t bytes_max,
                     const struct shrinking *how) {
    for (size_t i = 0; i < panes->count && bytes > bytes_max; i++) {
        struct pane *pane = panes->sorted[i];
        for (size_t j = 0; j < pane->count && bytes > bytes_max; j++) {
            struct pane_entry *entry = &pane->entries[j];
            if (!how->may(entry))
                continue;
            size_t before = entry_bytes(entry);
            how->let_go(panes, pane, entry);
            size_t after = entry_bytes(entry);
            size_t freed = before > after ? before - after : 0;
            bytes -= freed < bytes ? freed : bytes;
        }
    }
    return bytes;
}

void panes_evict(struct panes *panes, size_t bytes_max) {
    static const struct shrinking packing = {may_pack, pack}, evicting = {may_evict, evict};
    size_t bytes = panes_bytes(panes);
    if (bytes > bytes_max) {
        entry_pool_trim(&panes->pool);
        bytes = shrink(panes, panes_bytes(panes), bytes_max, &packing);
        bytes = shrink(panes, bytes, bytes_max, &evicting);
        entry_pool_trim(&panes->pool); /* of what was packed */
    }
    panes->bytes = bytes;
    panes->loaded = 0;
}

size_t panes_bytes(const struct panes *panes) {
    size_t bytes = panes->count * sizeof(struct pane) + entry_pool_bytes(&panes->pool);
    for (size_t i = 0; i < panes->count; i++) {
        const struct pane *pane = panes->sorted[i];
        bytes += pane->capacity * sizeof *pane->entries + pane->slot_count * sizeof *pane->slots;
        for (size_t j = 0; j < pane->count; j++)
            bytes += entry_bytes(&pane->entries[j]);
    }
    return bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "task/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

enum {
    ALLOCATION_BYTES = 16, /* what the allocator adds to a piece, about */
    SOURCES_BYTES_MAX = 1 << 29,
};

void table_init(struct table *table) {
    *table = (struct table){0};
    buffer_init(&table->scratch, SOURCES_BYTES_MAX);
}

struct slice pane_sources(const struct pane *pane) {
    ASSERT(!pane->is_evicted);
    return (struct slice){pane->sources, pane->size};
}

static bool read_source(struct reader *reader, struct source *out_source) {
    int64_t partition = read_long(reader);
    *out_source = (struct source){.partition = (int32_t)partition};
    out_source->version_predictions = read_long(reader);
    out_source->version_labels = read_long(reader);
    out_source->late = read_long(reader);
    out_source->tables = read_bytes(reader);
    return !reader->failed && partition >= HISTORY_SOURCE && partition <= INT32_MAX;
}

bool sources_next(struct slice *rest, struct source *out_source) {
    if (rest->size == 0)
        return false;
    struct reader reader = reader_from(*rest);
    if (!read_source(&reader, out_source))
        return false;
    *rest = (struct slice){(const char *)reader.at, (size_t)(reader.end - reader.at)};
    return true;
}

static size_t held(const struct pane *pane) {
    return pane->sources ? pane->size + ALLOCATION_BYTES : 0;
}

/* The pane's sources are now these, which it owns; NULL: none. */
static void set_sources(struct table *table, struct pane *pane, char *sources, size_t size) {
    size_t before = held(pane);
    free(pane->sources);
    pane->sources = sources;
    pane->size = (uint32_t)size;
    table->bytes += held(pane) - before;
    table->partials += held(pane) - before;
    table->evicted_count -= pane->is_evicted;
    pane->is_evicted = false;
}

static void copy_sources(struct table *table, struct pane *pane, struct slice sources) {
    char *copy = alloc_resize(NULL, 1, sources.size);
    memcpy(copy, sources.data, sources.size);
    set_sources(table, pane, copy, sources.size);
}

static void destroy_pane(struct table *table, struct pane *pane) {
    set_sources(table, pane, NULL, 0);
    table->bytes -= sizeof *pane + ALLOCATION_BYTES;
    free(pane);
}

void table_release(struct table *table) {
    for (size_t i = 0; i < table->changed.count; i++) {
        if (table->changed.items[i]->is_removed)
            destroy_pane(table, table->changed.items[i]);
    }
    for (size_t g = 0; g < table->group_count; g++) {
        struct group *group = table->groups[g];
        for (size_t i = 0; i < group->count; i++)
            destroy_pane(table, group->panes[i]);
        free(group->panes);
        free(group);
    }
    free(table->groups);
    free(table->index);
    free(table->touched.items);
    free(table->changed.items);
    buffer_release(&table->scratch);
    *table = (struct table){0};
}

static size_t index_at(const struct table *table, uint64_t hash, struct slice text) {
    size_t at = (size_t)hash & (table->index_size - 1);
    while (table->index[at] != 0) {
        const struct group *group = table->groups[table->index[at] - 1];
        if (group->hash == hash && slice_equal(group->text, text))
            break;
        at = (at + 1) & (table->index_size - 1);
    }
    return at;
}

static void grow_index(struct table *table) {
    free(table->index);
    table->index_size = table->index_size ? table->index_size * 2 : 64;
    table->index = alloc_zero(table->index_size, sizeof *table->index);
    for (size_t g = 0; g < table->group_count; g++) {
        const struct group *group = table->groups[g];
        table->index[index_at(table, group->hash, group->text)] = (uint32_t)g + 1;
    }
}

static struct group *add_group(struct table *table, uint64_t hash, struct slice text) {
    if (table->group_count == table->group_capacity) {
        table->group_capacity = table->group_capacity ? table->group_capacity * 2 : 16;
        table->groups = alloc_resize(table->groups, table->group_capacity, sizeof(struct group *));
    }
    struct group *group = alloc_zero(1, sizeof *group + text.size);
    char *copy = (char *)(group + 1);
    memcpy(copy, text.data, text.size);
    group->text = (struct slice){copy, text.size};
    group->hash = hash;
    table->groups[table->group_count++] = group;
    table->bytes += sizeof *group + text.size + ALLOCATION_BYTES;
    return group;
}

struct group *table_find_group(const struct table *table, struct slice text) {
    if (table->index_size == 0)
        return NULL;
    uint32_t number = table->index[index_at(table, hash64(text), text)];
    return number != 0 ? table->groups[number - 1] : NULL;
}

struct group *table_group(struct table *table, struct slice text) {
    if (table->group_count * 2 >= table->index_size)
        grow_index(table);
    uint64_t hash = hash64(text);
    size_t at = index_at(table, hash, text);
    if (table->index[at] != 0)
        return table->groups[table->index[at] - 1];
    struct group *group = add_group(table, hash, text);
    table->index[at] = (uint32_t)table->group_count;
    return group;
}

/* Index of the first pane at or after (start_ms, epoch). */
static size_t pane_at(const struct group *group, int64_t start_ms, int64_t epoch) {
    size_t low = 0, high = group->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pane *pane = group->panes[middle];
        if (pane->start_ms < start_ms || (pane->start_ms == start_ms && pane->epoch < epoch))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t group_first_pane(const struct group *group, int64_t start_ms) {
    return pane_at(group, start_ms, INT64_MIN);
}

struct pane *table_find_pane(const struct group *group, int64_t start_ms, int64_t epoch) {
    size_t at = pane_at(group, start_ms, epoch);
    struct pane *pane = at < group->count ? group->panes[at] : NULL;
    return pane && pane->start_ms == start_ms && pane->epoch == epoch ? pane : NULL;
}

static void grow_panes(struct table *table, struct group *group) {
    size_t capacity = group->capacity ? group->capacity * 2 : 4;
    group->panes = alloc_resize(group->panes, capacity, sizeof(struct pane *));
    table->bytes += (capacity - group->capacity) * sizeof(struct pane *);
    group->capacity = capacity;
}

struct pane *table_pane(struct table *table, struct group *group, int64_t start_ms, int64_t end_ms,
                        int64_t epoch) {
    size_t at = pane_at(group, start_ms, epoch);
    if (at < group->count && group->panes[at]->start_ms == start_ms &&
        group->panes[at]->epoch == epoch)
        return group->panes[at];
    if (group->count == group->capacity)
        grow_panes(table, group);
    memmove(&group->panes[at + 1], &group->panes[at], (group->count - at) * sizeof(struct pane *));
    struct pane *pane = alloc_zero(1, sizeof *pane);
    *pane = (struct pane){.start_ms = start_ms,
                          .end_ms = end_ms,
                          .epoch = epoch,
                          .touched_at_ms = INT64_MIN,
                          .group = group};
    group->panes[at] = pane;
    group->count++;
    table->pane_count++;
    table->bytes += sizeof *pane + ALLOCATION_BYTES;
    return pane;
}

void pane_list_add(struct pane_list *list, struct pane *pane) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = alloc_resize(list->items, list->capacity, sizeof(struct pane *));
    }
    list->items[list->count++] = pane;
}

void table_touch(struct table *table, struct pane *pane, int64_t sealed_limit_ms) {
    pane->touched_at_ms = sealed_limit_ms;
    if (pane->is_touched)
        return;
    pane->is_touched = true;
    pane_list_add(&table->touched, pane);
}

void table_change(struct table *table, struct pane *pane) {
    if (pane->is_changed)
        return;
    pane->is_changed = true;
    pane_list_add(&table->changed, pane);
}

static enum table_result compare(const struct source *known, const struct partial *partial) {
    bool is_up = partial->version_predictions >= known->version_predictions &&
                 partial->version_labels >= known->version_labels;
    bool is_down = partial->version_predictions <= known->version_predictions &&
                   partial->version_labels <= known->version_labels;
    if (is_up && is_down) {
        bool is_same = known->late == partial->late && slice_equal(known->tables, partial->tables);
        return is_same ? TABLE_SAME : TABLE_CONFLICT;
    }
    if (is_down)
        return TABLE_OLDER;
    return is_up ? TABLE_REPLACED : TABLE_CONFLICT;
}

static void write_source(struct buffer *out, const struct partial *partial) {
    write_long(out, partial->key.partition);
    write_long(out, partial->version_predictions);
    write_long(out, partial->version_labels);
    write_long(out, partial->late);
    write_bytes(out, partial->tables);
}

/* Where the source of the partition is, from *out_at up to *out_end, or belongs: both the same. */
static bool find_source(const struct pane *pane, int32_t partition, struct source *out_source,
                        size_t *out_at, size_t *out_end) {
    struct slice rest = pane_sources(pane);
    *out_at = *out_end = 0;
    while (sources_next(&rest, out_source) && out_source->partition <= partition) {
        *out_end = pane->size - rest.size;
        if (out_source->partition == partition)
            return true;
        *out_at = *out_end;
    }
    return false;
}

bool table_source(const struct pane *pane, int32_t partition, struct source *out_source) {
    size_t at, end;
    return find_source(pane, partition, out_source, &at, &end);
}

/* Puts bytes in the place of [at, end): most partials grow by little or not at all. */
static void splice(struct table *table, struct pane *pane, size_t at, size_t end,
                   struct slice bytes) {
    if (bytes.size == end - at) {
        memcpy(pane->sources + at, bytes.data, bytes.size);
        return;
    }
    size_t behind = pane->size - end, size = at + bytes.size + behind;
    char *whole = alloc_resize(NULL, 1, size);
    if (at > 0)
        memcpy(whole, pane->sources, at);
    memcpy(whole + at, bytes.data, bytes.size);
    if (behind > 0)
        memcpy(whole + at + bytes.size, pane->sources + end, behind);
    set_sources(table, pane, whole, size);
}

enum table_result table_put(struct table *table, struct pane *pane, const struct partial *partial) {
    ASSERT(!pane->is_final);
    struct source known;
    size_t at, end;
    if (find_source(pane, partial->key.partition, &known, &at, &end)) {
        enum table_result result = compare(&known, partial);
        if (result != TABLE_REPLACED)
            return result;
    }
    buffer_reset(&table->scratch);
    write_source(&table->scratch, partial);
    splice(table, pane, at, end, buffer_slice(&table->scratch));
    table_change(table, pane);
    return TABLE_REPLACED;
}

void table_put_history(struct table *table, struct pane *pane, int64_t late, struct slice tables) {
    const struct partial merged = {
        .key = {.partition = HISTORY_SOURCE}, .late = late, .tables = tables};
    buffer_reset(&table->scratch);
    write_source(&table->scratch, &merged);
    copy_sources(table, pane, buffer_slice(&table->scratch));
    pane->is_final = true;
    pane->is_doubtful = false;
    table_change(table, pane);
}

bool table_load(struct table *table, struct pane *pane, struct slice sources) {
    struct slice rest = sources;
    struct source source;
    bool is_final = false;
    while (sources_next(&rest, &source))
        is_final |= source.partition == HISTORY_SOURCE;
    if (rest.size > 0 || sources.size == 0 || sources.size > UINT32_MAX)
        return false;
    copy_sources(table, pane, sources);
    pane->is_final = is_final;
    pane->is_stored = true;
    return true;
}

void table_evict(struct table *table, struct pane *pane) {
    ASSERT(!pane->is_changed);
    if (pane->is_evicted || !pane->sources)
        return;
    set_sources(table, pane, NULL, 0);
    pane->is_evicted = true;
    table->evicted_count++;
}

void table_remove_marked(struct table *table, struct group *group) {
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct pane *pane = group->panes[i];
        if (!pane->is_removed) {
            group->panes[kept++] = pane;
            continue;
        }
        table->pane_count--;
        /* The list of changed panes still points to it. */
        if (pane->is_changed)
            set_sources(table, pane, NULL, 0);
        else
            destroy_pane(table, pane);
    }
    group->count = kept;
}

void table_sweep(struct table *table) {
    for (size_t i = 0; i < table->changed.count; i++) {
        struct pane *pane = table->changed.items[i];
        pane->is_changed = false;
        pane->is_stored = true;
        if (pane->is_removed)
            destroy_pane(table, pane);
    }
    table->changed.count = 0;
}

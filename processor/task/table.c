/* SPDX-License-Identifier: Apache-2.0 */
#include "task/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

enum { ALLOCATION_BYTES = 16 /* what the allocator adds to a piece, about */ };

void table_init(struct table *table) {
    *table = (struct table){0};
}

struct source *const *pane_sources(const struct pane *pane) {
    return pane->source_count == 1 ? &pane->as.one : pane->as.many;
}

struct slice source_tables(const struct source *source) {
    return (struct slice){source->tables, source->size};
}

static size_t source_bytes(const struct source *source) {
    return sizeof *source + source->size + ALLOCATION_BYTES;
}

static void release_sources(struct table *table, struct pane *pane) {
    for (int32_t i = 0; i < pane->source_count; i++) {
        struct source *source = pane_sources(pane)[i];
        table->bytes -= source_bytes(source);
        free(source);
    }
    if (pane->source_count > 1) {
        table->bytes -= (size_t)pane->source_count * sizeof(struct source *) + ALLOCATION_BYTES;
        free(pane->as.many);
    }
    pane->as.one = NULL;
    pane->source_count = 0;
}

static void destroy_pane(struct table *table, struct pane *pane) {
    release_sources(table, pane);
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

static struct source *make_source(struct table *table, const struct partial *partial) {
    struct source *source = alloc_resize(NULL, 1, sizeof *source + partial->tables.size);
    *source = (struct source){.version_predictions = partial->version_predictions,
                              .version_labels = partial->version_labels,
                              .late = partial->late,
                              .partition = partial->key.partition,
                              .size = (uint32_t)partial->tables.size,
                              .is_changed = true};
    if (partial->tables.size)
        memcpy(source->tables, partial->tables.data, partial->tables.size);
    table->bytes += source_bytes(source);
    return source;
}

/* A slot for one more source at `at`. */
static struct source **open_slot(struct table *table, struct pane *pane, int32_t at) {
    int32_t count = pane->source_count++;
    if (count == 0)
        return &pane->as.one;
    size_t size = (size_t)(count + 1) * sizeof(struct source *);
    struct source **many = count == 1 ? NULL : pane->as.many;
    struct source *only = pane->as.one;
    many = alloc_resize(many, 1, size);
    table->bytes += count == 1 ? size + ALLOCATION_BYTES : sizeof(struct source *);
    if (count == 1)
        many[0] = only;
    memmove(&many[at + 1], &many[at], (size_t)(count - at) * sizeof(struct source *));
    pane->as.many = many;
    return &many[at];
}

static int32_t source_at(const struct pane *pane, int32_t partition) {
    struct source *const *sources = pane_sources(pane);
    int32_t low = 0, high = pane->source_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (sources[middle]->partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum table_result compare(const struct source *known, const struct partial *partial) {
    bool is_up = partial->version_predictions >= known->version_predictions &&
                 partial->version_labels >= known->version_labels;
    bool is_down = partial->version_predictions <= known->version_predictions &&
                   partial->version_labels <= known->version_labels;
    if (is_up && is_down) {
        bool is_same =
            known->late == partial->late && slice_equal(source_tables(known), partial->tables);
        return is_same ? TABLE_SAME : TABLE_CONFLICT;
    }
    if (is_down)
        return TABLE_OLDER;
    return is_up ? TABLE_REPLACED : TABLE_CONFLICT;
}

/* In the place that has it, when it is large enough: most partials grow by little. */
static void replace(struct table *table, struct source **slot, const struct partial *partial) {
    struct source *known = *slot;
    if (known->size != partial->tables.size) {
        table->bytes -= source_bytes(known);
        free(known);
        *slot = make_source(table, partial);
        return;
    }
    known->version_predictions = partial->version_predictions;
    known->version_labels = partial->version_labels;
    known->late = partial->late;
    known->is_changed = true;
    known->is_unreadable = false;
    if (known->size)
        memcpy(known->tables, partial->tables.data, known->size);
}

enum table_result table_put(struct table *table, struct pane *pane, const struct partial *partial) {
    ASSERT(!pane->is_final);
    int32_t at = source_at(pane, partial->key.partition);
    if (at < pane->source_count && pane_sources(pane)[at]->partition == partial->key.partition) {
        struct source **slot = pane->source_count == 1 ? &pane->as.one : &pane->as.many[at];
        enum table_result result = compare(*slot, partial);
        if (result != TABLE_REPLACED)
            return result;
        replace(table, slot, partial);
    } else {
        *open_slot(table, pane, at) = make_source(table, partial);
    }
    table_change(table, pane);
    return TABLE_REPLACED;
}

void table_put_history(struct table *table, struct pane *pane, int64_t late, struct slice tables) {
    const struct partial merged = {
        .key = {.partition = HISTORY_SOURCE}, .late = late, .tables = tables};
    struct source *source = make_source(table, &merged);
    release_sources(table, pane);
    *open_slot(table, pane, 0) = source;
    pane->is_final = true;
    table_change(table, pane);
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
            release_sources(table, pane);
        else
            destroy_pane(table, pane);
    }
    group->count = kept;
}

void table_sweep(struct table *table) {
    for (size_t i = 0; i < table->changed.count; i++) {
        struct pane *pane = table->changed.items[i];
        pane->is_changed = false;
        for (int32_t s = 0; s < pane->source_count; s++)
            pane_sources(pane)[s]->is_changed = false;
        if (pane->is_removed)
            destroy_pane(table, pane);
    }
    table->changed.count = 0;
}

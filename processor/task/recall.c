/* Evicted panes, from the store: for one merge, or back into memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "task/stage.h"

static const struct family panes = {FAMILY_PANES, 0, 0};

static struct slice key_of(struct task_stage *stage, const struct task_state *task,
                           const struct pane *pane) {
    buffer_reset(&stage->fetch_key);
    write_pane_key(&stage->fetch_key, task, pane);
    return arena_copy(&stage->fetch_arena, buffer_slice(&stage->fetch_key));
}

/* Sources of the panes with these keys, ascending, into fetch_arena. */
static enum status fetch(struct task_stage *stage, const struct slice *keys, size_t count,
                         struct slice *out_sources, struct error *err) {
    struct store *store = stage->options.store;
    TRY(store->ops->get(store, panes, keys, count, out_sources, &stage->fetch_arena, err));
    for (size_t i = 0; i < count; i++) {
        int64_t end_ms;
        if (!out_sources[i].data || !read_stored_pane(out_sources[i], &end_ms, &out_sources[i]))
            return store_is_corrupt(err, "a pane is gone");
    }
    stage->stats.fetched += (int64_t)count;
    return STATUS_OK;
}

static size_t count_evicted(struct pane *const *list, size_t count) {
    size_t evicted = 0;
    for (size_t i = 0; i < count; i++)
        evicted += list[i]->is_evicted;
    return evicted;
}

enum status fetch_panes(struct task_stage *stage, const struct task_state *task,
                        struct pane *const *list, size_t count, const struct slice **out_sources,
                        struct error *err) {
    size_t evicted = task->table.evicted_count > 0 ? count_evicted(list, count) : 0, written = 0;
    *out_sources = NULL;
    if (evicted == 0)
        return STATUS_OK;
    struct slice *keys = arena_take(&stage->fetch_arena, evicted * sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        if (list[i]->is_evicted)
            keys[written++] = key_of(stage, task, list[i]);
    }
    struct slice *sources = arena_take(&stage->fetch_arena, evicted * sizeof *sources);
    *out_sources = sources;
    return fetch(stage, keys, evicted, sources, err);
}

void recall_later(struct task_stage *stage, struct task_state *task, struct pane *pane) {
    struct recall_list *list = &stage->recalls;
    if (!pane->is_evicted)
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = alloc_resize(list->items, list->capacity, sizeof *list->items);
    }
    list->items[list->count++] = (struct recall){.task = task, .pane = pane};
}

static int compare_keys(const void *left, const void *right) {
    const struct recall *a = left, *b = right;
    return slice_compare(a->key, b->key);
}

/* By key, each once. */
static void sort_recalls(struct task_stage *stage) {
    struct recall_list *list = &stage->recalls;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        list->items[i].key = key_of(stage, list->items[i].task, list->items[i].pane);
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_keys);
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || list->items[kept - 1].pane != list->items[i].pane)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

enum status recall_panes(struct task_stage *stage, struct error *err) {
    struct recall_list *list = &stage->recalls;
    if (list->count == 0)
        return STATUS_OK;
    arena_reset(&stage->fetch_arena);
    sort_recalls(stage);
    size_t count = list->count;
    list->count = 0;
    struct slice *keys = arena_take(&stage->fetch_arena, count * sizeof *keys);
    struct slice *sources = arena_take(&stage->fetch_arena, count * sizeof *sources);
    for (size_t i = 0; i < count; i++)
        keys[i] = list->items[i].key;
    TRY(fetch(stage, keys, count, sources, err));
    for (size_t i = 0; i < count; i++) {
        const struct recall *recall = &list->items[i];
        if (!table_load(&recall->task->table, recall->pane, sources[i]))
            return store_is_corrupt(err, "a bad pane");
    }
    return STATUS_OK;
}

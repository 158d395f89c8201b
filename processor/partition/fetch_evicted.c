/* fetch_evicted.c -- the evicted panes of the rows that were just fetched, all at once: labels are
 * about to be counted in them.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

struct wanted_pane {
    char key[PANE_KEY_BYTES];
    uint16_t instance, group;
    int64_t start_ms;
};

struct wanted_panes {
    struct wanted_pane *list;
    size_t count;
};

static int compare(const void *left, const void *right) {
    const struct wanted_pane *a = left, *b = right;
    return memcmp(a->key, b->key, sizeof a->key);
}

static void want(struct partition *partition, const struct delta_entry *entry,
                 struct wanted_panes *wanted) {
    const struct cohort *cohort = delta_cohort(&partition->delta, entry);
    struct instance *instance = &partition->instances[cohort->instance];
    int64_t start_ms = pane_floor(instance, entry->time_ms);
    for (int i = 0; i <= instance->definition->grouping_count; i++) {
        uint16_t group = window_group(cohort, i);
        if (!panes_evicted(&instance->panes, start_ms, group))
            continue;
        struct wanted_pane *pane = &wanted->list[wanted->count++];
        *pane = (struct wanted_pane){
            .instance = cohort->instance, .group = group, .start_ms = start_ms};
        pane_write_key(instance->id, start_ms, group, pane->key);
    }
}

static void want_all(struct partition *partition, size_t first, struct wanted_panes *wanted) {
    const struct delta *delta = &partition->delta;
    size_t most = 1;
    for (size_t i = 0; i < partition->instance_count; i++)
        if ((size_t)partition->instances[i].definition->grouping_count + 1 > most)
            most = (size_t)partition->instances[i].definition->grouping_count + 1;
    wanted->list =
        arena_take(&partition->batch, (delta->count - first) * most * sizeof *wanted->list);
    for (size_t i = first; i < delta->count; i++)
        want(partition, &delta->entries[i], wanted);
    qsort(wanted->list, wanted->count, sizeof *wanted->list, compare);
}

/* Each once; the number of keys. */
static size_t write_keys(const struct wanted_panes *wanted, struct slice *keys) {
    size_t count = 0;
    for (size_t i = 0; i < wanted->count; i++)
        if (i == 0 || compare(&wanted->list[i - 1], &wanted->list[i]) != 0)
            keys[count++] = (struct slice){wanted->list[i].key, PANE_KEY_BYTES};
    return count;
}

static enum status restore(struct partition *partition, const struct wanted_panes *wanted,
                           const struct slice *values, struct error *err) {
    size_t at = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct wanted_pane *pane = &wanted->list[i];
        struct panes *panes = &partition->instances[pane->instance].panes;
        if (i == 0 || compare(&wanted->list[i - 1], pane) != 0)
            TRY(panes_restore(panes, panes_evicted(panes, pane->start_ms, pane->group),
                              values[at++], err));
    }
    return STATUS_OK;
}

enum status fetch_evicted(struct partition *partition, size_t first, struct error *err) {
    struct arena *arena = &partition->batch;
    struct wanted_panes wanted = {0};
    if (partition->delta.count == first)
        return STATUS_OK;
    want_all(partition, first, &wanted);
    if (wanted.count == 0)
        return STATUS_OK;
    struct slice *keys = arena_take(arena, wanted.count * sizeof *keys);
    struct slice *values = arena_take(arena, wanted.count * sizeof *values);
    size_t count = write_keys(&wanted, keys);
    TRY(partition->store->ops->get(partition->store, (struct family){.kind = FAMILY_PANES}, keys,
                                   count, values, arena, err));
    return restore(partition, &wanted, values, err);
}

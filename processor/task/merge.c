/* Evicted panes are fetched for one merge, all of it at once, and stay evicted: a window is merged
 * again when one of its panes has changed, which is another one each time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

struct merge {
    struct task_stage *stage;
    const struct task_state *task;
    struct pane *const *panes;
    size_t count;
    int64_t end_ms;              /* a pane that ends later is not in it */
    const struct slice *fetched; /* of the evicted ones, in their order */
};

static bool is_readable(const struct merge *merge, struct slice tables) {
    tables_clear(merge->stage->probe);
    return tables_read(merge->stage->probe, &merge->task->shape, tables);
}

/* False when a source could not be read: the sum has to begin again. */
static bool add_sources(const struct merge *merge, struct pane *pane, struct slice rest,
                        struct merged *merged) {
    struct source source;
    while (sources_next(&rest, &source)) {
        if (pane->is_doubtful && !is_readable(merge, source.tables))
            continue;
        if (!tables_read(merge->stage->scratch, &merge->task->shape, source.tables)) {
            pane->is_doubtful = true;
            merge->stage->stats.malformed++;
            return false;
        }
        merged->late += source.late;
        merged->is_mixed |= merged->epoch != INT64_MIN && merged->epoch != pane->epoch;
        if (pane->epoch > merged->epoch)
            merged->epoch = pane->epoch;
    }
    return true;
}

static bool add_panes(const struct merge *merge, struct merged *out_merged) {
    const struct slice *fetched = merge->fetched;
    tables_clear(merge->stage->scratch);
    *out_merged = (struct merged){.epoch = INT64_MIN, .panes = merge->count};
    for (size_t i = 0; i < merge->count; i++) {
        struct pane *pane = merge->panes[i];
        struct slice sources = pane->is_evicted ? *fetched++ : pane_sources(pane);
        if (pane->end_ms <= merge->end_ms && !add_sources(merge, pane, sources, out_merged))
            return false;
    }
    return true;
}

static enum status merge_panes(struct task_stage *stage, const struct task_state *task,
                               struct pane *const *panes, size_t count, int64_t end_ms,
                               struct merged *out_merged, struct error *err) {
    struct merge merge = {stage, task, panes, count, end_ms, NULL};
    arena_reset(&stage->fetch_arena);
    TRY(fetch_panes(stage, task, panes, count, &merge.fetched, err));
    while (!add_panes(&merge, out_merged)) {
    }
    return STATUS_OK;
}

enum status merge_pane(struct task_stage *stage, const struct task_state *task, struct pane *pane,
                       struct merged *out_merged, struct error *err) {
    return merge_panes(stage, task, &pane, 1, pane->end_ms, out_merged, err);
}

enum status merge_window(struct task_stage *stage, const struct task_state *task,
                         const struct group *group, int64_t start_ms, int64_t end_ms,
                         struct merged *out_merged, struct error *err) {
    size_t first = group_first_pane(group, start_ms), last = first;
    while (last < group->count && group->panes[last]->start_ms < end_ms)
        last++;
    struct pane *const *panes = group->panes + first;
    return merge_panes(stage, task, panes, last - first, end_ms, out_merged, err);
}

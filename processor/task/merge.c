/* SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

static void add_epoch(struct merged *merged, int64_t epoch) {
    merged->is_mixed |= merged->epoch != INT64_MIN && merged->epoch != epoch;
    if (epoch > merged->epoch)
        merged->epoch = epoch;
}

/* False when a source could not be read: it is marked, and the sum has to begin again. */
static bool add_pane(struct task_stage *stage, struct task_state *task, const struct pane *pane,
                     struct merged *merged) {
    for (int32_t i = 0; i < pane->source_count; i++) {
        struct source *source = pane_sources(pane)[i];
        if (source->is_unreadable)
            continue;
        if (!tables_read(stage->scratch, &task->shape, source_tables(source))) {
            source->is_unreadable = true;
            stage->stats.malformed++;
            return false;
        }
        merged->late += source->late;
        add_epoch(merged, pane->epoch);
    }
    return true;
}

static void begin(struct task_stage *stage, struct merged *out_merged) {
    tables_clear(stage->scratch);
    *out_merged = (struct merged){.epoch = INT64_MIN};
}

void merge_pane(struct task_stage *stage, struct task_state *task, const struct pane *pane,
                struct merged *out_merged) {
    do {
        begin(stage, out_merged);
    } while (!add_pane(stage, task, pane, out_merged));
}

static bool add_panes(struct task_stage *stage, struct task_state *task, const struct group *group,
                      int64_t start_ms, int64_t end_ms, struct merged *merged) {
    for (size_t i = group_first_pane(group, start_ms); i < group->count; i++) {
        const struct pane *pane = group->panes[i];
        if (pane->start_ms >= end_ms)
            break;
        if (pane->end_ms <= end_ms && !add_pane(stage, task, pane, merged))
            return false;
    }
    return true;
}

void merge_window(struct task_stage *stage, struct task_state *task, const struct group *group,
                  int64_t start_ms, int64_t end_ms, struct merged *out_merged) {
    do {
        begin(stage, out_merged);
    } while (!add_panes(stage, task, group, start_ms, end_ms, out_merged));
}

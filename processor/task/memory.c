/* What of the panes stays in memory.
 *
 * Past task.memory.max.bytes the oldest panes are evicted, down to three quarters of it: all of
 * them are in the store, save what changed since the last flush, which is flushed when the others
 * do not make room enough.  A restore from the state topic and a replay up to the committed offset
 * may flush too, for all that they read was committed; from there to the end that was seen at the
 * opening nothing is covered by a commit, and stays.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

static size_t partials_of(const struct task_stage *stage) {
    size_t bytes = 0;
    for (int t = 0; t < stage->task_count; t++)
        bytes += stage->tasks[t].table.partials + stage->tasks[t].windows.sum_bytes;
    return bytes;
}

bool stage_is_full(const struct task_stage *stage) {
    size_t bytes_max = stage->options.config->task_bytes_max;
    return bytes_max > 0 && partials_of(stage) > bytes_max;
}

/* The i-th pane of every group; false when no group has so many. */
static bool evict_round(struct table *table, size_t i) {
    bool any = false;
    for (size_t g = 0; g < table->group_count; g++) {
        const struct group *group = table->groups[g];
        if (i >= group->count)
            continue;
        any = true;
        if (!group->panes[i]->is_changed)
            table_evict(table, group->panes[i]);
    }
    return any;
}

static void evict_oldest(struct task_stage *stage) {
    size_t enough = stage->options.config->task_bytes_max / 4 * 3;
    bool any = true;
    for (size_t i = 0; any && partials_of(stage) > enough; i++) {
        any = false;
        for (int t = 0; t < stage->task_count; t++)
            any |= evict_round(&stage->tasks[t].table, i);
    }
}

enum status stage_make_room(struct task_stage *stage, struct error *err) {
    if (!stage_is_full(stage))
        return STATUS_OK;
    evict_oldest(stage);
    if (!stage_is_full(stage))
        return STATUS_OK;
    TRY(stage_flush(stage, err));
    evict_oldest(stage);
    return STATUS_OK;
}

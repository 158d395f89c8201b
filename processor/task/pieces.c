/* What becomes final at once is finished in pieces.
 *
 * After a gap in event time, or a close, the clocks may make every pane final in one step.  Their
 * history, tombstones and SLIs in one transaction would take more memory than the panes themselves,
 * so each commit allows so many panes only, the oldest, and all windows up to the last of them.
 * Clocks on the state topic say what was allowed, never more: a replay that finds more than that
 * unfinished leaves it to the commits that come.  The store of a stage that holds something back
 * says that it lags (persist.c), so that the state topic is asked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

enum { OUTPUT_BYTES = 1024 }; /* of a pane with four sources in an outbox, about */

/* What they publish takes about a quarter of the memory. */
static size_t panes_per_commit(const struct task_stage *stage) {
    size_t bytes_max = stage->options.config->task_bytes_max;
    return bytes_max == 0 ? SIZE_MAX : bytes_max / 4 / OUTPUT_BYTES;
}

static bool is_unfinished(const struct task_state *task, const struct pane *pane) {
    return !pane->is_final && clocks_say_final(&task->clocks, pane->start_ms, pane->end_ms);
}

/* Of the panes that end at or before until_ms; no further than most + 1. */
static size_t count_unfinished(const struct task_state *task, int64_t until_ms, size_t most) {
    size_t unfinished = 0;
    for (size_t g = 0; g < task->table.group_count; g++) {
        const struct group *group = task->table.groups[g];
        for (size_t i = first_unfinished(task, group);
             i < group->count && group->panes[i]->start_ms < until_ms; i++) {
            const struct pane *pane = group->panes[i];
            unfinished += pane->end_ms <= until_ms && is_unfinished(task, pane);
            if (unfinished > most)
                return unfinished;
        }
    }
    return unfinished;
}

/* The first and the last end of an unfinished pane. */
static void find_ends(const struct task_state *task, int64_t *out_first_ms, int64_t *out_last_ms) {
    *out_first_ms = INT64_MAX;
    *out_last_ms = INT64_MIN;
    for (size_t g = 0; g < task->table.group_count; g++) {
        const struct group *group = task->table.groups[g];
        for (size_t i = first_unfinished(task, group); i < group->count; i++) {
            const struct pane *pane = group->panes[i];
            if (!is_unfinished(task, pane))
                continue;
            *out_first_ms = pane->end_ms < *out_first_ms ? pane->end_ms : *out_first_ms;
            *out_last_ms = pane->end_ms > *out_last_ms ? pane->end_ms : *out_last_ms;
        }
    }
}

/* The oldest ones, about as many as most, and those that end with the first. */
static int64_t piece_until(const struct task_state *task, size_t most) {
    int64_t from_ms, until_ms;
    find_ends(task, &from_ms, &until_ms);
    while (until_ms - from_ms > task->definition->pane_ms) {
        int64_t middle_ms = from_ms + (until_ms - from_ms) / 2;
        if (count_unfinished(task, middle_ms, most) > most)
            until_ms = middle_ms;
        else
            from_ms = middle_ms;
    }
    return from_ms;
}

void allow_piece(struct task_stage *stage, struct task_state *task, bool drain, bool is_replay) {
    struct clocks *clocks = &task->clocks;
    size_t most = is_replay ? 0 : panes_per_commit(stage);
    if (drain || (count_unfinished(task, clocks->said_final_ms, most) <= most &&
                  !(is_replay && windows_hold(&task->windows, clocks))))
        clocks_allow(clocks, clocks->said_final_ms);
    else if (!is_replay)
        clocks_allow(clocks, piece_until(task, most));
}

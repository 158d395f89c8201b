/* SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

static void mark_windows(struct task_state *task, const struct pane *pane, bool is_replay) {
    struct windows *windows = &task->windows;
    for (int w = 0; w < task->definition->window_count; w++) {
        int64_t start_ms, end_ms;
        for (int64_t i = 0; window_covering(&task->definition->windows[w], pane->start_ms,
                                            pane->end_ms, i, &start_ms, &end_ms);
             i++) {
            if (is_replay && clocks_passed(&task->clocks, BOUNDARY_FINAL, start_ms, end_ms))
                continue;
            struct view *view =
                windows_view(windows, &task->clocks, w, start_ms, end_ms, pane->group);
            /* Said by the order of the log, not by when we commit: the pane remembers where the
             * seal was when it was last touched. */
            bool is_after_seal = pane->touched_at_ms >= end_ms;
            view->is_revised |= is_after_seal;
            view->is_urgent |= view->frame->is_sealed && !is_after_seal;
            windows_wait(windows, view);
            windows_change(windows, view);
        }
    }
}

static void mark_touched(struct task_state *task, bool is_replay) {
    struct pane_list *touched = &task->table.touched;
    for (size_t i = 0; i < touched->count; i++) {
        mark_windows(task, touched->items[i], is_replay);
        touched->items[i]->is_touched = false;
    }
    touched->count = 0;
}

static bool is_idle(const struct task_stage *stage) {
    bool idle = stage->waiting.count == 0;
    for (int t = 0; t < stage->task_count; t++) {
        const struct task_state *task = &stage->tasks[t];
        idle &= task->table.touched.count == 0 && !task->clocks_moved &&
                task->windows.waiting.count == 0;
    }
    return idle;
}

void stage_advance(struct task_stage *stage, int64_t now_ms, bool drain, struct outbox *outbox) {
    if (is_idle(stage))
        return;
    for (int t = 0; t < stage->task_count; t++) {
        struct task_state *task = &stage->tasks[t];
        mark_touched(task, outbox == NULL);
        if (task->clocks_moved)
            windows_advance(&task->windows, &task->clocks);
    }
    if (outbox)
        publish_waiting(stage, now_ms, drain, outbox);
    else
        settle_waiting(stage);
    for (int t = 0; t < stage->task_count; t++) {
        struct task_state *task = &stage->tasks[t];
        if (!task->clocks_moved)
            continue;
        finish_panes(stage, task, outbox);
        if (outbox && (task->passed > 0 || task->windows.passed > 0))
            write_clocks(stage, task, outbox);
        task->passed = 0;
        task->windows.passed = 0;
        windows_remove_final(&task->windows, &task->clocks, forget_view, stage);
        remove_panes(stage, task);
        task->clocks_moved = false;
    }
}

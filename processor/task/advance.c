/* SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"

/* Said by the order of the log, not by when we commit: the pane remembers where the seal was when
 * it was last touched.  In a replay clocks and partials that came in between are compacted, so
 * there the state topic says it. */
static void mark_view(struct task_stage *stage, struct view *view, const struct pane *pane,
                      struct outbox *outbox) {
    bool is_after_seal = pane->touched_at_ms >= view->frame->end_ms;
    if (is_after_seal && !view->is_revised && outbox) {
        view->is_revised = true;
        write_revised(stage, view, outbox);
    }
    view->is_urgent |= view->frame->is_sealed && !is_after_seal;
}

static void mark_windows(struct task_stage *stage, struct task_state *task, const struct pane *pane,
                         struct outbox *outbox) {
    struct windows *windows = &task->windows;
    for (int w = 0; w < task->definition->window_count; w++) {
        int64_t start_ms, end_ms;
        for (int64_t i = 0; window_covering(&task->definition->windows[w], pane->start_ms,
                                            pane->end_ms, i, &start_ms, &end_ms);
             i++) {
            if (!outbox && clocks_passed(&task->clocks, BOUNDARY_FINAL, start_ms, end_ms))
                continue;
            struct view *view =
                windows_view(windows, &task->clocks, w, start_ms, end_ms, pane->group);
            mark_view(stage, view, pane, outbox);
            windows_wait(windows, view);
            windows_change(windows, view);
        }
    }
}

static void mark_touched(struct task_stage *stage, struct task_state *task, struct outbox *outbox) {
    struct pane_list *touched = &task->table.touched;
    for (size_t i = 0; i < touched->count; i++) {
        mark_windows(stage, task, touched->items[i], outbox);
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

enum status stage_advance(struct task_stage *stage, int64_t now_ms, bool drain,
                          struct outbox *outbox, struct error *err) {
    if (is_idle(stage))
        return STATUS_OK;
    for (int t = 0; t < stage->task_count; t++) {
        struct task_state *task = &stage->tasks[t];
        mark_touched(stage, task, outbox);
        if (task->clocks_moved)
            windows_advance(&task->windows, &task->clocks);
    }
    if (outbox)
        TRY(publish_waiting(stage, now_ms, drain, outbox, err));
    else
        settle_waiting(stage);
    for (int t = 0; t < stage->task_count; t++) {
        struct task_state *task = &stage->tasks[t];
        if (!task->clocks_moved)
            continue;
        TRY(finish_panes(stage, task, outbox, err));
        if (outbox && (task->passed > 0 || task->windows.passed > 0))
            write_clocks(stage, task, outbox);
        task->passed = 0;
        task->windows.passed = 0;
        windows_remove_final(&task->windows, &task->clocks, forget_view, stage);
        remove_panes(stage, task);
        task->clocks_moved = false;
    }
    return STATUS_OK;
}

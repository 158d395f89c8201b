/* SPDX-License-Identifier: Apache-2.0 */
#include "task/sums.h"

#include <stdlib.h>

#include "state/mutation.h"

struct window_sum {
    struct tables *tables;
    struct merged merged;
    size_t bytes;
    size_t changes; /* since it was last asked for */
};

static size_t bytes_of(const struct window_sum *sum) {
    return sizeof *sum + tables_bytes(sum->tables);
}

static void measure(struct windows *windows, struct window_sum *sum) {
    windows->sum_bytes -= sum->bytes;
    sum->bytes = bytes_of(sum);
    windows->sum_bytes += sum->bytes;
}

void windows_forget_sum(struct windows *windows, struct view *view) {
    struct window_sum *sum = view->sum;
    if (!sum)
        return;
    windows->sum_bytes -= sum->bytes;
    view->frame->sum_count--;
    tables_destroy(sum->tables);
    free(sum);
    view->sum = NULL;
}

/* For a sum like the one in scratch. */
static bool has_room(const struct task_stage *stage) {
    size_t bytes = tables_bytes(stage->scratch), bytes_max = stage->options.config->task_bytes_max;
    for (int t = 0; t < stage->task_count; t++)
        bytes += stage->tasks[t].windows.sum_bytes;
    return bytes_max == 0 || bytes <= bytes_max / 4;
}

static void forget_sums(struct windows *windows, struct frame *frame) {
    for (size_t i = 0; i < frame->count; i++)
        windows_forget_sum(windows, frame->views[i]);
}

/* The newest windows are published most often, so older ones give way. */
static bool make_room(const struct task_stage *stage, struct windows *windows,
                      const struct frame *frame) {
    while (!has_room(stage)) {
        struct frame *older = windows_oldest_summed(windows, frame->end_ms);
        if (!older)
            return false;
        forget_sums(windows, older);
    }
    return true;
}

static void keep(struct windows *windows, struct view *view, const struct tables *tables,
                 const struct merged *merged) {
    struct window_sum *sum = alloc_zero(1, sizeof *sum);
    sum->tables = tables_create();
    tables_merge(sum->tables, tables, 1);
    sum->merged = *merged;
    view->sum = sum;
    view->frame->sum_count++;
    measure(windows, sum);
}

enum status sum_window(struct task_stage *stage, struct task_state *task, struct view *view,
                       const struct tables **out_tables, struct merged *out_merged,
                       struct error *err) {
    const struct frame *frame = view->frame;
    if (view->sum) {
        view->sum->changes = 0;
        *out_tables = view->sum->tables;
        *out_merged = view->sum->merged;
        return STATUS_OK;
    }
    TRY(merge_window(stage, task, view->group, frame->start_ms, frame->end_ms, out_merged, err));
    *out_tables = stage->scratch;
    if (out_merged->panes >= SUMMED_PANES && !frame->is_final &&
        make_room(stage, &task->windows, frame))
        keep(&task->windows, view, stage->scratch, out_merged);
    return STATUS_OK;
}

static void change(struct window_sum *sum, const struct replaced *replaced) {
    struct merged *merged = &sum->merged;
    int64_t epoch = replaced->pane->epoch;
    sum->changes++;
    if (replaced->old_tables && mutation != MUTATION_ADD_TWICE) {
        tables_merge(sum->tables, replaced->old_tables, -1);
        merged->late -= replaced->old_late;
    }
    if (!replaced->new_tables)
        return;
    tables_merge(sum->tables, replaced->new_tables, 1);
    merged->late += replaced->new_late;
    merged->is_mixed |= merged->epoch != INT64_MIN && merged->epoch != epoch;
    if (epoch > merged->epoch)
        merged->epoch = epoch;
}

void sums_replace(struct task_state *task, const struct replaced *replaced) {
    struct windows *windows = &task->windows;
    const struct pane *pane = replaced->pane;
    for (int w = 0; w < task->definition->window_count; w++) {
        int64_t start_ms, end_ms;
        for (int64_t i = 0; window_covering(&task->definition->windows[w], pane->start_ms,
                                            pane->end_ms, i, &start_ms, &end_ms);
             i++) {
            struct view *view = windows_find(windows, w, end_ms, pane->group);
            if (!view || !view->sum)
                continue;
            change(view->sum, replaced);
            if (view->sum->changes > 2 * view->sum->merged.panes)
                windows_forget_sum(windows, view);
            else
                measure(windows, view->sum);
        }
    }
}

/* That a window was revised, on the state topic.  The rest of a status follows from the clocks;
 * this depends on what came first, and compaction takes that away.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "task/sli.h"
#include "task/stage.h"

static void write_window(const struct task_state *task, const struct view *view,
                         struct buffer *out) {
    write_bytes(out, slice_from(task->definition->name));
    write_bytes(out, view->group->text);
    write_bytes(out, slice_from(task->definition->windows[view->frame->window].name));
    write_long(out, view->frame->start_ms);
    write_long(out, view->frame->end_ms);
}

static void write_key(struct task_stage *stage, const struct view *view) {
    buffer_reset(&stage->key);
    write_bytes(&stage->key, SLICE("status"));
    write_window(&stage->tasks[view->frame->task], view, &stage->key);
}

static void add_message(const struct task_stage *stage, struct slice value, struct outbox *outbox) {
    outbox_add(outbox, &(struct message){.topic = TOPIC_STATE,
                                         .partition = stage->options.partition,
                                         .key = buffer_slice(&stage->key),
                                         .value = value});
}

void write_revised(struct task_stage *stage, const struct view *view, struct outbox *outbox) {
    write_key(stage, view);
    buffer_reset(&stage->value);
    write_frame(&stage->value, SCHEMA_WINDOW);
    write_window(&stage->tasks[view->frame->task], view, &stage->value);
    write_long(&stage->value, SLI_REVISED);
    add_message(stage, buffer_slice(&stage->value), outbox);
}

void forget_revised(struct task_stage *stage, const struct view *view, struct outbox *outbox) {
    write_key(stage, view);
    add_message(stage, (struct slice){NULL, 0}, outbox);
}

bool restore_revised(struct task_stage *stage, struct slice value) {
    struct slice body;
    if (!read_frame(value, SCHEMA_WINDOW, &body))
        return false;
    struct reader reader = reader_from(body);
    struct task_state *task = stage_find_task(stage, read_bytes(&reader));
    struct slice group = read_bytes(&reader), name = read_bytes(&reader);
    int64_t start_ms = read_long(&reader), end_ms = read_long(&reader);
    if (read_long(&reader) != SLI_REVISED || !reader_done(&reader) || start_ms >= end_ms)
        return false;
    int window = task ? stage_find_window(task->definition, name) : -1;
    if (window < 0)
        return true;
    struct view *view = windows_view(&task->windows, &task->clocks, window, start_ms, end_ms,
                                     table_group(&task->table, group));
    view->is_revised = true;
    windows_change(&task->windows, view);
    return true;
}

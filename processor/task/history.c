/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "task/stage.h"

enum { RECALLED_TOGETHER = 8192 }; /* panes: neighbours in the store share blocks */

static void add_message(struct task_stage *stage, enum topic_kind topic, struct slice value,
                        struct outbox *outbox) {
    outbox_add(outbox, &(struct message){.topic = topic,
                                         .partition = stage->options.partition,
                                         .key = buffer_slice(&stage->key),
                                         .value = value});
}

static void write_versions(const struct pane *pane, struct buffer *value) {
    struct slice rest = pane_sources(pane);
    struct source source;
    int64_t count = 0;
    while (sources_next(&rest, &source))
        count++;
    if (count > 0)
        write_long(value, count);
    for (rest = pane_sources(pane); sources_next(&rest, &source);) {
        write_long(value, source.partition);
        write_long(value, source.version_predictions);
        write_long(value, source.version_labels);
    }
}

static void write_history(struct task_stage *stage, const struct task_state *task,
                          const struct pane *pane, int64_t late) {
    struct buffer *key = &stage->key, *value = &stage->value;
    struct slice name = slice_from(task->definition->name);
    buffer_reset(key);
    write_bytes(key, SLICE("history"));
    write_bytes(key, name);
    write_long(key, pane->epoch);
    write_bytes(key, pane->group->text);
    write_long(key, pane->start_ms);

    buffer_reset(value);
    write_frame(value, SCHEMA_HISTORY);
    write_bytes(value, name);
    write_long(value, pane->epoch);
    write_long(value, pane->start_ms);
    write_long(value, pane->end_ms);
    write_bytes(value, pane->group->text);
    write_versions(pane, value);
    write_long(value, 0);
    write_long(value, late);
}

static void write_tombstones(struct task_stage *stage, const struct task_state *task,
                             const struct pane *pane, struct outbox *outbox) {
    struct slice rest = pane_sources(pane);
    struct source source;
    while (sources_next(&rest, &source)) {
        const struct partial_key key = {.family = PARTIAL_COUNTS,
                                        .task = slice_from(task->definition->name),
                                        .epoch = pane->epoch,
                                        .group = pane->group->text,
                                        .pane_ms = pane->start_ms,
                                        .partition = source.partition};
        buffer_reset(&stage->key);
        partial_write_key(&key, &stage->key);
        add_message(stage, TOPIC_PARTIALS, (struct slice){NULL, 0}, outbox);
    }
}

/* Its store entry is overwritten by what it becomes. */
static enum status finish_pane(struct task_stage *stage, struct task_state *task, struct pane *pane,
                               struct outbox *outbox, struct error *err) {
    struct merged merged;
    TRY(merge_pane(stage, task, pane, &merged, err));
    write_history(stage, task, pane, merged.late);
    size_t tables_at = stage->value.size;
    tables_write(stage->scratch, &stage->value);
    struct slice value = buffer_slice(&stage->value);
    if (outbox) {
        add_message(stage, TOPIC_STATE, value, outbox);
        write_tombstones(stage, task, pane, outbox);
    }
    table_put_history(&task->table, pane, merged.late,
                      (struct slice){value.data + tables_at, value.size - tables_at});
    stage->changed_bytes += value.size - tables_at;
    return STATUS_OK;
}

static int compare_panes(const void *left, const void *right) {
    const struct pane *a = *(struct pane *const *)left, *b = *(struct pane *const *)right;
    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch ? -1 : 1;
    return slice_compare(a->group->text, b->group->text);
}

/* Where the panes of a group that may have become final since the last time begin. */
static size_t first_unfinished(const struct task_state *task, const struct group *group) {
    if (task->clocks.has_several_epochs || task->finished_until_ms == INT64_MIN)
        return 0;
    return group_first_pane(group, task->finished_until_ms - task->widest_pane_ms);
}

static void collect(const struct task_state *task, const struct group *group,
                    struct pane_list *out) {
    int64_t limit_ms = task->clocks.limit_ms[BOUNDARY_FINAL];
    for (size_t i = first_unfinished(task, group);
         i < group->count && group->panes[i]->start_ms < limit_ms; i++) {
        struct pane *pane = group->panes[i];
        if (!pane->is_final &&
            clocks_passed(&task->clocks, BOUNDARY_FINAL, pane->start_ms, pane->end_ms))
            pane_list_add(out, pane);
    }
}

static enum status recall_next(struct task_stage *stage, struct task_state *task,
                               const struct pane_list *list, size_t from, struct error *err) {
    for (size_t i = from; i < list->count && i < from + RECALLED_TOGETHER; i++)
        recall_later(stage, task, list->items[i]);
    return recall_panes(stage, err);
}

enum status finish_panes(struct task_stage *stage, struct task_state *task, struct outbox *outbox,
                         struct error *err) {
    struct pane_list finished = {0};
    for (size_t g = 0; g < task->table.group_count; g++)
        collect(task, task->table.groups[g], &finished);
    if (finished.count > 0)
        qsort(finished.items, finished.count, sizeof(struct pane *), compare_panes);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < finished.count && status == STATUS_OK; i++) {
        if (i % RECALLED_TOGETHER == 0)
            status = recall_next(stage, task, &finished, i, err);
        if (status == STATUS_OK)
            status = finish_pane(stage, task, finished.items[i], outbox, err);
    }
    task->passed += finished.count;
    free(finished.items);
    task->finished_until_ms = task->clocks.limit_ms[BOUNDARY_FINAL];
    return status;
}

static int64_t widest_window_ms(const struct task_definition *definition) {
    int64_t widest_ms = 0;
    for (int w = 0; w < definition->window_count; w++) {
        if (definition->windows[w].size_ms > widest_ms)
            widest_ms = definition->windows[w].size_ms;
    }
    return widest_ms;
}

static void remove_from_group(struct task_stage *stage, struct task_state *task,
                              struct group *group) {
    int64_t widest_ms = widest_window_ms(task->definition);
    bool any = false;
    for (size_t i = 0; i < group->count; i++) {
        struct pane *pane = group->panes[i];
        int64_t end_ms = windows_covering_end(&task->windows, pane->start_ms, pane->end_ms);
        if (end_ms > task->clocks.limit_ms[BOUNDARY_FINAL])
            break;
        /* All windows over the pane begin and end in this stretch. */
        if (!pane->is_final ||
            !clocks_passed(&task->clocks, BOUNDARY_FINAL, pane->start_ms - widest_ms, end_ms))
            continue;
        if (pane->is_stored)
            forget_pane(stage, task, pane);
        pane->is_removed = true;
        any = true;
    }
    if (any)
        table_remove_marked(&task->table, group);
}

void remove_panes(struct task_stage *stage, struct task_state *task) {
    for (size_t g = 0; g < task->table.group_count; g++)
        remove_from_group(stage, task, task->table.groups[g]);
}

void write_clocks(struct task_stage *stage, struct task_state *task, struct outbox *outbox) {
    for (size_t i = 0; i < task->clocks.count; i++) {
        struct source_clock *clock = &task->clocks.items[i];
        if (!clock->is_unsaid)
            continue;
        clock->is_unsaid = false;
        struct clock_partial said = {.key = {.family = PARTIAL_CLOCK,
                                             .task = slice_from(task->definition->name),
                                             .epoch = clock->epoch,
                                             .group = SLICE(""),
                                             .partition = clock->partition},
                                     .from_ms = clock->from_ms,
                                     .until_ms = clock->until_ms,
                                     .sealed_before_ms = clock->before_ms[BOUNDARY_SEALED],
                                     .final_before_ms = clock->before_ms[BOUNDARY_FINAL],
                                     .prediction_clock_ms = clock->prediction_clock_ms,
                                     .feedback_clock_ms = clock->feedback_clock_ms,
                                     .position_predictions = clock->position_predictions,
                                     .position_feedback = clock->position_feedback};
        buffer_reset(&stage->key);
        buffer_reset(&stage->value);
        partial_write_key(&said.key, &stage->key);
        clock_partial_write(&said, &stage->value);
        add_message(stage, TOPIC_STATE, buffer_slice(&stage->value), outbox);
    }
}

/* --- back from the state topic ------------------------------------------------------------- */

bool restore_clock(struct task_stage *stage, struct slice value) {
    struct clock_partial said;
    return clock_partial_read(value, &said) && stage_put_clock(stage, &said);
}

bool restore_pane(struct task_stage *stage, struct slice value) {
    struct slice body;
    if (!read_frame(value, SCHEMA_HISTORY, &body))
        return false;
    struct reader reader = reader_from(body);
    struct task_state *task = stage_find_task(stage, read_bytes(&reader));
    int64_t epoch = read_long(&reader), start_ms = read_long(&reader), end_ms = read_long(&reader);
    struct slice group = read_bytes(&reader);
    int64_t sources = read_long(&reader);
    for (int64_t i = 0; i < sources && !reader.failed; i++) {
        (void)read_long(&reader);
        (void)read_long(&reader);
        (void)read_long(&reader);
    }
    if (sources != 0 && (sources < 0 || read_long(&reader) != 0))
        return false;
    int64_t late = read_long(&reader);
    struct slice tables = {(const char *)reader.at, (size_t)(reader.end - reader.at)};
    if (reader.failed || !task)
        return !reader.failed;
    tables_clear(stage->scratch);
    if (!tables_read(stage->scratch, &task->shape, tables))
        return false;
    struct pane *pane = stage_pane(task, group, start_ms, end_ms, epoch);
    if (!pane)
        return false;
    table_put_history(&task->table, pane, late, tables);
    table_touch(&task->table, pane, INT64_MIN);
    task->clocks_moved = true;
    return true;
}

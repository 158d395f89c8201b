/* SPDX-License-Identifier: Apache-2.0 */
#include "task/task.h"

#include <stdio.h>
#include <stdlib.h>

#include "task/stage.h"

enum {
    KEY_BYTES_MAX = 1 << 20,
    VALUE_BYTES_MAX = 1 << 28,
    GROUP_BYTES_MAX = 4096,
    FLUSH_ENTRIES = 65536,
    FLUSH_BYTES = 16 << 20,
};
static const int64_t FLUSH_INTERVAL_MS = 5 * 60 * 1000;
/* Event times are Unix milliseconds: anything beyond is garbage, and would overflow sums. */
static const int64_t TIME_LIMIT_MS = INT64_C(1) << 52;

static void open_task(struct task_stage *stage, int t) {
    struct task_state *task = &stage->tasks[t];
    task->definition = &stage->options.config->tasks[t];
    task->finished_until_ms = INT64_MIN;
    shape_init(&task->shape, task->definition);
    for (int m = 0; m < task->definition->metric_count; m++) {
        const struct metric *metric = task->definition->metrics[m].metric;
        (void)snprintf(task->formulas[m], FORMULA_BYTES, "%s/%u", metric->name, metric->version);
    }
    clocks_init(&task->clocks, stage->options.source_partitions);
    table_init(&task->table);
    windows_init(&task->windows, task->definition, t);
}

/* What became final before the committed offset was published before it. */
static enum status move_to(struct task_stage *stage, int64_t position, struct error *err) {
    stage->position = position;
    if (!stage->is_settled && position >= stage->options.committed) {
        TRY(stage_advance(stage, 0, false, NULL, err));
        stage->is_settled = true;
    }
    stage->is_live = stage->is_settled && position >= stage->options.end;
    return STATUS_OK;
}

/* While replaying: all before the committed offset is committed. */
static enum status settle(struct task_stage *stage, struct error *err) {
    bool is_full = stage_is_full(stage);
    if (stage->is_settled || (++stage->replayed % REPLAY_SETTLE_EVERY != 0 && !is_full))
        return STATUS_OK;
    TRY(stage_advance(stage, 0, false, NULL, err));
    return stage_make_room(stage, err);
}

enum status task_open(const struct task_options *options, struct task_stage **out_stage,
                      struct error *err) {
    ASSERT(options->source_partitions > 0);
    struct task_stage *stage = alloc_zero(1, sizeof *stage);
    stage->options = *options;
    stage->task_count = options->config->task_count;
    stage->tasks = alloc_zero((size_t)stage->task_count + 1, sizeof *stage->tasks);
    stage->scratch = tables_create();
    stage->probe = tables_create();
    buffer_init(&stage->key, KEY_BYTES_MAX);
    buffer_init(&stage->value, VALUE_BYTES_MAX);
    arena_init(&stage->commit_arena);
    arena_init(&stage->delete_arena);
    arena_init(&stage->fetch_arena);
    buffer_init(&stage->fetch_key, KEY_BYTES_MAX);
    for (int t = 0; t < stage->task_count; t++)
        open_task(stage, t);
    enum status status = stage_load(stage, err);
    if (status != STATUS_OK) {
        task_close(stage);
        return status;
    }
    stage->commit_position = stage->position;
    stage->is_settled = stage->position >= options->committed;
    stage->is_live = stage->is_settled && stage->position >= options->end;
    *out_stage = stage;
    return STATUS_OK;
}

void task_close(struct task_stage *stage) {
    if (!stage)
        return;
    for (int t = 0; t < stage->task_count; t++) {
        windows_release(&stage->tasks[t].windows);
        table_release(&stage->tasks[t].table);
        clocks_release(&stage->tasks[t].clocks);
    }
    free(stage->tasks);
    free(stage->waiting.items);
    free(stage->deletes.items);
    free(stage->recalls.items);
    tables_destroy(stage->scratch);
    tables_destroy(stage->probe);
    buffer_release(&stage->fetch_key);
    arena_release(&stage->fetch_arena);
    buffer_release(&stage->key);
    buffer_release(&stage->value);
    arena_release(&stage->commit_arena);
    arena_release(&stage->delete_arena);
    free(stage);
}

struct task_state *stage_find_task(struct task_stage *stage, struct slice name) {
    for (int t = 0; t < stage->task_count; t++) {
        if (slice_equal(slice_from(stage->tasks[t].definition->name), name))
            return &stage->tasks[t];
    }
    return NULL;
}

int stage_find_window(const struct task_definition *definition, struct slice name) {
    for (int w = 0; w < definition->window_count; w++) {
        if (slice_equal(slice_from(definition->windows[w].name), name))
            return w;
    }
    return -1;
}

struct pane *stage_pane(struct task_state *task, struct slice group, int64_t start_ms,
                        int64_t end_ms, int64_t epoch) {
    if (start_ms >= end_ms || start_ms < -TIME_LIMIT_MS || end_ms > TIME_LIMIT_MS ||
        group.size > GROUP_BYTES_MAX)
        return NULL;
    struct pane *pane =
        table_pane(&task->table, table_group(&task->table, group), start_ms, end_ms, epoch);
    if (end_ms - start_ms > task->widest_pane_ms)
        task->widest_pane_ms = end_ms - start_ms;
    return pane->end_ms == end_ms ? pane : NULL;
}

bool stage_put_clock(struct task_stage *stage, const struct clock_partial *said) {
    struct task_state *task = stage_find_task(stage, said->key.task);
    if (!task) {
        stage->stats.ignored++;
        return true;
    }
    task->clocks_moved = true;
    return clocks_put(&task->clocks,
                      &(struct source_clock){
                          .partition = said->key.partition,
                          .epoch = said->key.epoch,
                          .from_ms = said->from_ms,
                          .until_ms = said->until_ms,
                          .before_ms = {said->sealed_before_ms, said->final_before_ms},
                          .prediction_clock_ms = said->prediction_clock_ms,
                          .feedback_clock_ms = said->feedback_clock_ms,
                          .position_predictions = said->position_predictions,
                          .position_feedback = said->position_feedback,
                          .is_changed = true,
                          .is_unsaid = true,
                      });
}

enum status task_step(struct task_stage *stage, const struct task_record *records, size_t count,
                      struct error *err) {
    TRY(recall_replaced(stage, records, count, err));
    for (size_t i = 0; i < count; i++) {
        const struct task_record *record = &records[i];
        if (record->offset < stage->position)
            continue;
        /* The offsets before this one may be gone. */
        TRY(move_to(stage, record->offset, err));
        TRY(step_record(stage, record, err));
        TRY(move_to(stage, record->offset + 1, err));
        TRY(settle(stage, err));
    }
    return STATUS_OK;
}

enum status task_restore(struct task_stage *stage, const struct task_record *record,
                         struct error *err) {
    /* A window that is FINAL: the clocks say so too, and it leaves when the replay settles. */
    if (!record->value.data)
        return STATUS_OK;
    struct slice body;
    bool is_good = false;
    if (read_frame(record->value, SCHEMA_CLOCK, &body))
        is_good = restore_clock(stage, record->value);
    else if (read_frame(record->value, SCHEMA_WINDOW, &body))
        is_good = restore_revised(stage, record->value);
    else
        is_good = restore_pane(stage, record->value);
    stage->stats.malformed += !is_good;
    return stage_make_room(stage, err);
}

int64_t task_position(const struct task_stage *stage) {
    return stage->position;
}

enum status task_skip_to(struct task_stage *stage, int64_t offset, struct error *err) {
    return offset > stage->position ? move_to(stage, offset, err) : STATUS_OK;
}

bool task_is_live(const struct task_stage *stage) {
    return stage->is_live;
}

enum status task_commit(struct task_stage *stage, int64_t now_ms, bool drain, struct outbox *outbox,
                        struct error *err) {
    if (!stage->is_live)
        return STATUS_OK;
    TRY(stage_advance(stage, now_ms, drain, outbox, err));
    stage->commit_position = stage->position;
    return STATUS_OK;
}

static bool is_flush_due(struct task_stage *stage, int64_t now_ms) {
    if (!stage->has_flush_time) {
        stage->has_flush_time = true;
        stage->last_flush_ms = now_ms;
    }
    int64_t interval_ms = stage->options.config->flush_interval_ms;
    if (interval_ms <= 0)
        interval_ms = FLUSH_INTERVAL_MS;
    return stage_changed_count(stage) >= FLUSH_ENTRIES || stage->changed_bytes >= FLUSH_BYTES ||
           now_ms - stage->last_flush_ms >= interval_ms;
}

enum status task_committed(struct task_stage *stage, int64_t now_ms, bool force_flush,
                           struct error *err) {
    /* Only what the transaction covered may reach the store. */
    bool is_covered = stage->is_live && stage->position == stage->commit_position;
    bool is_due = is_flush_due(stage, now_ms);
    bool has_changed = stage->position != stage->flushed_position || stage_changed_count(stage) > 0;
    if (!is_covered)
        return STATUS_OK;
    if (has_changed && (is_due || force_flush)) {
        stage->last_flush_ms = now_ms;
        TRY(stage_flush(stage, err));
    }
    return stage_make_room(stage, err);
}

void task_stats(const struct task_stage *stage, struct task_stats *out_stats) {
    *out_stats = stage->stats;
    out_stats->windows_waiting = stage->waiting.count;
    out_stats->sealed_before_ms = INT64_MAX;
    out_stats->final_before_ms = INT64_MAX;
    for (int t = 0; t < stage->task_count; t++) {
        const struct task_state *task = &stage->tasks[t];
        out_stats->panes += task->table.pane_count;
        out_stats->evicted += task->table.evicted_count;
        out_stats->bytes += task->table.bytes + task->windows.bytes + task->windows.sum_bytes;
        out_stats->sum_bytes += task->windows.sum_bytes;
        out_stats->windows_waiting += task->windows.waiting.count;
        if (task->clocks.limit_ms[BOUNDARY_SEALED] < out_stats->sealed_before_ms)
            out_stats->sealed_before_ms = task->clocks.limit_ms[BOUNDARY_SEALED];
        if (task->clocks.limit_ms[BOUNDARY_FINAL] < out_stats->final_before_ms)
            out_stats->final_before_ms = task->clocks.limit_ms[BOUNDARY_FINAL];
    }
}

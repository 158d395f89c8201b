/* One record into clocks and table.  SPDX-License-Identifier: Apache-2.0 */
#include "task/stage.h"
#include "task/sums.h"

static bool keys_agree(const struct partial_key *a, const struct partial_key *b) {
    return a->family == b->family && a->epoch == b->epoch && a->partition == b->partition &&
           a->pane_ms == b->pane_ms && slice_equal(a->task, b->task) &&
           slice_equal(a->group, b->group);
}

static bool is_readable(struct task_stage *stage, const struct task_state *task,
                        struct slice tables) {
    tables_clear(stage->scratch);
    return tables_read(stage->scratch, &task->shape, tables);
}

/* Its tables are in stage->scratch. */
static enum status put_partial(struct task_stage *stage, struct task_state *task, struct pane *pane,
                               const struct partial *partial, struct error *err) {
    if (pane->is_final) {
        stage->stats.ignored++;
        return STATUS_OK;
    }
    /* Not by recall_replaced: evicted again since, or a replay. */
    recall_later(stage, task, pane);
    TRY(recall_panes(stage, err));
    size_t counted = pane->is_changed ? pane->size : 0;
    struct source old;
    struct replaced replaced = {
        .pane = pane, .new_tables = stage->scratch, .new_late = partial->late};
    if (task->windows.sum_bytes > 0 && table_source(pane, partial->key.partition, &old)) {
        replaced.old_late = old.late;
        tables_clear(stage->probe);
        if (tables_read(stage->probe, &task->shape, old.tables))
            replaced.old_tables = stage->probe;
    }
    enum table_result result = table_put(&task->table, pane, partial);
    if (result == TABLE_REPLACED) {
        if (task->windows.sum_bytes > 0)
            sums_replace(task, &replaced);
        table_touch(&task->table, pane, task->clocks.limit_ms[BOUNDARY_SEALED]);
        stage->changed_bytes += pane->size > counted ? pane->size - counted : 0;
    }
    stage->stats.conflicts += result == TABLE_CONFLICT;
    return STATUS_OK;
}

static enum status step_partial(struct task_stage *stage, const struct partial_key *key,
                                struct slice value, bool *out_good, struct error *err) {
    struct partial partial;
    *out_good = false;
    if (!partial_read(value, &partial) || !keys_agree(key, &partial.key) ||
        key->partition >= stage->options.source_partitions)
        return STATUS_OK;
    stage->stats.partials++;
    struct task_state *task = stage_find_task(stage, key->task);
    if (!task || clocks_passed(&task->clocks, BOUNDARY_FINAL, key->pane_ms, partial.pane_end_ms)) {
        stage->stats.ignored++;
        *out_good = true;
        return STATUS_OK;
    }
    if (!is_readable(stage, task, partial.tables))
        return STATUS_OK;
    struct pane *pane = stage_pane(task, key->group, key->pane_ms, partial.pane_end_ms, key->epoch);
    *out_good = pane != NULL;
    return pane ? put_partial(stage, task, pane, &partial, err) : STATUS_OK;
}

static bool step_clock(struct task_stage *stage, const struct partial_key *key,
                       struct slice value) {
    struct clock_partial said;
    return clock_partial_read(value, &said) && keys_agree(key, &said.key) &&
           stage_put_clock(stage, &said);
}

enum status step_record(struct task_stage *stage, const struct task_record *record,
                        struct error *err) {
    /* Our own tombstones: the panes they speak of are final here already. */
    if (!record->value.data)
        return STATUS_OK;
    struct partial_key key;
    bool is_good = partial_read_key(record->key, &key);
    if (is_good && key.family == PARTIAL_CLOCK)
        is_good = step_clock(stage, &key, record->value);
    else if (is_good)
        TRY(step_partial(stage, &key, record->value, &is_good, err));
    stage->stats.malformed += !is_good;
    return STATUS_OK;
}

/* --- evicted panes --------------------------------------------------------------------------- */

static void recall_pane_of(struct task_stage *stage, const struct task_record *record) {
    struct partial_key key;
    if (!record->value.data || !partial_read_key(record->key, &key) || key.family != PARTIAL_COUNTS)
        return;
    struct task_state *task = stage_find_task(stage, key.task);
    const struct group *group =
        task && task->table.evicted_count > 0 ? table_find_group(&task->table, key.group) : NULL;
    struct pane *pane = group ? table_find_pane(group, key.pane_ms, key.epoch) : NULL;
    if (pane && !pane->is_final)
        recall_later(stage, task, pane);
}

enum status recall_replaced(struct task_stage *stage, const struct task_record *records,
                            size_t count, struct error *err) {
    bool any = false;
    for (int t = 0; t < stage->task_count; t++)
        any |= stage->tasks[t].table.evicted_count > 0;
    for (size_t i = 0; i < count && any; i++) {
        if (records[i].offset >= stage->position)
            recall_pane_of(stage, &records[i]);
    }
    return recall_panes(stage, err);
}

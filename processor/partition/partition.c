/* partition.c -- the order of the steps: decisions, judge, move the clock, join, window; then
 * commit. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"

enum { PANES_LOADED_MIN = 8192 };

/* ---- clocks ---- */

void clock_move(struct partition *partition, enum log_side log, int64_t time_ms) {
    if (time_ms <= partition->clocks[log])
        return;
    partition->clocks[log] = time_ms;
    if (log == LOG_PREDICTIONS)
        window_seal(partition);
}

/* Decisions of this log up to offset; the clock only grows, so that applying one again changes
 * nothing. */
void clock_apply_decisions(struct partition *partition, enum log_side log, int64_t offset) {
    for (size_t *next = &partition->applied[log]; *next < partition->decision_count; (*next)++) {
        const struct decision *decision = &partition->decisions[*next];
        if (decision->log != log || decision->kind != DECISION_CLOCK)
            continue;
        if (decision->offset > offset)
            return;
        clock_move(partition, log, decision->time_ms);
    }
}

static struct decision *last_clock(struct partition *partition, enum log_side log) {
    for (size_t i = partition->decision_count; i-- > 0;)
        if (partition->decisions[i].log == log && partition->decisions[i].kind == DECISION_CLOCK)
            return &partition->decisions[i];
    return NULL;
}

/* A decision that the next record of its log overtakes changes nothing in a replay: whatever waited
 * for it waits for that record.  So an idle log that wakes up leaves no trace, and the list stays
 * short. */
static void forget_overtaken(struct partition *partition, const struct event *event) {
    struct decision *last = last_clock(partition, event->log);
    if (!last || last->offset < partition->positions[event->log] || last->offset > event->offset ||
        last->time_ms > event->time_ms)
        return;
    size_t index = (size_t)(last - partition->decisions);
    memmove(last, last + 1, (--partition->decision_count - index) * sizeof *last);
    for (int log = 0; log < LOG_COUNT; log++)
        partition->applied[log] -= partition->applied[log] > index;
}

void partition_decide_clock(struct partition *partition, enum log_side log, int64_t time_ms,
                            int64_t control_offset) {
    ASSERT(partition->live);
    if (control_offset > partition->control_offset)
        partition->control_offset = control_offset;
    partition->changed_since_flush = true;
    if (time_ms <= partition->clocks[log])
        return;
    struct decision *last = last_clock(partition, log);
    if (partition->decision_count >= DECISIONS_MAX && control_offset < 0)
        return; /* idleness is not decided any more until the floor has passed older decisions */
    if (last && last->offset == partition->positions[log]) {
        last->time_ms = time_ms;
    } else {
        partition->decisions = alloc_resize(partition->decisions, partition->decision_count + 1,
                                            sizeof *partition->decisions);
        partition->decisions[partition->decision_count++] =
            (struct decision){.kind = DECISION_CLOCK,
                              .log = log,
                              .offset = partition->positions[log],
                              .time_ms = time_ms};
    }
    clock_move(partition, log, time_ms);
}

void partition_close(struct partition *partition) {
    if (!partition)
        return;
    for (size_t i = 0; i < partition->instance_count; i++) {
        segments_release(&partition->instances[i].segments);
        panes_release(&partition->instances[i].panes);
        groups_release(&partition->instances[i].groups);
        locator_release(&partition->instances[i].locator);
    }
    free(partition->tasks);
    free(partition->instances);
    free(partition->decisions);
    for (int log = 0; log < LOG_COUNT; log++)
        free(partition->futures[log].list);
    delta_release(&partition->delta);
    orphans_release(&partition->orphans);
    arena_release(&partition->batch);
    buffer_release(&partition->scratch);
    buffer_release(&partition->scratch2);
    buffer_release(&partition->probes);
    buffer_release(&partition->removed_panes);
    free(partition);
}

/* ---- positions ---- */

int64_t partition_position(const struct partition *partition, enum log_side log) {
    return partition->positions[log];
}

int64_t partition_until(const struct partition *partition, enum log_side log) {
    return partition->until[log];
}

bool partition_is_live(const struct partition *partition) {
    return partition->live;
}

int64_t partition_control_offset(const struct partition *partition) {
    return partition->control_offset;
}

void partition_set_predictions_at_end(struct partition *partition, bool at_end) {
    partition->predictions_at_end = at_end;
}

void partition_set_behind(struct partition *partition, bool behind) {
    partition->behind = behind;
}

bool partition_wants(const struct partition *partition, enum log_side log) {
    if (!partition->live)
        return partition->positions[log] < partition->until[log];
    return log == LOG_PREDICTIONS || partition->predictions_at_end ||
           partition->orphans.count < partition->config->orphans_max;
}

void partition_skip_to(struct partition *partition, enum log_side log, int64_t offset) {
    if (offset > partition->until[log])
        offset = partition->until[log];
    if (offset <= partition->positions[log])
        return;
    partition->positions[log] = offset;
    clock_apply_decisions(partition, log, offset);
    open_become_live_if_reached(partition);
}

void partition_report_gap(struct partition *partition, enum log_side log, int64_t offset) {
    if (offset <= partition->positions[log])
        return;
    partition->gap_records += offset - partition->positions[log];
    partition->has_gap[log] = !partition->live;
    partition_skip_to(partition, log, offset);
}

/* ---- step ---- */

/* Input was deleted above the floor: panes up to the first event that is left stay as they were
 * published. */
static void freeze(struct partition *partition, const struct event *event) {
    partition->has_gap[event->log] = false;
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        int64_t end_ms = pane_floor(instance, event->time_ms) + instance->definition->pane_ms;
        if (end_ms > instance->skip_before_ms)
            instance->skip_before_ms = end_ms;
    }
}

static enum refusal judge(const struct partition *partition, const struct event *event) {
    const struct config *config = partition->config;
    const struct topic_definition *topic =
        event->log == LOG_PREDICTIONS ? &config->predictions : &config->feedback;
    int64_t clock_ms = partition->clocks[event->log];
    if (event->refusal != REFUSAL_NONE)
        return event->refusal;
    if (event->record_ms != TIME_NONE && event->time_ms - config->skew_ms > event->record_ms)
        return REFUSAL_FUTURE;
    if (clock_ms != TIME_NONE && event->time_ms < clock_ms - topic->disorder_max_ms)
        return REFUSAL_LATE;
    return REFUSAL_NONE;
}

static enum status step_one(struct partition *partition, const struct event *event,
                            const struct hash128 *keys, struct error *err) {
    enum log_side log = event->log;
    ASSERT(event->offset >= partition->positions[log] && event->offset < partition->until[log]);
    clock_apply_decisions(partition, log, event->offset);
    enum refusal refusal = judge(partition, event);
    if (refusal == REFUSAL_NONE && future_refuses(partition, event))
        refusal = REFUSAL_FUTURE;
    if (refusal != REFUSAL_NONE) {
        dead_letter(partition, event, refusal, "");
    } else {
        if (partition->has_gap[log])
            freeze(partition, event);
        if (partition->live)
            forget_overtaken(partition, event);
        int64_t clock_before_ms = partition->clocks[log];
        clock_move(partition, log, event->time_ms);
        if (log == LOG_PREDICTIONS)
            TRY(join_prediction(partition, event, keys, clock_before_ms, err));
        else
            TRY(join_feedback(partition, event, keys, clock_before_ms, err));
        if (log == LOG_PREDICTIONS)
            join_expire_orphans(partition);
    }
    partition->positions[log] = event->offset + 1;
    clock_apply_decisions(partition, log, event->offset + 1);
    return STATUS_OK;
}

static struct hash128 *keys_of(struct partition *partition, const struct event *events,
                               size_t count) {
    struct hash128 *keys =
        arena_take(&partition->batch, (count * partition->task_count + 1) * sizeof *keys);
    memset(keys, 0, count * partition->task_count * sizeof *keys);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < partition->task_count && events[i].refusal == REFUSAL_NONE; j++)
            keys[i * partition->task_count + j] = row_key(&partition->tasks[j].key, events[i].id);
    return keys;
}

enum status partition_step(struct partition *partition, const struct event *events, size_t count,
                           struct outbox *outbox, struct error *err) {
    if (count == 0)
        return STATUS_OK;
    arena_reset(&partition->batch);
    partition->outbox = partition->live ? outbox : NULL;
    partition->changed_since_flush = true;
    const struct hash128 *keys = keys_of(partition, events, count);
    TRY(look_up(partition, events, count, keys, err));
    for (size_t i = 0; i < count; i++) {
        look_ahead(partition, keys, i, count);
        TRY(step_one(partition, &events[i], &keys[i * partition->task_count], err));
    }
    partition->outbox = NULL;
    open_become_live_if_reached(partition);
    return STATUS_OK;
}

/* ---- committed ---- */

/* A flush lets tables go; those that still wait to be published stay, so that it must not come at
 * every commit. */
static bool panes_are_many(const struct partition *partition) {
    size_t bytes = 0, loaded = 0;
    for (size_t i = 0; i < partition->instance_count; i++) {
        bytes += partition->instances[i].panes.bytes;
        loaded += partition->instances[i].panes.loaded;
    }
    return bytes >= 2 * partition->config->pane_bytes_max && loaded >= PANES_LOADED_MIN;
}

bool partition_is_full(const struct partition *partition) {
    const struct config *config = partition->config;
    return partition->delta.unstored_rows >= config->delta_rows_max ||
           delta_bytes(&partition->delta) >= config->delta_bytes_max || panes_are_many(partition);
}

static bool flush_is_due(struct partition *partition, int64_t now_ms) {
    if (partition->flushed_at_ms == 0)
        partition->flushed_at_ms = now_ms;
    return partition_is_full(partition) ||
           (partition->changed_since_flush &&
            now_ms - partition->flushed_at_ms >= partition->config->flush_interval_ms);
}

enum status partition_flush_if_due(struct partition *partition, int64_t now_ms, struct error *err) {
    if (!flush_is_due(partition, now_ms))
        return STATUS_OK;
    partition->flushed_at_ms = now_ms;
    return persist_flush(partition, err);
}

enum status partition_locate(struct partition *partition, bool *out_did, struct error *err) {
    return locate_stored(partition, out_did, err);
}

enum status partition_committed(struct partition *partition, int64_t now_ms, bool force_flush,
                                struct error *err) {
    if (!(force_flush && partition->changed_since_flush) && !flush_is_due(partition, now_ms))
        return STATUS_OK;
    partition->flushed_at_ms = now_ms;
    return persist_flush(partition, err);
}

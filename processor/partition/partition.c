/* partition.c -- the order of the steps: decisions, judge, move the clock, join, window; then
 * commit. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "partition/internal.h"
#include "state/mutation.h"

/* ---- clocks ---- */

static void move_clock(struct partition *partition, enum log_side log, int64_t time_ms) {
    if (time_ms <= partition->clocks[log])
        return;
    partition->clocks[log] = time_ms;
    if (log == LOG_PREDICTIONS)
        window_seal(partition);
}

/* Decisions of this log up to offset; the clock only grows, so that applying one again changes
 * nothing. */
static void apply_decisions(struct partition *partition, enum log_side log, int64_t offset) {
    for (size_t *next = &partition->applied[log]; *next < partition->decision_count; (*next)++) {
        const struct decision *decision = &partition->decisions[*next];
        if (decision->log != log || decision->kind != DECISION_CLOCK)
            continue;
        if (decision->offset > offset)
            return;
        move_clock(partition, log, decision->time_ms);
    }
}

void partition_decide_clock(struct partition *partition, enum log_side log, int64_t time_ms,
                            int64_t control_offset) {
    ASSERT(partition->live);
    if (control_offset > partition->control_offset)
        partition->control_offset = control_offset;
    partition->changed_since_flush = true;
    if (time_ms <= partition->clocks[log])
        return;
    struct decision *last = NULL;
    for (size_t i = partition->decision_count; i-- > 0 && !last;)
        if (partition->decisions[i].log == log && partition->decisions[i].kind == DECISION_CLOCK)
            last = &partition->decisions[i];
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
    move_clock(partition, log, time_ms);
}

/* ---- becoming live ---- */

static void remove_panes(struct partition *partition, struct instance *instance, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct pane *pane = instance->panes.sorted[i];
        for (size_t j = 0; j < pane->count; j++) {
            char key[PANE_KEY_BYTES];
            pane_write_key(instance->id, pane->start_ms, pane->entries[j].group, key);
            buffer_append(&partition->removed_panes, key, sizeof key);
        }
    }
    panes_remove(&instance->panes, count);
    partition->changed_since_flush |= count > 0;
}

static size_t count_final(const struct partition *partition, const struct instance *instance) {
    int64_t final_ms = final_before(partition, instance, partition->clocks);
    if (final_ms == INT64_MIN)
        return 0;
    return panes_lower_bound(&instance->panes, final_ms - instance->definition->pane_ms + 1);
}

/* A new epoch begins at the first pane that is later than every pane opened here. */
static void decide_epochs(struct partition *partition) {
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        if (instance->from_ms != INT64_MAX)
            continue;
        struct instance *older = i > 0 && instance[-1].task == instance->task ? instance - 1 : NULL;
        int64_t from_ms = instance->definition->effective_from_ms;
        if (older) {
            int64_t next_ms = partition->clocks[LOG_PREDICTIONS] == TIME_NONE
                                  ? older->from_ms
                                  : partition->clocks[LOG_PREDICTIONS] + 1;
            from_ms = from_ms > next_ms ? from_ms : next_ms;
            from_ms = pane_floor(instance, from_ms + instance->definition->pane_ms - 1);
            older->until_ms = from_ms;
        }
        instance->from_ms = from_ms;
    }
}

static void drop_replayed_orphans(struct partition *partition) {
    for (size_t i = 0; i < partition->orphans.capacity; i++)
        if (partition->orphans.list[i].used && partition->orphans.list[i].joins_before != INT64_MAX)
            orphans_remove(&partition->orphans, (uint32_t)i);
}

static bool reached(const struct partition *partition) {
    return partition->positions[LOG_PREDICTIONS] >= partition->until[LOG_PREDICTIONS] &&
           partition->positions[LOG_FEEDBACK] >= partition->until[LOG_FEEDBACK];
}

/* All that was committed is in: from here on output counts.  Panes that were final at the committed
 * position were published with it; counters are the checkpoint's, for a rebuild has not seen every
 * record. */
static void become_live_if_reached(struct partition *partition) {
    if (partition->live || !reached(partition))
        return;
    for (int log = 0; log < LOG_COUNT; log++) {
        apply_decisions(partition, (enum log_side)log, partition->positions[log]);
        move_clock(partition, (enum log_side)log, partition->committed_clocks[log]);
        partition->until[log] = INT64_MAX;
    }
    join_expire_orphans(partition);
    drop_replayed_orphans(partition);
    for (size_t i = 0; i < partition->instance_count; i++) {
        struct instance *instance = &partition->instances[i];
        remove_panes(partition, instance, count_final(partition, instance));
        instance->skip_before_ms = INT64_MIN;
    }
    decide_epochs(partition);
    partition->counters = partition->committed_counters;
    partition->live = true;
}

/* ---- open ---- */

static void instance_init(struct instance *instance, struct task *task,
                          const struct task_definition *definition, size_t locator_bytes) {
    char name[512];
    int size =
        snprintf(name, sizeof name, "%s/%lld", definition->name, (long long)definition->epoch);
    *instance = (struct instance){
        .definition = definition,
        .task = task,
        .id = (uint32_t)hash64((struct slice){name, (size_t)size}),
        .layout = {definition->kind, definition->segment_ms, definition->grouping_count},
        .from_ms = INT64_MAX,
        .until_ms = INT64_MAX,
        .skip_before_ms = INT64_MIN,
        .sealed_before_ms = INT64_MIN,
        .sent_sealed_ms = INT64_MIN,
        .sent_final_ms = INT64_MIN};
    shape_init(&instance->shape, definition);
    panes_init(&instance->panes, &instance->shape, instance->id);
    locator_init(&instance->locator, locator_bytes);
    groups_init(&instance->groups, definition);
}

static void task_init(struct partition *partition, struct task *task, const char *name) {
    const struct config *config = partition->config;
    char seed[512];
    int size = snprintf(seed, sizeof seed, "%s/%s", config->application, name);
    *task = (struct task){.name = name,
                          .id = (uint32_t)hash64(slice_from(name)),
                          .first_instance = (uint16_t)partition->instance_count};
    hash_key_derive(&task->key, (struct slice){seed, (size_t)size});
    for (int64_t after = INT64_MIN;;) {
        const struct task_definition *next = NULL;
        for (int i = 0; i < config->task_count; i++)
            if (strcmp(config->tasks[i].name, name) == 0 && config->tasks[i].epoch > after &&
                (!next || config->tasks[i].epoch < next->epoch))
                next = &config->tasks[i];
        if (!next)
            break;
        after = next->epoch;
        instance_init(&partition->instances[partition->instance_count++], task, next,
                      config->locator_bytes_max / (size_t)config->task_count);
        task->instance_count++;
    }
}

static void build_tasks(struct partition *partition) {
    const struct config *config = partition->config;
    size_t count = (size_t)config->task_count;
    partition->tasks = alloc_zero(count, sizeof *partition->tasks);
    partition->instances = alloc_zero(count, sizeof *partition->instances);
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < partition->task_count; j++)
            known |= strcmp(partition->tasks[j].name, config->tasks[i].name) == 0;
        if (!known)
            task_init(partition, &partition->tasks[partition->task_count++], config->tasks[i].name);
    }
}

static struct task *task_named(struct partition *partition, struct slice name) {
    for (size_t i = 0; i < partition->task_count; i++)
        if (slice_equal(slice_from(partition->tasks[i].name), name))
            return &partition->tasks[i];
    return NULL;
}

static struct instance *instance_of_epoch(struct partition *partition, const struct task *task,
                                          int64_t epoch) {
    for (size_t i = 0; i < task->instance_count; i++) {
        struct instance *instance = &partition->instances[task->first_instance + i];
        if (instance->definition->epoch == epoch)
            return instance;
    }
    return NULL;
}

/* Which epoch covers which event times is the checkpoint's word.  Epochs older than all that it
 * lists are retired. */
static enum status adopt_epochs(struct partition *partition, const struct checkpoint *checkpoint,
                                struct error *err) {
    for (size_t i = 0; i < checkpoint->instance_count; i++) {
        const struct checkpoint_instance *saved = &checkpoint->instances[i];
        struct task *task = task_named(partition, saved->task);
        if (!task)
            continue; /* the task was taken out of the configuration */
        struct instance *instance = instance_of_epoch(partition, task, saved->epoch);
        if (!instance)
            return error_set(err, STATUS_CONFIG,
                             "task %s: the checkpoint holds epoch %lld, which this configuration "
                             "does not know; start with the newest configuration",
                             task->name, (long long)saved->epoch);
        instance->from_ms = saved->from_ms;
        instance->until_ms = saved->until_ms;
    }
    for (size_t i = partition->instance_count; i-- > 1;) {
        struct instance *newer = &partition->instances[i], *older = newer - 1;
        if (older->task == newer->task && older->from_ms == INT64_MAX &&
            newer->from_ms != INT64_MAX)
            older->from_ms = older->until_ms = INT64_MIN;
    }
    return STATUS_OK;
}

static void keep_decisions(struct partition *partition, const struct checkpoint *checkpoint) {
    partition->decision_count = checkpoint->decision_count;
    partition->decisions = alloc_resize(partition->decisions, checkpoint->decision_count,
                                        sizeof *partition->decisions);
    if (checkpoint->decision_count > 0)
        memcpy(partition->decisions, checkpoint->decisions,
               checkpoint->decision_count * sizeof *partition->decisions);
}

static bool store_is_usable(const struct checkpoint *store, const struct checkpoint *committed) {
    for (int log = 0; log < LOG_COUNT; log++)
        if (store->positions[log] > committed->positions[log] ||
            store->positions[log] < committed->floors[log])
            return false;
    return true;
}

static void start_at(struct partition *partition, const int64_t positions[LOG_COUNT],
                     const int64_t clocks[LOG_COUNT]) {
    memcpy(partition->positions, positions, sizeof partition->positions);
    memcpy(partition->clocks, clocks, sizeof partition->clocks);
}

/* From the floor: with the clocks at the floor, or lateness would be judged differently. */
static enum status rebuild(struct partition *partition, const struct checkpoint *committed,
                           struct slice groups, struct error *err) {
    static const int64_t no_clocks[LOG_COUNT] = {TIME_NONE, TIME_NONE};
    TRY(persist_wipe(partition, err));
    if (!committed)
        return STATUS_OK;
    start_at(partition, committed->floors,
             mutation == MUTATION_FLOOR_CLOCKS ? no_clocks : committed->floor_clocks);
    if (groups.size > 0 && !checkpoint_read_groups(partition, groups))
        return error_set(err, STATUS_CORRUPT, "the groups record of partition %d does not parse",
                         partition->number);
    for (size_t i = 0; i < partition->instance_count; i++)
        partition->instances[i].skip_before_ms =
            final_before(partition, &partition->instances[i], committed->clocks);
    if (partition->clocks[LOG_PREDICTIONS] != TIME_NONE)
        window_seal(partition);
    return STATUS_OK;
}

static enum status load_state(struct partition *partition, const struct partition_options *options,
                              struct arena *arena, struct error *err) {
    struct checkpoint committed, stored;
    bool has_checkpoint = options->checkpoint.size > 0, found;
    if (has_checkpoint) {
        if (!checkpoint_read(options->checkpoint, arena, &committed))
            return error_set(err, STATUS_CORRUPT, "the checkpoint of partition %d does not parse",
                             partition->number);
        TRY(adopt_epochs(partition, &committed, err));
        memcpy(partition->until, committed.positions, sizeof partition->until);
        memcpy(partition->committed_clocks, committed.clocks, sizeof committed.clocks);
        partition->committed_counters = committed.counters;
        partition->control_offset = committed.control_offset;
        keep_decisions(partition, &committed);
    }
    struct slice meta;
    TRY(persist_load_meta(partition, &meta, &found, err));
    if (found && !checkpoint_read(meta, arena, &stored))
        return error_set(err, STATUS_CORRUPT, "the stored state does not parse");
    if (!found || !has_checkpoint || !store_is_usable(&stored, &committed))
        return rebuild(partition, has_checkpoint ? &committed : NULL, options->groups, err);
    start_at(partition, stored.positions, stored.clocks);
    partition->counters = stored.counters;
    return persist_load(partition, err);
}

enum status partition_open(const struct partition_options *options,
                           struct partition **out_partition, struct error *err) {
    struct partition *partition = alloc_zero(1, sizeof *partition);
    *partition = (struct partition){.config = options->config,
                                    .store = options->store,
                                    .number = options->partition,
                                    .clocks = {TIME_NONE, TIME_NONE},
                                    .committed_clocks = {TIME_NONE, TIME_NONE},
                                    .control_offset = -1};
    delta_init(&partition->delta);
    orphans_init(&partition->orphans);
    arena_init(&partition->batch);
    buffer_init(&partition->scratch, SIZE_MAX / 2);
    buffer_init(&partition->scratch2, SIZE_MAX / 2);
    buffer_init(&partition->removed_panes, SIZE_MAX / 2);
    build_tasks(partition);
    struct arena arena;
    arena_init(&arena);
    enum status status = load_state(partition, options, &arena, err);
    arena_release(&arena);
    if (status != STATUS_OK) {
        partition_close(partition);
        return status;
    }
    for (int log = 0; log < LOG_COUNT; log++)
        apply_decisions(partition, (enum log_side)log, partition->positions[log]);
    become_live_if_reached(partition);
    *out_partition = partition;
    return STATUS_OK;
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
    delta_release(&partition->delta);
    orphans_release(&partition->orphans);
    arena_release(&partition->batch);
    buffer_release(&partition->scratch);
    buffer_release(&partition->scratch2);
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
    apply_decisions(partition, log, offset);
    become_live_if_reached(partition);
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
    if (event->record_ms != TIME_NONE && event->time_ms > event->record_ms + config->skew_ms)
        return REFUSAL_FUTURE;
    if (clock_ms != TIME_NONE && event->time_ms < clock_ms - topic->disorder_max_ms)
        return REFUSAL_LATE;
    return REFUSAL_NONE;
}

static enum status step_one(struct partition *partition, const struct event *event,
                            const struct hash128 *keys, struct error *err) {
    enum log_side log = event->log;
    ASSERT(event->offset >= partition->positions[log] && event->offset < partition->until[log]);
    apply_decisions(partition, log, event->offset);
    enum refusal refusal = judge(partition, event);
    if (refusal != REFUSAL_NONE) {
        dead_letter(partition, event, refusal, "");
    } else {
        if (partition->has_gap[log])
            freeze(partition, event);
        int64_t clock_before_ms = partition->clocks[log];
        move_clock(partition, log, event->time_ms);
        if (log == LOG_PREDICTIONS)
            TRY(join_prediction(partition, event, keys, clock_before_ms, err));
        else
            TRY(join_feedback(partition, event, keys, clock_before_ms, err));
        if (log == LOG_PREDICTIONS)
            join_expire_orphans(partition);
    }
    partition->positions[log] = event->offset + 1;
    apply_decisions(partition, log, event->offset + 1);
    return STATUS_OK;
}

static struct hash128 *keys_of(struct partition *partition, const struct event *events,
                               size_t count) {
    struct hash128 *keys =
        arena_take(&partition->batch, (count * partition->task_count + 1) * sizeof *keys);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < partition->task_count && events[i].refusal == REFUSAL_NONE; j++)
            keys[i * partition->task_count + j] =
                hash128_keyed(&partition->tasks[j].key, events[i].id);
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
    for (size_t i = 0; i < count; i++)
        TRY(step_one(partition, &events[i], &keys[i * partition->task_count], err));
    partition->outbox = NULL;
    become_live_if_reached(partition);
    return STATUS_OK;
}

/* ---- committed ---- */

static bool flush_is_due(struct partition *partition, int64_t now_ms) {
    const struct config *config = partition->config;
    if (partition->flushed_at_ms == 0)
        partition->flushed_at_ms = now_ms;
    return partition->delta.unstored_rows >= config->delta_rows_max ||
           delta_bytes(&partition->delta) >= config->delta_bytes_max ||
           (partition->changed_since_flush &&
            now_ms - partition->flushed_at_ms >= config->flush_interval_ms);
}

enum status partition_flush_if_due(struct partition *partition, int64_t now_ms, struct error *err) {
    if (!flush_is_due(partition, now_ms))
        return STATUS_OK;
    partition->flushed_at_ms = now_ms;
    return persist_flush(partition, err);
}

enum status partition_locate(struct partition *partition, bool *out_did, struct error *err) {
    return persist_locate_one(partition, out_did, err);
}

enum status partition_committed(struct partition *partition, int64_t now_ms, bool force_flush,
                                struct error *err) {
    if (!(force_flush && partition->changed_since_flush) && !flush_is_due(partition, now_ms))
        return STATUS_OK;
    partition->flushed_at_ms = now_ms;
    return persist_flush(partition, err);
}

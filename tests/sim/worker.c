/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_MAX = 24 };

void cluster_fail(struct cluster *cluster, const char *format, ...) {
    if (cluster->failure[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cluster->failure, sizeof cluster->failure, format, arguments);
    va_end(arguments);
}

int cluster_partitions(const struct cluster *cluster, enum stage stage) {
    return stage == STAGE_PARTITION ? cluster->world->partitions : cluster->world->queues;
}

bool slot_survives(struct cluster *cluster, struct slot *slot, enum status status,
                   const struct error *err, const char *what) {
    if (status == STATUS_OK)
        return true;
    bool is_planned = status == STATUS_IO && slot->faults.crash_at >= 0 &&
                      slot->faults.writes >= slot->faults.crash_at;
    if (!is_planned)
        cluster_fail(cluster, "%s: %s: %s", what, status_name(status), err->text);
    return false;
}

bool slot_is_live(const struct slot *slot, enum stage stage) {
    if (stage == STAGE_PARTITION)
        return partition_is_live(slot->partition);
    return task_is_live(slot->task) && task_position(slot->task) >= slot->ready_at;
}

int64_t slot_position(const struct slot *slot, enum stage stage, enum log_side log) {
    return stage == STAGE_PARTITION ? partition_position(slot->partition, log)
                                    : task_position(slot->task);
}

void slot_close(struct slot *slot) {
    partition_close(slot->partition);
    if (slot->task)
        task_close(slot->task);
    if (slot->store)
        slot->store->ops->close(slot->store);
    slot->partition = NULL;
    slot->task = NULL;
    slot->store = NULL;
    slot->is_open = slot->has_stepped = slot->is_clean = false;
    slot->decision_count = 0;
    for (int log = 0; log < LOG_COUNT; log++)
        slot->at_end_since[log] = TIME_NONE;
}

/* ---- open ---- */

static bool open_store(struct cluster *cluster, struct slot *slot) {
    struct error err = {0};
    bool is_doomed = cluster->has_faults && random_chance(&cluster->random, .02);
    slot->faults = (struct memory_faults){0, -1};
    if (is_doomed)
        slot->faults.crash_at = random_between(&cluster->random, 0, 8);
    if (!slot->disk)
        slot->disk = memory_disk_create();
    return slot_survives(cluster, slot,
                         store_memory_open(slot->disk, &slot->faults, &slot->store, &err), &err,
                         "open store");
}

/* Invariant 3: what the disk holds is covered by committed transactions; the checkpoint repeats
 * the group's offsets. */
static void check_positions(struct cluster *cluster, const struct slot *slot, int number,
                            struct slice checkpoint) {
    const struct offsets *committed = &cluster->broker.committed[STAGE_PARTITION][number];
    int64_t repeated[LOG_COUNT] = {0, 0};
    if (checkpoint.size && !checkpoint_positions(checkpoint, repeated))
        cluster_fail(cluster, "partition %d: the checkpoint does not parse", number);
    for (int log = 0; log < LOG_COUNT; log++) {
        int64_t position = partition_position(slot->partition, (enum log_side)log);
        if (repeated[log] != committed->positions[log])
            cluster_fail(cluster, "partition %d log %d: checkpoint at %lld, group at %lld", number,
                         log, (long long)repeated[log], (long long)committed->positions[log]);
        if (position > committed->positions[log])
            cluster_fail(cluster, "partition %d log %d: opened at %lld, ahead of the commit %lld",
                         number, log, (long long)position, (long long)committed->positions[log]);
    }
}

static bool open_partition(struct cluster *cluster, struct slot *slot, int number) {
    char scratch[32];
    struct error err = {0};
    struct partition_options options = {
        .config = cluster->config,
        .partition = number,
        .store = slot->store,
        .checkpoint = broker_checkpoint(&cluster->broker, checkpoint_key(number, scratch)),
    };
    options.groups = broker_checkpoint(&cluster->broker, groups_key(number, scratch));
    enum status status = partition_open(&options, &slot->partition, &err);
    if (!slot_survives(cluster, slot, status, &err, "open partition"))
        return false;
    check_positions(cluster, slot, number, options.checkpoint);
    if (!partition_is_live(slot->partition))
        cluster->counts->rebuilds++;
    return true;
}

static bool restore_history(struct cluster *cluster, struct slot *slot, int number) {
    struct error err = {0};
    const struct broker_log *log = &cluster->broker.logs[TOPIC_STATE][number];
    const struct broker_record *record = broker_next(log, 0);
    for (; record; record = broker_next(log, record->offset + 1)) {
        struct task_record history = {record->offset, record->key, record->value};
        if (!slot_survives(cluster, slot, task_restore(slot->task, &history, &err), &err,
                           "restore task"))
            return false;
    }
    return true;
}

static bool open_task(struct cluster *cluster, struct slot *slot, int number) {
    struct error err = {0};
    struct task_options options = {
        .config = cluster->config,
        .partition = number,
        .source_partitions = cluster->world->partitions,
        .incarnation = 1,
        .store = slot->store,
        .committed = cluster->broker.committed[STAGE_TASK][number].positions[0],
    };
    if (!slot_survives(cluster, slot, task_open(&options, &slot->task, &err), &err, "open task"))
        return false;
    /* Also on a disk that lags: sources of panes that became final since may be gone from partials.
     */
    if (task_position(slot->task) < options.committed && !restore_history(cluster, slot, number))
        return false;
    slot->ready_at = broker_stable_end(&cluster->broker.logs[TOPIC_PARTIALS][number]);
    if (task_position(slot->task) > options.committed)
        cluster_fail(cluster, "task %d: opened at %lld, ahead of the commit %lld", number,
                     (long long)task_position(slot->task), (long long)options.committed);
    return true;
}

static bool open_slot(struct cluster *cluster, struct slot *slot, enum stage stage, int number) {
    if (!broker_is_stable(&cluster->broker, stage, number))
        return true;
    if (!open_store(cluster, slot)) {
        cluster->counts->crashes_in_open++;
        return false;
    }
    bool survived = stage == STAGE_PARTITION ? open_partition(cluster, slot, number)
                                             : open_task(cluster, slot, number);
    slot->is_open = survived;
    cluster->counts->crashes_in_open += !survived;
    return survived;
}

/* ---- stage 1: read and step ---- */

/* The next given decision of this log; NULL when there is none. */
static const struct decision *next_given(const struct cluster *cluster, const struct slot *slot,
                                         int number, enum log_side log, size_t *out_index) {
    for (size_t i = slot->given_next[log]; i < cluster->given_count; i++) {
        *out_index = i;
        if (cluster->given[i].partition == number && cluster->given[i].log == log)
            return &cluster->given[i];
    }
    return NULL;
}

/* How far this log may be read now. */
static int64_t read_until(const struct cluster *cluster, const struct slot *slot, int number,
                          enum log_side log) {
    int64_t end = world_stable_end(cluster->world, number, log, cluster->now_ms);
    int64_t until = partition_until(slot->partition, log);
    size_t index = 0;
    const struct decision *given = next_given(cluster, slot, number, log, &index);
    if (given && given->offset < end)
        end = given->offset;
    return until < end ? until : end;
}

static void skip_gap(const struct cluster *cluster, struct slot *slot, int number,
                     enum log_side log) {
    int64_t position = partition_position(slot->partition, log);
    int64_t target = read_until(cluster, slot, number, log);
    const struct input_record *next = world_next(cluster->world, number, log, position);
    if (next && next->offset < target)
        target = next->offset;
    if (target > position)
        partition_skip_to(slot->partition, log, target);
}

/* Wall time at the reading; of a given outcome one at which it comes out the same. */
static int64_t wall_at(const struct cluster *cluster, int number, enum log_side log,
                       const struct input_record *record) {
    const struct place place = {number, log, record->offset};
    if (cluster->world->config.idle_advance == IDLE_NONE)
        return 0;
    if (!cluster->given)
        return cluster->now_ms;
    return place_is_among(cluster->given_futures, cluster->given_future_count, &place)
               ? 1
               : record->time_ms;
}

static size_t read_log(struct cluster *cluster, const struct slot *slot, int number,
                       enum log_side log, struct event *out_events) {
    if (!partition_wants(slot->partition, log))
        return 0;
    int64_t until = read_until(cluster, slot, number, log);
    size_t most = random_below(&cluster->random, BATCH_MAX / 2 + 1), count = 0;
    int64_t at = partition_position(slot->partition, log);
    const struct input_record *record = world_next(cluster->world, number, log, at);
    while (record && record->offset < until && count < most) {
        world_event(record, log, &out_events[count]);
        out_events[count++].wall_ms = wall_at(cluster, number, log, record);
        record = world_next(cluster->world, number, log, record->offset + 1);
    }
    return count;
}

static size_t read_batch(struct cluster *cluster, const struct slot *slot, int number,
                         struct event out_events[BATCH_MAX]) {
    struct event logs[LOG_COUNT][BATCH_MAX];
    size_t counts[LOG_COUNT], taken[LOG_COUNT] = {0, 0}, count = 0;
    for (int log = 0; log < LOG_COUNT; log++)
        counts[log] = read_log(cluster, slot, number, (enum log_side)log, logs[log]);
    while (taken[0] < counts[0] || taken[1] < counts[1]) {
        size_t log = random_below(&cluster->random, LOG_COUNT);
        if (taken[log] < counts[log])
            out_events[count++] = logs[log][taken[log]++];
    }
    return count;
}

static void decide(struct slot *slot, int number, enum log_side log, int64_t time_ms,
                   int64_t control_offset) {
    if (slot->decision_count == PENDING_DECISIONS_MAX)
        return;
    slot->decisions[slot->decision_count++] =
        (struct decision){number, log, partition_position(slot->partition, log), time_ms};
    partition_decide_clock(slot->partition, log, time_ms, control_offset);
    slot->is_clean = false;
}

static bool is_at_end(const struct cluster *cluster, const struct slot *slot, int number,
                      enum log_side log) {
    return partition_position(slot->partition, log) ==
           world_end(cluster->world, number, log, cluster->now_ms);
}

static void decide_given(struct cluster *cluster, struct slot *slot, int number,
                         enum log_side log) {
    size_t index = 0;
    const struct decision *given = next_given(cluster, slot, number, log, &index);
    while (given && given->offset <= partition_position(slot->partition, log)) {
        slot->given_next[log] = index + 1;
        decide(slot, number, log, given->time_ms, -1);
        given = next_given(cluster, slot, number, log, &index);
    }
}

static void decide_idle(struct cluster *cluster, struct slot *slot, int number, enum log_side log) {
    int64_t timeout_ms = cluster->world->config.idle_timeout_ms;
    int64_t *since = &slot->at_end_since[log];
    if (!is_at_end(cluster, slot, number, log))
        *since = TIME_NONE;
    else if (*since == TIME_NONE)
        *since = cluster->now_ms;
    if (timeout_ms == 0 || *since == TIME_NONE || cluster->now_ms - *since < timeout_ms)
        return;
    *since = cluster->now_ms;
    decide(slot, number, log, cluster->now_ms - timeout_ms, -1);
    cluster->counts->idle_decisions++;
}

static void decide_all(struct cluster *cluster, struct slot *slot, int number) {
    bool at_end[LOG_COUNT];
    for (int log = 0; log < LOG_COUNT; log++) {
        if (cluster->given)
            decide_given(cluster, slot, number, (enum log_side)log);
        else if (!cluster->is_closing)
            decide_idle(cluster, slot, number, (enum log_side)log);
        at_end[log] = is_at_end(cluster, slot, number, (enum log_side)log);
    }
    partition_set_predictions_at_end(slot->partition, at_end[LOG_PREDICTIONS]);
    if (cluster->is_closing && at_end[LOG_PREDICTIONS] && at_end[LOG_FEEDBACK] &&
        partition_control_offset(slot->partition) < CONTROL_OFFSET)
        for (int log = 0; log < LOG_COUNT; log++)
            decide(slot, number, (enum log_side)log, cluster->world->close_ms, CONTROL_OFFSET);
}

static bool turn_partition(struct cluster *cluster, struct worker *worker, struct slot *slot,
                           int number) {
    struct event events[BATCH_MAX];
    struct error err = {0};
    for (int log = 0; log < LOG_COUNT; log++)
        skip_gap(cluster, slot, number, (enum log_side)log);
    size_t count = read_batch(cluster, slot, number, events);
    enum status status =
        partition_step(slot->partition, events, count, &worker->outboxes[STAGE_PARTITION], &err);
    if (!slot_survives(cluster, slot, status, &err, "partition_step"))
        return false;
    cluster->counts->steps++;
    slot->has_stepped = slot->has_stepped || count > 0;
    slot->is_clean = slot->is_clean && count == 0;
    for (int log = 0; log < LOG_COUNT; log++)
        skip_gap(cluster, slot, number, (enum log_side)log);
    if (partition_is_live(slot->partition)) {
        decide_all(cluster, slot, number);
        return true;
    }
    status = partition_flush_if_due(slot->partition, cluster->now_ms, &err);
    return slot_survives(cluster, slot, status, &err, "partition_flush_if_due");
}

/* ---- stage 2: read and step ---- */

static bool skip_task_gap(struct cluster *cluster, struct slot *slot, int number) {
    const struct broker_log *log = &cluster->broker.logs[TOPIC_PARTIALS][number];
    const struct broker_record *next = broker_next(log, task_position(slot->task));
    int64_t target = next ? next->offset : broker_stable_end(log);
    struct error err = {0};
    enum status status = task_skip_to(slot->task, target, &err);
    return slot_survives(cluster, slot, status, &err, "task_skip_to");
}

static bool turn_task(struct cluster *cluster, struct slot *slot, int number) {
    struct task_record records[BATCH_MAX];
    struct error err = {0};
    if (!skip_task_gap(cluster, slot, number))
        return false;
    const struct broker_log *log = &cluster->broker.logs[TOPIC_PARTIALS][number];
    size_t most = random_below(&cluster->random, BATCH_MAX) + 1, count = 0;
    const struct broker_record *record = broker_next(log, task_position(slot->task));
    while (record && count < most) {
        records[count++] = (struct task_record){record->offset, record->key, record->value};
        record = broker_next(log, record->offset + 1);
    }
    enum status status = task_step(slot->task, records, count, &err);
    if (!slot_survives(cluster, slot, status, &err, "task_step"))
        return false;
    slot->has_stepped = slot->has_stepped || count > 0;
    slot->is_clean = slot->is_clean && count == 0;
    return skip_task_gap(cluster, slot, number);
}

bool slot_turn(struct cluster *cluster, struct worker *worker, enum stage stage, int partition) {
    struct slot *slot = &worker->slots[stage][partition];
    if (!slot->is_open && !open_slot(cluster, slot, stage, partition))
        return false;
    if (!slot->is_open)
        return true;
    return stage == STAGE_PARTITION ? turn_partition(cluster, worker, slot, partition)
                                    : turn_task(cluster, slot, partition);
}

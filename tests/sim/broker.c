/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

void broker_init(struct broker *broker, int partitions, int queues) {
    *broker = (struct broker){.partitions = partitions, .queues = queues};
    arena_init(&broker->arena);
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < PARTITIONS_MAX; i++)
            broker->committed[stage][i] = (struct offsets){(enum stage)stage, i, {0}};
}

void broker_release(struct broker *broker) {
    for (int topic = 0; topic < TOPIC_KINDS; topic++)
        for (int i = 0; i < PARTITIONS_MAX; i++)
            free(broker->logs[topic][i].records);
    free(broker->decisions);
    arena_release(&broker->arena);
}

int broker_topic_partitions(const struct broker *broker, enum topic_kind topic) {
    bool is_queue = topic == TOPIC_PARTIALS || topic == TOPIC_STATE;
    return is_queue ? broker->queues : 1;
}

int64_t broker_stable_end(const struct broker_log *log) {
    for (size_t i = 0; i < log->count; i++)
        if (log->records[i].state == RECORD_OPEN)
            return log->records[i].offset;
    return log->end;
}

/* Index of the first record at or after offset. */
static size_t lower_bound(const struct broker_log *log, int64_t offset) {
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->records[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct broker_record *broker_next(const struct broker_log *log, int64_t offset) {
    for (size_t i = lower_bound(log, offset); i < log->count; i++) {
        if (log->records[i].state == RECORD_OPEN)
            return NULL;
        if (log->records[i].state == RECORD_COMMITTED)
            return &log->records[i];
    }
    return NULL;
}

struct slice broker_checkpoint(const struct broker *broker, struct slice key) {
    const struct broker_log *log = &broker->logs[TOPIC_CHECKPOINTS][0];
    for (size_t i = log->count; i-- > 0;) {
        const struct broker_record *record = &log->records[i];
        if (record->state == RECORD_COMMITTED && slice_equal(record->key, key))
            return record->value;
    }
    return (struct slice){0};
}

/* ---- transactions ---- */

static void append(struct broker *broker, int producer, const struct message *message) {
    int count = broker_topic_partitions(broker, message->topic);
    int partition = message->partition;
    if (partition < 0 || count == 1) /* checkpoints have one partition here */
        partition = 0;
    ASSERT(partition < count);
    struct broker_log *log = &broker->logs[message->topic][partition];
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->records = alloc_resize(log->records, log->capacity, sizeof *log->records);
    }
    struct header *headers =
        arena_take(&broker->arena, (message->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < message->header_count; i++)
        headers[i] = (struct header){message->headers[i].name,
                                     arena_copy(&broker->arena, message->headers[i].value)};
    struct slice none = {0};
    log->records[log->count++] = (struct broker_record){
        .offset = log->end++,
        .state = RECORD_OPEN,
        .key_hash = hash64(message->key),
        .key = message->key.data ? arena_copy(&broker->arena, message->key) : none,
        .value = message->value.data ? arena_copy(&broker->arena, message->value) : none,
        .headers = headers,
        .header_count = message->header_count,
        .producer = producer,
    };
}

static bool finish_log(struct broker_log *log, int producer, enum record_state state) {
    bool touched = false;
    for (size_t i = 0; i < log->count; i++) {
        struct broker_record *record = &log->records[i];
        if (record->state != RECORD_OPEN || record->producer != producer)
            continue;
        record->state = state;
        touched = true;
    }
    return touched;
}

static void finish(struct broker *broker, int number, bool is_commit) {
    struct producer *producer = &broker->producers[number];
    for (int topic = 0; topic < TOPIC_KINDS; topic++)
        for (int i = 0; i < PARTITIONS_MAX; i++)
            if (finish_log(&broker->logs[topic][i], number,
                           is_commit ? RECORD_COMMITTED : RECORD_ABORTED))
                broker->logs[topic][i].end++; /* the marker */
    for (size_t i = 0; is_commit && i < producer->offset_count; i++)
        broker->committed[producer->offsets[i].stage][producer->offsets[i].partition] =
            producer->offsets[i];
    for (size_t i = 0; is_commit && i < producer->decision_count; i++) {
        if (broker->decision_count == broker->decision_capacity) {
            broker->decision_capacity = broker->decision_capacity * 2 + 16;
            broker->decisions = alloc_resize(broker->decisions, broker->decision_capacity,
                                             sizeof *broker->decisions);
        }
        broker->decisions[broker->decision_count++] = producer->decisions[i];
    }
    *producer = (struct producer){.epoch = producer->epoch};
}

int64_t broker_producer_create(struct broker *broker, int producer) {
    finish(broker, producer, false);
    return ++broker->producers[producer].epoch;
}

bool broker_produce(struct broker *broker, int producer, int64_t epoch,
                    const struct outbox *outbox) {
    if (broker->producers[producer].epoch != epoch)
        return false;
    broker->producers[producer].is_open = true;
    for (size_t i = 0; i < outbox->count; i++)
        append(broker, producer, &outbox->messages[i]);
    return true;
}

bool broker_add_offsets(struct broker *broker, int producer, int64_t epoch, int64_t generation,
                        const struct offsets *offsets) {
    struct producer *at = &broker->producers[producer];
    if (at->epoch != epoch || broker->generations[offsets->stage] != generation)
        return false;
    ASSERT(at->offset_count < OFFSETS_MAX);
    at->is_open = true;
    at->offsets[at->offset_count++] = *offsets;
    return true;
}

void broker_add_decision(struct broker *broker, int producer, const struct decision *decision) {
    struct producer *at = &broker->producers[producer];
    ASSERT(at->decision_count < COUNT_OF(at->decisions));
    at->decisions[at->decision_count++] = *decision;
}

bool broker_end(struct broker *broker, int producer, int64_t epoch, bool is_commit) {
    if (broker->producers[producer].epoch != epoch)
        return false;
    finish(broker, producer, is_commit);
    return true;
}

bool broker_is_stable(const struct broker *broker, enum stage stage, int partition) {
    for (int i = 0; i < WORKERS * STAGES; i++) {
        const struct producer *producer = &broker->producers[i];
        for (size_t k = 0; k < producer->offset_count; k++)
            if (producer->offsets[k].stage == stage && producer->offsets[k].partition == partition)
                return false;
    }
    return true;
}

/* ---- compaction ---- */

static bool same_key(const struct broker_record *a, const struct broker_record *b) {
    return a->key_hash == b->key_hash && slice_equal(a->key, b->key);
}

/* Committed, below the stable end and not the last of its key; or a tombstone, in its time. */
static bool is_removable(const struct broker_log *log, size_t at, size_t until) {
    const struct broker_record *record = &log->records[at];
    if (record->state != RECORD_COMMITTED)
        return false;
    for (size_t i = at + 1; i < until; i++)
        if (log->records[i].state == RECORD_COMMITTED && same_key(&log->records[i], record))
            return true;
    return false;
}

static bool is_old_tombstone(const struct broker_log *log, size_t at, size_t until) {
    const struct broker_record *record = &log->records[at];
    if (record->state != RECORD_COMMITTED || record->value.data)
        return false;
    for (size_t i = 0; i < until; i++)
        if (i != at && log->records[i].state == RECORD_COMMITTED &&
            same_key(&log->records[i], record))
            return false;
    return true;
}

/* Tombstones go only when every reader has seen them, as delete.retention.ms has it. */
static void compact_log(struct broker *broker, struct broker_log *log, int64_t young_from,
                        int64_t read_until, struct random *random) {
    int64_t end = broker_stable_end(log);
    size_t until = lower_bound(log, end < young_from ? end : young_from);
    until = until ? random_below(random, until) : 0;
    for (size_t i = 0; i < until; i++) {
        bool is_dead = is_removable(log, i, until);
        if (!is_dead && log->records[i].offset < read_until && random_chance(random, .3))
            is_dead = is_old_tombstone(log, i, until);
        if (!is_dead)
            continue;
        log->records[i].state = RECORD_COMPACTED;
        broker->compacted++;
    }
}

void broker_compact(struct broker *broker, const int64_t partials_until[QUEUES_MAX],
                    struct random *random) {
    static const enum topic_kind compacted[] = {TOPIC_PARTIALS, TOPIC_CHECKPOINTS, TOPIC_STATE};
    enum topic_kind topic = RANDOM_OF(random, compacted);
    int count = broker_topic_partitions(broker, topic);
    int i = (int)random_below(random, (size_t)count);
    bool is_partials = topic == TOPIC_PARTIALS;
    int64_t read_until = is_partials ? broker->committed[STAGE_TASK][i].positions[0] : 0;
    compact_log(broker, &broker->logs[topic][i], is_partials ? partials_until[i] : INT64_MAX,
                read_until, random);
}

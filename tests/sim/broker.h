/* broker.h -- a tiny Kafka in memory, for the topics that we write: transactions, group offsets in
 * them, generations, epochs of producers, compaction.
 *
 * What holds   A record is visible once its transaction is committed; aborted ones never are; every
 * transaction leaves a gap of one offset a partition (its marker).  Committed readers stop at the
 * first open record.  A producer of an older epoch is fenced; offsets of a stale generation are
 * refused.  The broker checks membership, never ownership.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_SIM_BROKER_H
#define SLIPSTREAM_TESTS_SIM_BROKER_H

#include "message.h"
#include "partition/event.h"
#include "tests/sim/world.h"

enum { QUEUES_MAX = 3, WORKERS = 2 };
enum stage { STAGE_PARTITION, STAGE_TASK, STAGES };

enum record_state { RECORD_OPEN, RECORD_COMMITTED, RECORD_ABORTED, RECORD_COMPACTED };

struct broker_record {
    int64_t offset;
    enum record_state state;
    uint64_t key_hash;
    struct slice key, value; /* value.data NULL: tombstone */
    const struct header *headers;
    size_t header_count;
    int producer; /* index into producers */
};

struct broker_log {
    struct broker_record *records; /* ascending offsets */
    size_t count, capacity;
    int64_t end;
};

/* What no log says, and what a worker decided: part of the truth that the oracle starts from. */
struct decision {
    int partition;
    enum log_side log;
    int64_t offset, time_ms;
};

struct offsets {
    enum stage stage;
    int partition;
    int64_t positions[LOG_COUNT]; /* STAGE_TASK: the first only */
};

enum { OFFSETS_MAX = PARTITIONS_MAX + QUEUES_MAX, PENDING_DECISIONS_MAX = 64 };

struct producer {
    int64_t epoch;
    bool is_open; /* a transaction is */
    struct offsets offsets[OFFSETS_MAX];
    size_t offset_count;
    struct decision decisions[PARTITIONS_MAX * PENDING_DECISIONS_MAX];
    size_t decision_count;
};

struct broker {
    struct arena arena;
    int partitions, queues;
    struct broker_log logs[TOPIC_KINDS][PARTITIONS_MAX];
    struct producer producers[WORKERS * STAGES];
    int64_t generations[STAGES];
    struct offsets committed[STAGES][PARTITIONS_MAX]; /* positions 0 at first */
    struct decision *decisions;                       /* committed */
    size_t decision_count, decision_capacity;
    int64_t compacted; /* records */
};

void broker_init(struct broker *broker, int partitions, int queues);
void broker_release(struct broker *broker);

int broker_topic_partitions(const struct broker *broker, enum topic_kind topic);
/* Where committed readers stop. */
int64_t broker_stable_end(const struct broker_log *log);
/* The first committed record at or after offset and below the stable end, or NULL. */
const struct broker_record *broker_next(const struct broker_log *log, int64_t offset);
/* The last committed value of a key of the checkpoints topic; empty when there is none. */
struct slice broker_checkpoint(const struct broker *broker, struct slice key);

/* Aborts what an older epoch left open; returns the new epoch. */
int64_t broker_producer_create(struct broker *broker, int producer);
/* False: fenced. */
bool broker_produce(struct broker *broker, int producer, int64_t epoch,
                    const struct outbox *outbox);
/* False: fenced, or a stale generation. */
bool broker_add_offsets(struct broker *broker, int producer, int64_t epoch, int64_t generation,
                        const struct offsets *offsets);
void broker_add_decision(struct broker *broker, int producer, const struct decision *decision);
/* Ends the transaction; false: fenced, nothing happened. */
bool broker_end(struct broker *broker, int producer, int64_t epoch, bool is_commit);
/* No open transaction holds offsets of this partition: they can be read (KIP-447). */
bool broker_is_stable(const struct broker *broker, enum stage stage, int partition);

/* Takes away superseded values and old tombstones of a compacted topic, at random.  partials_until:
 * records of partials at or beyond it are too young (min.compaction.lag.ms), a partition. */
void broker_compact(struct broker *broker, const int64_t partials_until[QUEUES_MAX],
                    struct random *random);

#endif

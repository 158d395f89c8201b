/* consume.h -- reading Kafka: membership in a group, and logs read by hand.
 *
 * The two are two handles.  A group_consumer only holds membership: it says which partitions are
 * ours and gives the group metadata of a commit, and never fetches.  All records, of both inputs
 * and of our own topics, come through an assign_consumer, where partitions are added at an offset
 * and removed by hand.  So reading can be started again at another offset without touching a
 * rebalance that is under way, and nothing is ever paused or sought.
 *
 * Everything here belongs to one thread.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_CONSUME_H
#define SLIPSTREAM_KAFKA_CONSUME_H

#include "base/error.h"
#include "base/slice.h"
#include "config/definition.h"
#include "kafka/wake.h"

struct group_consumer;
struct assign_consumer;
struct log_reader;

/* Where to go on in a partition: the next offset wanted; -1: none. */
struct log_position {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* Called inside group_consumer_poll and group_consumer_close. */
struct group_callbacks {
    void *owner;
    /* The partition is ours from now on.  Trouble in opening it is the owner's to retry. */
    void (*assign)(void *owner, int32_t partition);
    /* The partition is given away when this returns: commit or abort before.  is_lost: it may be
     * another's already, so that only abort is left. */
    void (*revoke)(void *owner, int32_t partition, bool is_lost);
};

struct group_options {
    const struct config *config;
    const char *group;    /* group.id */
    const char *instance; /* group.instance.id, unique in the group; NULL: not static */
    const char *topic;
    struct group_callbacks callbacks;
    struct wake *wake; /* borrowed; outlives the consumer */
};

/* Subscribes; partitions come in later polls.  Strings are copied.  Errors: CONFIG, BROKER. */
enum status group_consumer_create(const struct group_options *options,
                                  struct group_consumer **out_consumer,
                                  struct error *err) MUST_CHECK;
/* Leaves (a static member: stays on the list until session.timeout.ms); revokes what is held. */
void group_consumer_close(struct group_consumer *consumer);
void group_consumer_destroy(struct group_consumer *consumer); /* closes if need be; accepts NULL */

/* How long the group waits for a member that is gone: session.timeout.ms. */
int group_consumer_session_ms(const struct group_consumer *consumer);

/* Serves rebalances without blocking; at least every max.poll.interval.ms (5 minutes), also during
 * long openings.  Errors: FENCED (another process has the same instance), BROKER (fatal: close and
 * create again), CONFIG (the topic does not exist, access denied). */
enum status group_consumer_poll(struct group_consumer *consumer, struct error *err) MUST_CHECK;
bool group_consumer_owns(const struct group_consumer *consumer, int32_t partition);
size_t group_consumer_partition_count(const struct group_consumer *consumer);
/* The group has said which partitions are ours, perhaps none; false again once that is lost. */
bool group_consumer_has_assignment(const struct group_consumer *consumer);
/* The session ended, or another has the partitions: they will be revoked as lost in a later poll.
 */
bool group_consumer_is_lost(const struct group_consumer *consumer);

/* Fills in the committed offset of each position, -1 where there is none.  Waits for transactions
 * that are about to change them (RequireStable).  Errors: BROKER. */
enum status group_committed(struct group_consumer *consumer, struct log_position *positions,
                            size_t count, int timeout_ms, struct error *err) MUST_CHECK;

/* A consumer that joins no group and commits nothing.  name: its group.id and client.id in the
 * brokers' logs.  Errors: CONFIG, BROKER. */
enum status assign_consumer_create(const struct config *config, const char *name, struct wake *wake,
                                   struct assign_consumer **out_consumer,
                                   struct error *err) MUST_CHECK;
/* The same for what is short and read to its end, once: nothing is followed by it, so that no fetch
 * keeps its questions waiting (100 ms with a reader). */
enum status visitor_create(const struct config *config, const char *name, struct wake *wake,
                           struct assign_consumer **out_consumer, struct error *err) MUST_CHECK;
/* A visitor that takes what is not committed too, records and offsets, and so waits for no
 * transaction. */
enum status onlooker_create(const struct config *config, const char *name, struct wake *wake,
                            struct assign_consumer **out_consumer, struct error *err) MUST_CHECK;
/* After its readers are removed and all records released; accepts NULL. */
void assign_consumer_destroy(struct assign_consumer *consumer);
/* Serves errors that belong to no partition; call it in each turn.  Errors: BROKER (fatal), CONFIG
 * (access denied). */
enum status assign_consumer_poll(struct assign_consumer *consumer, struct error *err) MUST_CHECK;

/* Some broker answers within timeout_ms. */
bool assign_consumer_answers(struct assign_consumer *consumer, int timeout_ms);
/* group_committed of the group that bears the consumer's name.  Errors: BROKER. */
enum status assign_consumer_committed(struct assign_consumer *consumer,
                                      struct log_position *positions, size_t count, int timeout_ms,
                                      struct error *err) MUST_CHECK;

/* Reads topic/partition from offset >= 0 on; a partition is added once at a time.  To start again
 * elsewhere: remove, then add; no record of the earlier reading comes out of the new reader.
 * Errors: BROKER. */
enum status assign_consumer_add(struct assign_consumer *consumer, const char *topic,
                                int32_t partition, int64_t offset, struct log_reader **out_reader,
                                struct error *err) MUST_CHECK;
/* Destroys the reader; records that it gave stay valid until they are released. */
void assign_consumer_remove(struct assign_consumer *consumer, struct log_reader *reader);

/* First offset kept, and the end below which every transaction is decided (asks the broker).
 * Errors: BROKER, CONFIG (no such partition). */
enum status assign_consumer_watermarks(struct assign_consumer *consumer, const char *topic,
                                       int32_t partition, int timeout_ms, int64_t *out_low,
                                       int64_t *out_stable_high, struct error *err) MUST_CHECK;
/* Offset of the first record at or after each position's offset field, read as Unix milliseconds;
 * the end when there is none.  Errors: BROKER. */
enum status assign_consumer_offsets_at(struct assign_consumer *consumer,
                                       struct log_position *positions, size_t count, int timeout_ms,
                                       struct error *err) MUST_CHECK;

struct kafka_record {
    int64_t offset;
    int64_t timestamp_ms;    /* INT64_MIN: none */
    bool is_append_time;     /* timestamp set by the broker */
    struct slice key, value; /* data NULL: none, a tombstone; borrows until released */
    void *message;           /* librdkafka's; NULL once released */
};

enum { READER_BATCH_MAX = 1000 }; /* records a call */

/* At most max (at most READER_BATCH_MAX) committed records in offset order, without blocking; each
 * is to be released.  Errors: BROKER; CORRUPT when the position is not in the log (deleted by
 * retention, or the topic was made anew). */
enum status log_reader_poll(struct log_reader *reader, struct kafka_record *out_records, size_t max,
                            size_t *out_count, struct error *err) MUST_CHECK;
/* Next offset wanted: after the last record given, markers and aborted records at the end
 * included. */
int64_t log_reader_position(const struct log_reader *reader);
/* True when everything is read up to the uncommitted high watermark (as of the last answer of the
 * broker): no open transaction hides records.  False as long as the end is not known. */
bool log_reader_at_end(const struct log_reader *reader);
/* Records until the high watermark, about; -1: not known yet. */
int64_t log_reader_lag(const struct log_reader *reader);
/* Memory of what is fetched and not yet given, and of `unreleased` records that were given: as
 * large as the records of the last call were, which gave some. */
size_t log_reader_fetched_bytes(const struct log_reader *reader, size_t unreleased);
void records_release(struct kafka_record *records, size_t count);

#endif

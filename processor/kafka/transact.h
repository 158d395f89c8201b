/* transact.h -- a transactional producer: results and input offsets become visible together.
 *
 * Life     create (fences older producers of the same id) -> send* -> commit or abort -> send* ...
 * Outcome  after anything but COMMITTED the inputs are to be opened again from the committed
 *          offsets; after UNKNOWN transaction_recover comes first: it fences what may still be
 *          under way, and only then are the committed offsets the truth.
 * Source   librdkafka, INTRODUCTION.md, "Transactional producer"; Jepsen's report on Bufstream
 * 0.1.0 (2024): an undecided EndTxn can hit the next transaction, hence the new epoch.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_TRANSACT_H
#define SLIPSTREAM_KAFKA_TRANSACT_H

#include "kafka/consume.h"
#include "message.h"

struct transaction_producer;

enum commit_outcome {
    COMMIT_UNKNOWN,   /* no answer: recover, then look at the committed offsets */
    COMMIT_COMMITTED, /* also when there was nothing to commit */
    COMMIT_ABORTED,
    COMMIT_FENCED, /* another producer has the id, or the producer is beyond repair: destroy it */
};
const char *commit_outcome_name(enum commit_outcome outcome);

/* Waits for init_transactions (at most transaction.timeout.ms and then some).
 * Errors: CONFIG, BROKER (does not answer), FENCED. */
enum status transaction_producer_create(const struct config *config, const char *transactional_id,
                                        struct transaction_producer **out_producer,
                                        struct error *err) MUST_CHECK;
void transaction_producer_destroy(struct transaction_producer *producer); /* accepts NULL */

/* Sends into the present transaction, beginning one if there is none; message->topic is not looked
 * at.  Bytes are copied.  timestamp_ms 0: now.  When the local queue is full it waits for the
 * brokers.  Errors: BROKER, FENCED: abort (the next commit aborts by itself). */
enum status transaction_send(struct transaction_producer *producer, const char *topic,
                             const struct message *message, int64_t timestamp_ms,
                             struct error *err) MUST_CHECK;
/* Commits what was sent and the positions (next offsets) of any topics, under the group metadata of
 * this moment.  Aborts when a position's partition number is not the group's: brokers check
 * membership, never ownership.  group may be NULL when count is 0. */
enum commit_outcome transaction_commit(struct transaction_producer *producer,
                                       struct group_consumer *group,
                                       const struct log_position *positions, size_t count,
                                       struct error *err) MUST_CHECK;
/* COMMIT_ABORTED, also when nothing was begun; UNKNOWN; FENCED. */
enum commit_outcome transaction_abort(struct transaction_producer *producer,
                                      struct error *err) MUST_CHECK;
/* Memory of what waited for the brokers when the transactions since the last question were
 * committed: the greatest of them, about. */
size_t transaction_queued_bytes(struct transaction_producer *producer);
bool transaction_is_open(const struct transaction_producer *producer);
/* Destroys the handle and makes it anew under the next epoch.  Errors: BROKER (call it again),
 * CONFIG, FENCED. */
enum status transaction_recover(struct transaction_producer *producer,
                                struct error *err) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/transact.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash_point.h"
#include "kafka/membership.h"
#include "kafka/settings.h"

enum {
    HEADERS_MAX = 32,
    QUEUED_RECORD_BYTES = 190, /* what librdkafka 2.0 takes for one beside its bytes, measured */
};

struct transaction_producer {
    const struct config *config;
    char *transactional_id;
    rd_kafka_t *client;  /* NULL after an unknown outcome, until recovered */
    int call_timeout_ms; /* past transaction.timeout.ms nothing that is sent can succeed */
    bool is_open;
    bool has_failed;               /* a send failed: only abort is left */
    size_t sent_count, sent_bytes; /* in this transaction */
    size_t queued_bytes;           /* see transaction_queued_bytes */
};

const char *commit_outcome_name(enum commit_outcome outcome) {
    static const char *const names[] = {"unknown", "committed", "aborted", "fenced"};
    ASSERT((size_t)outcome < COUNT_OF(names));
    return names[outcome];
}

static int transaction_timeout_ms(const rd_kafka_conf_t *conf) {
    char digits[16] = "";
    size_t size = sizeof digits;
    (void)rd_kafka_conf_get(conf, "transaction.timeout.ms", digits, &size);
    return (int)strtol(digits, NULL, 10);
}

static enum status open_client(struct transaction_producer *producer, rd_kafka_t **out_client,
                               struct error *err) {
    struct kafka_identity identity = {.transactional_id = producer->transactional_id};
    rd_kafka_conf_t *conf = NULL;
    TRY(conf_create(producer->config, ROLE_TRANSACTIONS, &identity, &conf, err));
    int timeout_ms = transaction_timeout_ms(conf);
    producer->call_timeout_ms = timeout_ms + timeout_ms / 3;
    return client_create(ROLE_TRANSACTIONS, conf, out_client, err);
}

/* Drops what is queued: the transaction is decided or will be by the next epoch. */
static void close_client(struct transaction_producer *producer) {
    if (producer->client) {
        (void)rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                                   RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(producer->client);
    }
    producer->client = NULL;
    producer->is_open = producer->has_failed = false;
}

enum status transaction_recover(struct transaction_producer *producer, struct error *err) {
    close_client(producer);
    rd_kafka_t *client = NULL;
    TRY(open_client(producer, &client, err));
    rd_kafka_error_t *error = rd_kafka_init_transactions(client, producer->call_timeout_ms);
    enum status status = kafka_check(error, "init_transactions", err);
    if (status == STATUS_OK)
        producer->client = client;
    else
        rd_kafka_destroy(client);
    return status;
}

enum status transaction_producer_create(const struct config *config, const char *transactional_id,
                                        struct transaction_producer **out_producer,
                                        struct error *err) {
    struct transaction_producer *producer = alloc_zero(1, sizeof *producer);
    producer->config = config;
    producer->transactional_id = alloc_copy(slice_from(transactional_id));
    enum status status = transaction_recover(producer, err);
    if (status == STATUS_OK)
        *out_producer = producer;
    else
        transaction_producer_destroy(producer);
    return status;
}

void transaction_producer_destroy(struct transaction_producer *producer) {
    if (!producer)
        return;
    close_client(producer);
    free(producer->transactional_id);
    free(producer);
}

bool transaction_is_open(const struct transaction_producer *producer) {
    return producer->is_open;
}

static enum status begin(struct transaction_producer *producer, struct error *err) {
    if (!producer->client)
        return error_set(err, STATUS_BROKER, "transaction: the producer is to be recovered first");
    if (producer->is_open)
        return STATUS_OK;
    TRY(kafka_check(rd_kafka_begin_transaction(producer->client), "begin_transaction", err));
    producer->is_open = true;
    producer->has_failed = false;
    producer->sent_count = producer->sent_bytes = 0;
    return STATUS_OK;
}

static rd_kafka_vu_t bytes_argument(rd_kafka_vtype_t type, struct slice bytes) {
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {kafka_writable(bytes.data), bytes.size}};
}

static size_t fill_arguments(rd_kafka_vu_t arguments[], const char *topic,
                             const struct message *message, int64_t timestamp_ms) {
    size_t count = 0;
    arguments[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic};
    arguments[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition};
    arguments[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    arguments[count++] = bytes_argument(RD_KAFKA_VTYPE_KEY, message->key);
    arguments[count++] = bytes_argument(RD_KAFKA_VTYPE_VALUE, message->value);
    if (timestamp_ms != 0)
        arguments[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms};
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header *header = &message->headers[i];
        arguments[count++] = (rd_kafka_vu_t){
            .vtype = RD_KAFKA_VTYPE_HEADER,
            .u.header = {header->name, header->value.data, (ssize_t)header->value.size}};
    }
    return count;
}

static void count_sent(struct transaction_producer *producer, const struct message *message) {
    producer->sent_count++;
    producer->sent_bytes += message->key.size + message->value.size;
    for (size_t i = 0; i < message->header_count; i++)
        producer->sent_bytes += message->headers[i].value.size;
}

enum status transaction_send(struct transaction_producer *producer, const char *topic,
                             const struct message *message, int64_t timestamp_ms,
                             struct error *err) {
    ASSERT(message->header_count <= HEADERS_MAX);
    TRY(begin(producer, err));
    rd_kafka_vu_t arguments[HEADERS_MAX + 6];
    size_t count = fill_arguments(arguments, topic, message, timestamp_ms);
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * producer->call_timeout_ms;
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, arguments, count);
    while (error && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_monotonic_us() < deadline_us) {
        rd_kafka_error_destroy(error);
        (void)rd_kafka_poll(producer->client, 10);
        error = rd_kafka_produceva(producer->client, arguments, count);
    }
    if (!error) {
        count_sent(producer, message);
        return STATUS_OK;
    }
    producer->has_failed = true;
    return kafka_check(error, topic, err);
}

struct call {
    rd_kafka_t *client;
    int timeout_ms;
    const rd_kafka_topic_partition_list_t *offsets;
    const rd_kafka_consumer_group_metadata_t *metadata;
};

static rd_kafka_error_t *call_abort(const struct call *call) {
    return rd_kafka_abort_transaction(call->client, call->timeout_ms);
}

static rd_kafka_error_t *call_commit(const struct call *call) {
    return rd_kafka_commit_transaction(call->client, call->timeout_ms);
}

static rd_kafka_error_t *call_send_offsets(const struct call *call) {
    return rd_kafka_send_offsets_to_transaction(call->client, call->offsets, call->metadata,
                                                call->timeout_ms);
}

static struct call call_of(const struct transaction_producer *producer) {
    return (struct call){.client = producer->client, .timeout_ms = producer->call_timeout_ms};
}

/* Repeats the call as long as that may help. */
static enum kafka_verdict insist(rd_kafka_error_t *(*make)(const struct call *call),
                                 struct call call, struct error *err) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * call.timeout_ms;
    enum kafka_verdict verdict = kafka_judge(make(&call), err);
    while (verdict == VERDICT_RETRY && clock_monotonic_us() < deadline_us)
        verdict = kafka_judge(make(&call), err);
    return verdict == VERDICT_RETRY ? VERDICT_INDEFINITE : verdict;
}

static enum commit_outcome abandon(struct transaction_producer *producer,
                                   enum kafka_verdict verdict) {
    close_client(producer);
    return verdict == VERDICT_FATAL ? COMMIT_FENCED : COMMIT_UNKNOWN;
}

enum commit_outcome transaction_abort(struct transaction_producer *producer, struct error *err) {
    if (!producer->is_open)
        return producer->client ? COMMIT_ABORTED : COMMIT_UNKNOWN;
    enum kafka_verdict verdict = insist(call_abort, call_of(producer), err);
    if (verdict != VERDICT_DONE)
        return abandon(producer, verdict);
    producer->is_open = producer->has_failed = false;
    return COMMIT_ABORTED;
}

/* What went wrong before stays in err, whatever the abort says. */
static enum commit_outcome give_up(struct transaction_producer *producer,
                                   enum kafka_verdict verdict) {
    if (verdict == VERDICT_ABORT)
        return transaction_abort(producer, NULL);
    return abandon(producer, verdict);
}

static rd_kafka_topic_partition_list_t *offsets_of(const struct log_position *positions,
                                                   size_t count) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition)
            ->offset = positions[i].offset;
    return list;
}

static enum kafka_verdict send_offsets(struct transaction_producer *producer,
                                       struct group_consumer *group,
                                       const struct log_position *positions, size_t count,
                                       struct error *err) {
    rd_kafka_consumer_group_metadata_t *metadata =
        membership_metadata(group, positions, count, err);
    if (!metadata)
        return VERDICT_ABORT;
    rd_kafka_topic_partition_list_t *offsets = offsets_of(positions, count);
    struct call call = call_of(producer);
    call.offsets = offsets;
    call.metadata = metadata;
    enum kafka_verdict verdict = insist(call_send_offsets, call, err);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return verdict;
}

/* The queue is longest when all has been sent: librdkafka's threads are already at work on it. */
static void note_queue(struct transaction_producer *producer) {
    size_t count = (size_t)rd_kafka_outq_len(producer->client), sent = producer->sent_count;
    if (count > sent)
        count = sent; /* it counts more than records */
    size_t bytes = sent > 0 ? count * (producer->sent_bytes / sent + QUEUED_RECORD_BYTES) : 0;
    if (producer->queued_bytes < bytes)
        producer->queued_bytes = bytes;
}

size_t transaction_queued_bytes(struct transaction_producer *producer) {
    size_t bytes = producer->queued_bytes;
    producer->queued_bytes = 0;
    return bytes;
}

enum commit_outcome transaction_commit(struct transaction_producer *producer,
                                       struct group_consumer *group,
                                       const struct log_position *positions, size_t count,
                                       struct error *err) {
    if (!producer->client) {
        (void)error_set(err, STATUS_BROKER, "transaction: the producer is to be recovered first");
        return COMMIT_UNKNOWN;
    }
    if (producer->has_failed) {
        (void)error_set(err, STATUS_BROKER, "transaction: a record could not be sent");
        return transaction_abort(producer, NULL);
    }
    if (count == 0 && !producer->is_open)
        return COMMIT_COMMITTED;
    enum status begun = begin(producer, err);
    if (begun != STATUS_OK)
        return abandon(producer, begun == STATUS_FENCED ? VERDICT_FATAL : VERDICT_INDEFINITE);
    enum kafka_verdict verdict = VERDICT_DONE;
    note_queue(producer);
    if (count > 0)
        verdict = send_offsets(producer, group, positions, count, err);
    CRASH_POINT("commit.offsets");
    if (verdict == VERDICT_DONE)
        verdict = insist(call_commit, call_of(producer), err);
    if (verdict != VERDICT_DONE)
        return give_up(producer, verdict);
    producer->is_open = false;
    return COMMIT_COMMITTED;
}

/* assign.c -- logs read by hand, each with a queue of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "kafka/consume.h"
#include "kafka/membership.h"
#include "kafka/settings.h"

/* Half of queued.min.messages; and as often as a partition's leader may be asked. */
enum { QUEUE_LOW = 5000, WAKE_US = 100 * 1000, PAUSE_MS = 100 };
/* What librdkafka 2.0 takes for a fetched record beside its key and value, measured. */
enum { FETCHED_RECORD_BYTES = 320 };

struct assign_consumer {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int wake_end;
    size_t reader_count;
};

struct log_reader {
    struct assign_consumer *consumer;
    rd_kafka_queue_t *queue;
    char *topic;
    int32_t partition;
    int64_t position;
    int64_t end_seen; /* position at which the broker had nothing more; -1 */
    int64_t woken_at_us;
    size_t given_bytes, given_count; /* keys and values of the last call that gave records */
};

static enum status create(enum kafka_role role, const struct config *config, const char *name,
                          struct wake *wake, struct assign_consumer **out_consumer,
                          struct error *err) {
    struct kafka_identity identity = {.group = name};
    rd_kafka_conf_t *conf = NULL;
    TRY(conf_create(config, role, &identity, &conf, err));
    struct assign_consumer *consumer = alloc_zero(1, sizeof *consumer);
    enum status status = client_create(role, conf, &consumer->client, err);
    if (status != STATUS_OK) {
        free(consumer);
        return status;
    }
    consumer->wake_end = wake->write_end;
    consumer->queue = rd_kafka_queue_get_consumer(consumer->client);
    rd_kafka_queue_io_event_enable(consumer->queue, consumer->wake_end, "a", 1);
    *out_consumer = consumer;
    return STATUS_OK;
}

enum status assign_consumer_create(const struct config *config, const char *name, struct wake *wake,
                                   struct assign_consumer **out_consumer, struct error *err) {
    return create(ROLE_READER, config, name, wake, out_consumer, err);
}

enum status visitor_create(const struct config *config, const char *name, struct wake *wake,
                           struct assign_consumer **out_consumer, struct error *err) {
    return create(ROLE_VISITOR, config, name, wake, out_consumer, err);
}

enum status onlooker_create(const struct config *config, const char *name, struct wake *wake,
                            struct assign_consumer **out_consumer, struct error *err) {
    return create(ROLE_ONLOOKER, config, name, wake, out_consumer, err);
}

void assign_consumer_destroy(struct assign_consumer *consumer) {
    if (!consumer)
        return;
    ASSERT(consumer->reader_count == 0);
    rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(consumer->queue);
    (void)rd_kafka_consumer_close(consumer->client);
    rd_kafka_destroy(consumer->client);
    free(consumer);
}

enum status assign_consumer_poll(struct assign_consumer *consumer, struct error *err) {
    enum status status = STATUS_OK;
    rd_kafka_message_t *message = NULL;
    while (status == STATUS_OK && (message = rd_kafka_consumer_poll(consumer->client, 0)) != NULL) {
        status = kafka_check_code(message->err, rd_kafka_message_errstr(message), err);
        rd_kafka_message_destroy(message);
        if (status == STATUS_BROKER)
            status = STATUS_OK; /* it tries again by itself */
    }
    char reason[400];
    if (status == STATUS_OK && rd_kafka_fatal_error(consumer->client, reason, sizeof reason))
        status = error_set(err, STATUS_BROKER, "reader: %s", reason);
    return status;
}

bool assign_consumer_answers(struct assign_consumer *consumer, int timeout_ms) {
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(consumer->client, 0, NULL, &metadata, timeout_ms) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

enum status assign_consumer_committed(struct assign_consumer *consumer,
                                      struct log_position *positions, size_t count, int timeout_ms,
                                      struct error *err) {
    return committed_offsets(consumer->client, positions, count, timeout_ms, err);
}

/* Both directions answer only after librdkafka's thread has set the partition's new version: what
 * the queue still holds of an earlier reading is dropped by it. */
static rd_kafka_error_t *change(struct log_reader *reader, bool add) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, reader->topic, reader->partition)->offset =
        reader->position;
    rd_kafka_error_t *error = add ? rd_kafka_incremental_assign(reader->consumer->client, list)
                                  : rd_kafka_incremental_unassign(reader->consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

static void reader_destroy(struct log_reader *reader) {
    if (reader->queue) {
        rd_kafka_queue_io_event_enable(reader->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(reader->queue);
    }
    free(reader->topic);
    free(reader);
}

enum status assign_consumer_add(struct assign_consumer *consumer, const char *topic,
                                int32_t partition, int64_t offset, struct log_reader **out_reader,
                                struct error *err) {
    ASSERT(offset >= 0);
    struct log_reader *reader = alloc_zero(1, sizeof *reader);
    *reader = (struct log_reader){.consumer = consumer,
                                  .topic = alloc_copy(slice_from(topic)),
                                  .partition = partition,
                                  .position = offset,
                                  .end_seen = -1};
    reader->queue = rd_kafka_queue_get_partition(consumer->client, topic, partition);
    if (!reader->queue) {
        reader_destroy(reader);
        return error_set(err, STATUS_BROKER, "read %s[%d]: no queue", topic, (int)partition);
    }
    rd_kafka_queue_forward(reader->queue, NULL);
    rd_kafka_queue_io_event_enable(reader->queue, consumer->wake_end, "r", 1);
    rd_kafka_error_t *error = change(reader, true);
    if (error) {
        reader_destroy(reader);
        return kafka_check(error, topic, err);
    }
    consumer->reader_count++;
    *out_reader = reader;
    return STATUS_OK;
}

void assign_consumer_remove(struct assign_consumer *consumer, struct log_reader *reader) {
    rd_kafka_error_t *error = change(reader, false);
    if (error)
        rd_kafka_error_destroy(error); /* it was fatal: nothing is read any more */
    consumer->reader_count--;
    reader_destroy(reader);
}

/* It passes: a leader is chosen, or has not heard of it yet. */
static bool is_passing(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
}

enum status assign_consumer_watermarks(struct assign_consumer *consumer, const char *topic,
                                       int32_t partition, int timeout_ms, int64_t *out_low,
                                       int64_t *out_stable_high, struct error *err) {
    char doing[300];
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    int64_t low = 0, high = 0, deadline_us = clock_monotonic_us() + INT64_C(1000) * timeout_ms;
    rd_kafka_resp_err_t code;
    for (;;) {
        int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
        code = rd_kafka_query_watermark_offsets(consumer->client, topic, partition, &low, &high,
                                                left_ms > 1 ? (int)left_ms : 1);
        if (!is_passing(code) || left_ms <= PAUSE_MS)
            break;
        (void)nanosleep(&pause, NULL);
    }
    (void)snprintf(doing, sizeof doing, "watermarks of %s[%d]", topic, (int)partition);
    TRY(kafka_check_code(code, doing, err));
    *out_low = low;
    *out_stable_high = high;
    return STATUS_OK;
}

/* -1 (nothing at or after that time) becomes the end. */
static enum status end_of(struct assign_consumer *consumer, struct log_position *position,
                          int timeout_ms, struct error *err) {
    int64_t low = 0;
    if (position->offset >= 0)
        return STATUS_OK;
    return assign_consumer_watermarks(consumer, position->topic, position->partition, timeout_ms,
                                      &low, &position->offset, err);
}

enum status assign_consumer_offsets_at(struct assign_consumer *consumer,
                                       struct log_position *positions, size_t count, int timeout_ms,
                                       struct error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition)
            ->offset = positions[i].offset;
    enum status status = kafka_check_code(
        rd_kafka_offsets_for_times(consumer->client, list, timeout_ms), "offsets of a time", err);
    for (int i = 0; i < list->cnt && status == STATUS_OK; i++)
        status = kafka_check_code(list->elems[i].err, "offsets of a time", err);
    for (int i = 0; i < list->cnt && status == STATUS_OK; i++) {
        positions[i].offset = list->elems[i].offset;
        status = end_of(consumer, &positions[i], timeout_ms, err);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static struct kafka_record record_of(rd_kafka_message_t *message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    bool has_time = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp_ms >= 0;
    return (struct kafka_record){
        .offset = message->offset,
        .timestamp_ms = has_time ? timestamp_ms : INT64_MIN,
        .is_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .message = message,
    };
}

static enum status check_reading(const struct log_reader *reader, const rd_kafka_message_t *message,
                                 struct error *err) {
    rd_kafka_resp_err_t code = message->err;
    bool is_gone = code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                   code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
    return error_set(err, is_gone ? STATUS_CORRUPT : STATUS_BROKER, "read %s[%d] at %lld: %s",
                     reader->topic, (int)reader->partition, (long long)reader->position,
                     rd_kafka_message_errstr(message));
}

/* True when the message is a record that has not been given before. */
static bool advance(struct log_reader *reader, const rd_kafka_message_t *message) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset >= reader->position)
            reader->position = reader->end_seen = message->offset;
        return false;
    }
    if (message->offset < reader->position)
        return false;
    reader->position = message->offset + 1;
    return true;
}

static int64_t high_watermark(const struct log_reader *reader) {
    int64_t low = 0, high = -1;
    rd_kafka_resp_err_t code = rd_kafka_get_watermark_offsets(
        reader->consumer->client, reader->topic, reader->partition, &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}

/* librdkafka 2.0 looks at a full queue again when its broker's thread has woken for something else,
 * at the latest after a second, in which a fast reader has long emptied it.  A question to the
 * partition's leader wakes that thread; nobody waits for the answer. */
static void wake_fetcher(struct log_reader *reader) {
    int64_t now_us = clock_monotonic_us(), queued = (int64_t)rd_kafka_queue_length(reader->queue);
    if (queued >= QUEUE_LOW || now_us - reader->woken_at_us < WAKE_US ||
        high_watermark(reader) - reader->position - queued < QUEUE_LOW)
        return;
    reader->woken_at_us = now_us;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, reader->topic, reader->partition)->offset =
        RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(reader->consumer->client, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

enum status log_reader_poll(struct log_reader *reader, struct kafka_record *out_records, size_t max,
                            size_t *out_count, struct error *err) {
    rd_kafka_message_t *messages[READER_BATCH_MAX];
    size_t room = max < READER_BATCH_MAX ? max : READER_BATCH_MAX, count = 0;
    ssize_t got = rd_kafka_consume_batch_queue(reader->queue, 0, messages, room);
    enum status status = STATUS_OK;
    size_t bytes = 0;
    wake_fetcher(reader);
    for (ssize_t i = 0; i < got; i++) {
        bool is_record = messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!is_record && messages[i]->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            status = check_reading(reader, messages[i], err);
        else if (status == STATUS_OK && advance(reader, messages[i])) {
            bytes += messages[i]->key_len + messages[i]->len;
            out_records[count++] = record_of(messages[i]);
            continue;
        }
        rd_kafka_message_destroy(messages[i]);
    }
    if (count > 0) {
        reader->given_bytes = bytes;
        reader->given_count = count;
    }
    if (status == STATUS_OK)
        *out_count = count;
    else
        records_release(out_records, count);
    return status;
}

size_t log_reader_fetched_bytes(const struct log_reader *reader, size_t unreleased) {
    size_t count = rd_kafka_queue_length(reader->queue) + unreleased;
    size_t mean = reader->given_count > 0 ? reader->given_bytes / reader->given_count : 0;
    return count * (mean + FETCHED_RECORD_BYTES);
}

int64_t log_reader_position(const struct log_reader *reader) {
    return reader->position;
}

bool log_reader_at_end(const struct log_reader *reader) {
    if (reader->end_seen != reader->position)
        return false;
    int64_t high = high_watermark(reader);
    return high >= 0 && reader->position >= high;
}

int64_t log_reader_lag(const struct log_reader *reader) {
    int64_t high = high_watermark(reader);
    if (high < 0)
        return -1;
    return high > reader->position ? high - reader->position : 0;
}

void records_release(struct kafka_record *records, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (records[i].message)
            rd_kafka_message_destroy(records[i].message);
        records[i].message = NULL;
    }
}

/* group.c -- membership.  The handle is given no partition to fetch: librdkafka keeps what the
 * group assigned apart from what the application assigns, so that its answer to every rebalance can
 * be the empty list.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "kafka/consume.h"
#include "kafka/membership.h"
#include "kafka/settings.h"

enum { PAUSE_MS = 100 };

struct group_consumer {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    char *topic;
    struct group_callbacks callbacks;
    int32_t *owned;
    size_t owned_count, owned_capacity;
    bool is_closed, has_assignment;
};

bool group_consumer_owns(const struct group_consumer *consumer, int32_t partition) {
    for (size_t i = 0; i < consumer->owned_count; i++) {
        if (consumer->owned[i] == partition)
            return true;
    }
    return false;
}

size_t group_consumer_partition_count(const struct group_consumer *consumer) {
    return consumer->owned_count;
}

bool group_consumer_has_assignment(const struct group_consumer *consumer) {
    return consumer->has_assignment;
}

bool group_consumer_is_lost(const struct group_consumer *consumer) {
    return rd_kafka_assignment_lost(consumer->client) != 0;
}

static void take(struct group_consumer *consumer, int32_t partition) {
    if (group_consumer_owns(consumer, partition))
        return;
    if (consumer->owned_count == consumer->owned_capacity) {
        consumer->owned_capacity = consumer->owned_capacity * 2 + 8;
        consumer->owned =
            alloc_resize(consumer->owned, consumer->owned_capacity, sizeof *consumer->owned);
    }
    consumer->owned[consumer->owned_count++] = partition;
    consumer->callbacks.assign(consumer->callbacks.owner, partition);
}

/* The partition counts as ours until the owner's callback has returned: it may commit there. */
static void give(struct group_consumer *consumer, int32_t partition, bool is_lost) {
    if (!group_consumer_owns(consumer, partition))
        return;
    consumer->callbacks.revoke(consumer->callbacks.owner, partition, is_lost);
    size_t kept = 0;
    for (size_t i = 0; i < consumer->owned_count; i++) {
        if (consumer->owned[i] != partition)
            consumer->owned[kept++] = consumer->owned[i];
    }
    consumer->owned_count = kept;
}

/* Trouble with the answer shows as a fatal error or a lost assignment in a later poll. */
static void answer(rd_kafka_t *client, bool is_assignment) {
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    rd_kafka_error_t *error = is_assignment ? rd_kafka_incremental_assign(client, none)
                                            : rd_kafka_incremental_unassign(client, none);
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(none);
}

/* An assignment is answered before its partitions are opened: opening may take long, and reads
 * committed offsets through this handle. */
static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque) {
    struct group_consumer *consumer = opaque;
    bool is_assignment = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    bool is_lost = rd_kafka_assignment_lost(client) != 0;
    consumer->has_assignment = is_assignment || (consumer->has_assignment && !is_lost);
    if (is_assignment)
        answer(client, true);
    for (int i = 0; i < partitions->cnt; i++) {
        if (is_assignment)
            take(consumer, partitions->elems[i].partition);
        else
            give(consumer, partitions->elems[i].partition, is_lost);
    }
    if (!is_assignment)
        answer(client, false);
}

static enum status subscribe(struct group_consumer *consumer, struct error *err) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return kafka_check_code(code, "subscribe", err);
}

enum status group_consumer_create(const struct group_options *options,
                                  struct group_consumer **out_consumer, struct error *err) {
    struct kafka_identity identity = {.group = options->group, .instance = options->instance};
    rd_kafka_conf_t *conf = NULL;
    TRY(conf_create(options->config, ROLE_MEMBER, &identity, &conf, err));
    struct group_consumer *consumer = alloc_zero(1, sizeof *consumer);
    consumer->callbacks = options->callbacks;
    consumer->topic = alloc_copy(slice_from(options->topic));
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_opaque(conf, consumer);
    enum status status = client_create(ROLE_MEMBER, conf, &consumer->client, err);
    if (status == STATUS_OK) {
        consumer->queue = rd_kafka_queue_get_consumer(consumer->client);
        rd_kafka_queue_io_event_enable(consumer->queue, options->wake->write_end, "g", 1);
        status = subscribe(consumer, err);
    }
    if (status == STATUS_OK)
        *out_consumer = consumer;
    else
        group_consumer_destroy(consumer);
    return status;
}

void group_consumer_close(struct group_consumer *consumer) {
    if (consumer->is_closed || !consumer->client)
        return;
    consumer->is_closed = true;
    (void)rd_kafka_consumer_close(consumer->client);
    while (consumer->owned_count > 0) /* a fatal error took the rebalance away */
        give(consumer, consumer->owned[consumer->owned_count - 1], true);
}

void group_consumer_destroy(struct group_consumer *consumer) {
    if (!consumer)
        return;
    group_consumer_close(consumer);
    if (consumer->queue) {
        rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(consumer->queue);
    }
    if (consumer->client)
        rd_kafka_destroy(consumer->client);
    free(consumer->owned);
    free(consumer->topic);
    free(consumer);
}

int group_consumer_session_ms(const struct group_consumer *consumer) {
    char digits[16] = "";
    size_t size = sizeof digits;
    (void)rd_kafka_conf_get(rd_kafka_conf(consumer->client), "session.timeout.ms", digits, &size);
    return (int)strtol(digits, NULL, 10);
}

static enum status check_fatal(rd_kafka_t *client, struct error *err) {
    char reason[400];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(client, reason, sizeof reason);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STATUS_OK;
    enum status status = kafka_check_code(code, "group", err);
    return error_set(err, status == STATUS_CONFIG ? STATUS_BROKER : status, "group: %s", reason);
}

/* What the handle itself says; no record ever comes here. */
static enum status check_message(const rd_kafka_message_t *message, struct error *err) {
    enum status status = kafka_check_code(message->err, rd_kafka_message_errstr(message), err);
    return status == STATUS_BROKER ? STATUS_OK : status; /* it tries again by itself */
}

enum status group_consumer_poll(struct group_consumer *consumer, struct error *err) {
    enum status status = STATUS_OK;
    rd_kafka_message_t *message = NULL;
    while (status == STATUS_OK && (message = rd_kafka_consumer_poll(consumer->client, 0)) != NULL) {
        status = check_message(message, err);
        rd_kafka_message_destroy(message);
    }
    return status == STATUS_OK ? check_fatal(consumer->client, err) : status;
}

static rd_kafka_topic_partition_list_t *list_of(const struct log_position *positions,
                                                size_t count) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        (void)rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition);
    return list;
}

/* It passes: after an outage the group has another coordinator, or this one still loads. */
static bool is_passing(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

static rd_kafka_resp_err_t ask_committed(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                                         int timeout_ms) {
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * timeout_ms;
    for (;;) {
        int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
        rd_kafka_resp_err_t code = rd_kafka_committed(client, list, left_ms > 1 ? (int)left_ms : 1);
        for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
            code = list->elems[i].err;
        if (!is_passing(code) || left_ms <= PAUSE_MS)
            return code;
        (void)nanosleep(&pause, NULL);
    }
}

enum status committed_offsets(rd_kafka_t *client, struct log_position *positions, size_t count,
                              int timeout_ms, struct error *err) {
    rd_kafka_topic_partition_list_t *list = list_of(positions, count);
    enum status status =
        kafka_check_code(ask_committed(client, list, timeout_ms), "committed offsets", err);
    for (int i = 0; i < list->cnt && status == STATUS_OK; i++)
        positions[i].offset = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

enum status group_committed(struct group_consumer *consumer, struct log_position *positions,
                            size_t count, int timeout_ms, struct error *err) {
    return committed_offsets(consumer->client, positions, count, timeout_ms, err);
}

/* Serialized metadata: "CGMDv2:", the generation, then group, member and instance as C strings; it
 * is the only way to these fields in librdkafka 2.0.  Unknown versions pass: the brokers check the
 * generation too, and a handle without one has no partitions here. */
static bool has_generation(const rd_kafka_consumer_group_metadata_t *metadata) {
    static const char magic[] = "CGMDv2:";
    void *bytes = NULL;
    size_t size = 0;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size);
    if (error) {
        rd_kafka_error_destroy(error);
        return false;
    }
    const char *text = bytes;
    int32_t generation = 0;
    bool has_member = true;
    if (size > sizeof magic + sizeof generation && memcmp(text, magic, sizeof magic - 1) == 0) {
        memcpy(&generation, text + sizeof magic - 1, sizeof generation);
        const char *group = text + sizeof magic - 1 + sizeof generation;
        const char *member = memchr(group, '\0', (size_t)(text + size - group));
        has_member = member && member + 1 < text + size && member[1] != '\0';
    }
    rd_kafka_mem_free(NULL, bytes);
    return generation >= 0 && has_member;
}

static bool owns_all(const struct group_consumer *group, const struct log_position *positions,
                     size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!group_consumer_owns(group, positions[i].partition))
            return false;
    }
    return true;
}

rd_kafka_consumer_group_metadata_t *membership_metadata(struct group_consumer *group,
                                                        const struct log_position *positions,
                                                        size_t count, struct error *err) {
    if (group_consumer_is_lost(group)) {
        (void)error_set(err, STATUS_BROKER, "group: the assignment is lost");
        return NULL;
    }
    if (!owns_all(group, positions, count)) {
        (void)error_set(err, STATUS_BROKER, "group: a partition is not ours");
        return NULL;
    }
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(group->client);
    if (metadata && has_generation(metadata))
        return metadata;
    if (metadata)
        rd_kafka_consumer_group_metadata_destroy(metadata);
    (void)error_set(err, STATUS_BROKER, "group: no generation (rebalance under way)");
    return NULL;
}

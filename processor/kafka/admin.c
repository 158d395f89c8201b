/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/reach.h"
#include "kafka/settings.h"

enum { REQUEST_TIMEOUT_MS = 20000, HEARSAY_MS = 5000 };

struct admin {
    struct reach reach;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
};

enum status admin_create(const struct config *config, struct admin **out_admin, struct error *err) {
    struct kafka_identity nobody = {0};
    rd_kafka_conf_t *conf = NULL;
    TRY(conf_create(config, ROLE_ADMIN, &nobody, &conf, err));
    struct admin *admin = alloc_zero(1, sizeof *admin);
    reach_prepare(&admin->reach, conf);
    enum status status = client_create(ROLE_ADMIN, conf, &admin->client, err);
    if (status == STATUS_OK) {
        admin->queue = rd_kafka_queue_new(admin->client);
        status = reach_await(&admin->reach, admin->client, config, err);
    }
    if (status == STATUS_OK)
        *out_admin = admin;
    else
        admin_destroy(admin);
    return status;
}

void admin_destroy(struct admin *admin) {
    if (!admin)
        return;
    if (admin->client) {
        rd_kafka_queue_destroy(admin->queue);
        rd_kafka_destroy(admin->client);
    }
    free(admin);
}

/* Count of partitions in the answer; 0: there is no such topic. */
static enum status count_partitions(const struct rd_kafka_metadata *metadata, const char *topic,
                                    int32_t *out_count, struct error *err) {
    const rd_kafka_metadata_topic_t *found = metadata->topic_cnt == 1 ? metadata->topics : NULL;
    if (!found || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        *out_count = 0;
        return STATUS_OK;
    }
    TRY(kafka_check_code(found->err, topic, err));
    *out_count = found->partition_cnt;
    return STATUS_OK;
}

enum status admin_partition_count(struct admin *admin, const char *topic, int32_t *out_count,
                                  struct error *err) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client, topic, NULL);
    if (!handle)
        return kafka_check_code(rd_kafka_last_error(), topic, err);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->client, 0, handle, &metadata, REQUEST_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    TRY(kafka_check_code(code, "metadata", err));
    enum status status = count_partitions(metadata, topic, out_count, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

/* The answer to the one request under way, owned by the caller; NULL with err set. */
static rd_kafka_event_t *await(struct admin *admin, const char *doing, enum status *out_status,
                               struct error *err) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, REQUEST_TIMEOUT_MS + 1000);
    *out_status = event ? STATUS_OK : error_set(err, STATUS_BROKER, "%s: no answer", doing);
    if (event && rd_kafka_event_error(event)) {
        *out_status = kafka_check_code(rd_kafka_event_error(event), doing, err);
        *out_status =
            error_set(err, *out_status, "%s: %s", doing, rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
        return NULL;
    }
    return event;
}

static rd_kafka_AdminOptions_t *options_for(struct admin *admin, rd_kafka_admin_op_t operation) {
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, operation);
    char reason[200];
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, reason,
                                                    sizeof reason);
    return options;
}

/* Of the single topic in an answer about topics. */
static enum status check_topic(const rd_kafka_topic_result_t *const *results, size_t count,
                               rd_kafka_resp_err_t tolerated, bool *out_tolerated,
                               struct error *err) {
    *out_tolerated = false;
    if (count != 1)
        return error_set(err, STATUS_BROKER, "the answer speaks of %zu topics", count);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    *out_tolerated = code == tolerated;
    if (*out_tolerated || code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STATUS_OK;
    enum status status = kafka_check_code(code, rd_kafka_topic_result_name(results[0]), err);
    const char *reason = rd_kafka_topic_result_error_string(results[0]);
    return error_set(err, status, "topic %s: %s", rd_kafka_topic_result_name(results[0]),
                     reason ? reason : rd_kafka_err2str(code));
}

static rd_kafka_NewTopic_t *request_of(const struct topic_plan *plan, int32_t partitions,
                                       struct error *err) {
    char reason[256];
    rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(
        plan->topic, partitions, plan->replication > 0 ? plan->replication : -1, reason,
        sizeof reason);
    if (!request) {
        (void)error_set(err, STATUS_CONFIG, "topic %s: %s", plan->topic, reason);
        return NULL;
    }
    for (int i = 0; i < plan->setting_count; i++)
        (void)rd_kafka_NewTopic_set_config(request, plan->settings[i].name,
                                           plan->settings[i].value);
    return request;
}

/* No request is under way: nothing comes. */
static void pause_ms(struct admin *admin, int ms) {
    rd_kafka_event_t *nothing = rd_kafka_queue_poll(admin->queue, ms);
    if (nothing)
        rd_kafka_event_destroy(nothing);
}

/* A created topic is not at once known to all brokers. */
static enum status await_topic(struct admin *admin, const char *topic, int32_t partitions,
                               struct error *err) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * REQUEST_TIMEOUT_MS;
    int32_t count = 0;
    while (clock_monotonic_us() < deadline_us) {
        enum status status = admin_partition_count(admin, topic, &count, err);
        if (status == STATUS_OK && count >= partitions)
            return STATUS_OK;
        pause_ms(admin, 50);
    }
    return error_set(err, STATUS_BROKER, "topic %s: created, but does not appear", topic);
}

enum status admin_create_topic(struct admin *admin, const struct topic_plan *plan,
                               int32_t partitions, bool *out_existed, struct error *err) {
    rd_kafka_NewTopic_t *request = request_of(plan, partitions, err);
    if (!request)
        return STATUS_CONFIG;
    rd_kafka_AdminOptions_t *options = options_for(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(admin->client, &request, 1, options, admin->queue);
    enum status status = STATUS_OK;
    rd_kafka_event_t *event = await(admin, "create topic", &status, err);
    if (event) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        status =
            check_topic(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, out_existed, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(request);
    return status == STATUS_OK ? await_topic(admin, plan->topic, 1, err) : status;
}

enum status admin_delete_topic(struct admin *admin, const char *topic, struct error *err) {
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_AdminOptions_t *options = options_for(admin, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopics(admin->client, &request, 1, options, admin->queue);
    enum status status = STATUS_OK;
    rd_kafka_event_t *event = await(admin, "delete topic", &status, err);
    if (event) {
        size_t count = 0;
        bool was_missing = false;
        const rd_kafka_topic_result_t **results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
        status =
            check_topic(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, &was_missing, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteTopic_destroy(request);
    return status;
}

/* *out_is_unknown: the broker that was asked has not heard of the topic. */
static enum status read_setting(rd_kafka_event_t *event, const char *topic, const char *setting,
                                struct buffer *out_value, bool *out_is_unknown, struct error *err) {
    size_t resource_count = 0, entry_count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &resource_count);
    if (resource_count != 1)
        return error_set(err, STATUS_BROKER, "settings of %s: no answer", topic);
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    *out_is_unknown = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    TRY(kafka_check_code(code, topic, err));
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(rd_kafka_ConfigEntry_name(entries[i]), setting) == 0)
            buffer_append(out_value, value, strlen(value));
    }
    return STATUS_OK;
}

static enum status ask_setting(struct admin *admin, const char *topic, const char *setting,
                               struct buffer *out_value, bool *out_is_unknown, struct error *err) {
    rd_kafka_ConfigResource_t *request =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options = options_for(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(admin->client, &request, 1, options, admin->queue);
    enum status status = STATUS_OK;
    rd_kafka_event_t *event = await(admin, "topic settings", &status, err);
    if (event) {
        status = read_setting(event, topic, setting, out_value, out_is_unknown, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(request);
    return status;
}

/* Any broker answers, and one may not yet have heard of a topic that another has. */
enum status admin_topic_setting(struct admin *admin, const char *topic, const char *setting,
                                struct buffer *out_value, struct error *err) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * HEARSAY_MS;
    for (;;) {
        bool is_unknown = false;
        enum status status = ask_setting(admin, topic, setting, out_value, &is_unknown, err);
        if (!is_unknown || clock_monotonic_us() >= deadline_us)
            return status;
        pause_ms(admin, 50);
    }
}

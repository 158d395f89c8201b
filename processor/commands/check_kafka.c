/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/check_kafka.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "kafka/admin.h"
#include "kafka/consume.h"
#include "kafka/murmur2.h"
#include "kafka/transact.h"

enum {
    ANSWER_MS = 20000,
    SETTING_BYTES = 4096,
    SAMPLE_PARTITIONS = 8,
    SAMPLE_RECORDS = 200, /* of a partition */
    SAMPLE_MS = 3000,
    TIMESTAMP_AHEAD_MS_MAX = 3600000,
    RECORD_BYTES_NEEDED = 1000000, /* librdkafka's batch.size */
    LETTER_HEADERS_BYTES = 16384,
};

struct check {
    const struct config *config;
    struct admin *admin;
    size_t errors, warnings;
    int32_t predictions_count; /* of partitions */
};

PRINTF_LIKE(2, 0)
static void say(const char *kind, const char *format, va_list args) {
    char line[1024];
    (void)vsnprintf(line, sizeof line, format, args);
    (void)printf("%s: %s\n", kind, line);
}

PRINTF_LIKE(2, 3)
static void add_error(struct check *check, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("error", format, args);
    va_end(args);
    check->errors++;
}

PRINTF_LIKE(2, 3)
static void add_warning(struct check *check, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say("warning", format, args);
    va_end(args);
    check->warnings++;
}

/* --- topics --- */

static int32_t wanted_partitions(const struct check *check, const struct topic_plan *plan) {
    return plan->like_predictions && check->predictions_count > 0 ? check->predictions_count
                                                                  : plan->partitions;
}

static enum status create_topic(struct check *check, const struct topic_plan *plan,
                                int32_t *out_count, struct error *err) {
    bool existed = false;
    int32_t count = wanted_partitions(check, plan);
    TRY(admin_create_topic(check->admin, plan, count, &existed, err));
    (void)printf("created: topic %s, %d partition%s\n", plan->topic, (int)count,
                 count == 1 ? "" : "s");
    *out_count = count;
    return STATUS_OK;
}

static void check_count(struct check *check, const struct topic_plan *plan, int32_t count) {
    int32_t wanted = wanted_partitions(check, plan);
    if (strcmp(plan->topic, check->config->predictions.topic) == 0 || count == wanted)
        return;
    if (plan->like_predictions)
        add_error(check, "topic %s has %d partitions, %s has %d: give both the same count",
                  plan->topic, (int)count, check->config->predictions.topic, (int)wanted);
    else
        add_error(check,
                  "topic %s has %d partitions, the configuration says %d: the count of an "
                  "internal topic is fixed once it exists",
                  plan->topic, (int)count, (int)wanted);
}

/* --- their settings --- */

/* The value as text; empty when the brokers do not know the setting. */
static enum status read_setting(const struct check *check, const char *topic, const char *name,
                                char out_value[SETTING_BYTES], struct error *err) {
    struct buffer value;
    buffer_init(&value, SETTING_BYTES - 1);
    enum status status = admin_topic_setting(check->admin, topic, name, &value, err);
    memcpy(out_value, value.size ? value.data : "", value.size);
    out_value[value.size] = '\0';
    buffer_release(&value);
    return status;
}

static const char *planned(const struct topic_plan *plan, const char *name) {
    for (int i = 0; i < plan->setting_count; i++) {
        if (strcmp(plan->settings[i].name, name) == 0)
            return plan->settings[i].value;
    }
    return "";
}

static enum status check_cleanup(struct check *check, const struct topic_plan *plan,
                                 struct error *err) {
    char policy[SETTING_BYTES];
    TRY(read_setting(check, plan->topic, "cleanup.policy", policy, err));
    bool compacts = strstr(policy, "compact") != NULL, deletes = strstr(policy, "delete") != NULL;
    bool is_predictions = strcmp(plan->topic, check->config->predictions.topic) == 0;
    bool is_compact = strcmp(planned(plan, "cleanup.policy"), "compact") == 0;
    if (is_predictions && compacts)
        add_error(check,
                  "topic %s is compacted: a prediction that is compacted away cannot be "
                  "counted again in a rebuild; set cleanup.policy=delete",
                  plan->topic);
    else if (plan->is_input && compacts)
        add_warning(check, "topic %s is compacted: superseded labels are lost to a rebuild",
                    plan->topic);
    if (is_compact && (!compacts || deletes))
        add_error(check,
                  "topic %s has cleanup.policy=%s: retention would delete state that is "
                  "still needed; set cleanup.policy=compact",
                  plan->topic, policy);
    return STATUS_OK;
}

/* A batch that the topic does not take would stop the application: librdkafka fills one up to
 * batch.size and does not split it, and a larger record goes alone. */
static enum status check_size(struct check *check, const struct topic_plan *plan,
                              struct error *err) {
    char text[SETTING_BYTES];
    bool is_letters = strcmp(plan->topic, check->config->dead_letters_topic) == 0;
    long long needed = RECORD_BYTES_NEEDED;
    long long letter = (long long)check->config->dead_letter_bytes_max + LETTER_HEADERS_BYTES;
    if (is_letters && letter > needed)
        needed = letter;
    TRY(read_setting(check, plan->topic, "max.message.bytes", text, err));
    if (text[0] && strtoll(text, NULL, 10) < needed)
        add_error(check, "topic %s has max.message.bytes=%s: set it to %lld or more%s", plan->topic,
                  text, needed,
                  is_letters && letter >= needed ? ", or lower dead.letter.max.bytes" : "");
    return STATUS_OK;
}

/* A rebuild from an empty disk reads as far back as a label may come. */
static int64_t needed_retention_ms(const struct config *config) {
    int64_t horizon_ms = 0;
    for (int i = 0; i < config->task_count; i++) {
        if (config->tasks[i].horizon_ms > horizon_ms)
            horizon_ms = config->tasks[i].horizon_ms;
    }
    return horizon_ms + config->predictions.disorder_max_ms + config->feedback.disorder_max_ms +
           config->skew_ms;
}

static enum status check_retention(struct check *check, const char *topic, struct error *err) {
    char text[SETTING_BYTES];
    TRY(read_setting(check, topic, "retention.ms", text, err));
    int64_t retention_ms = strtoll(text, NULL, 10), needed_ms = needed_retention_ms(check->config);
    if (text[0] && retention_ms >= 0 && retention_ms < needed_ms)
        add_warning(check,
                    "topic %s keeps records %lld ms: a rebuild from an empty disk wants "
                    "%lld ms (horizon, both disorder.max, skew); until then lost disks cost "
                    "unfinished panes",
                    topic, (long long)retention_ms, (long long)needed_ms);
    TRY(read_setting(check, topic, "retention.bytes", text, err));
    if (text[0] && strtoll(text, NULL, 10) >= 0)
        add_warning(check,
                    "topic %s has retention.bytes=%s: it may delete records before their "
                    "time",
                    topic, text);
    return STATUS_OK;
}

/* A timestamp far ahead would let a record with an event time far ahead move the clock. */
static enum status check_timestamps(struct check *check, const char *topic, struct error *err) {
    char text[SETTING_BYTES];
    TRY(read_setting(check, topic, "message.timestamp.type", text, err));
    if (strcmp(text, "LogAppendTime") == 0)
        return STATUS_OK;
    TRY(read_setting(check, topic, "message.timestamp.after.max.ms", text, err));
    if (text[0] && strtoll(text, NULL, 10) <= TIMESTAMP_AHEAD_MS_MAX)
        return STATUS_OK;
    add_warning(check,
                "topic %s accepts any timestamp: a producer whose clock is ahead makes "
                "others' records late; set message.timestamp.type=LogAppendTime or "
                "message.timestamp.after.max.ms=%d",
                topic, TIMESTAMP_AHEAD_MS_MAX);
    return STATUS_OK;
}

static enum status check_topic(struct check *check, const struct topic_plan *plan, bool create,
                               struct error *err) {
    int32_t count = 0;
    TRY(admin_partition_count(check->admin, plan->topic, &count, err));
    if (count == 0 && create)
        TRY(create_topic(check, plan, &count, err));
    if (strcmp(plan->topic, check->config->predictions.topic) == 0)
        check->predictions_count = count;
    if (count == 0) {
        add_error(check, "topic %s does not exist (%s): create it, or run check --create-topics",
                  plan->topic, plan->purpose);
        return STATUS_OK;
    }
    check_count(check, plan, count);
    TRY(check_cleanup(check, plan, err));
    if (!plan->is_input)
        return check_size(check, plan, err);
    TRY(check_retention(check, plan->topic, err));
    return check_timestamps(check, plan->topic, err);
}

/* --- keys --- */

/* How many of the sampled records lie where each partitioner would have put them. */
struct sample {
    size_t keyed, keyless, murmur2, crc32;
};

/* CRC-32 (ISO 3309), by which clients of librdkafka place keys by default. */
static uint32_t crc32_of(struct slice bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void add_record(struct sample *sample, struct slice key, int32_t partition,
                       int32_t partition_count) {
    if (!key.data) {
        sample->keyless++;
        return;
    }
    sample->keyed++;
    sample->murmur2 += murmur2_partition(key, partition_count) == partition;
    sample->crc32 += crc32_of(key) % (uint32_t)partition_count == (uint32_t)partition;
}

static enum status read_sample(struct log_reader *reader, struct wake *wake, int64_t end,
                               int32_t partition, int32_t partition_count, struct sample *sample,
                               struct error *err) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * SAMPLE_MS;
    while (log_reader_position(reader) < end && clock_monotonic_us() < deadline_us) {
        struct kafka_record records[SAMPLE_RECORDS];
        size_t count = 0;
        TRY(log_reader_poll(reader, records, SAMPLE_RECORDS, &count, err));
        for (size_t i = 0; i < count; i++)
            add_record(sample, records[i].key, partition, partition_count);
        records_release(records, count);
        if (count == 0)
            wake_wait(wake, 20);
    }
    return STATUS_OK;
}

static enum status sample_partition(struct assign_consumer *consumer, struct wake *wake,
                                    const char *topic, int32_t partition, int32_t partition_count,
                                    struct sample *sample, struct error *err) {
    int64_t low = 0, high = 0;
    struct log_reader *reader = NULL;
    TRY(assign_consumer_watermarks(consumer, topic, partition, ANSWER_MS, &low, &high, err));
    int64_t start = high - SAMPLE_RECORDS > low ? high - SAMPLE_RECORDS : low;
    if (start == high)
        return STATUS_OK;
    TRY(assign_consumer_add(consumer, topic, partition, start, &reader, err));
    enum status status = read_sample(reader, wake, high, partition, partition_count, sample, err);
    assign_consumer_remove(consumer, reader);
    return status;
}

static enum status sample_topic(struct check *check, struct assign_consumer *consumer,
                                struct wake *wake, const char *topic, struct sample *out_sample,
                                struct error *err) {
    int32_t count = 0;
    *out_sample = (struct sample){0};
    TRY(admin_partition_count(check->admin, topic, &count, err));
    for (int32_t i = 0; i < count && i < SAMPLE_PARTITIONS; i++)
        TRY(sample_partition(consumer, wake, topic, i, count, out_sample, err));
    if (out_sample->keyless > 0)
        add_error(check,
                  "topic %s: %zu of %zu sampled records have no key: they lie anywhere, and "
                  "do not meet their counterpart; produce them with the prediction's id as key",
                  topic, out_sample->keyless, out_sample->keyless + out_sample->keyed);
    return STATUS_OK;
}

static const char *partitioner_of(const struct sample *sample) {
    if (sample->murmur2 == sample->keyed)
        return "murmur2 (Java)";
    return sample->crc32 == sample->keyed ? "CRC32 (librdkafka's default)" : NULL;
}

/* With one partition everything meets. */
static void compare_samples(struct check *check, const struct sample *predictions,
                            const struct sample *feedback) {
    if (check->predictions_count <= 1 || predictions->keyed == 0 || feedback->keyed == 0)
        return;
    const char *first = partitioner_of(predictions), *second = partitioner_of(feedback);
    if (first && second && strcmp(first, second) != 0)
        add_error(check,
                  "predictions are placed by %s, feedback by %s: labels do not meet their "
                  "predictions; set the producers' partitioner to the same (librdkafka: "
                  "partitioner=murmur2_random)",
                  first, second);
    else if (!first || !second)
        add_warning(check,
                    "%s placed by neither murmur2 nor CRC32 of their keys: make sure that "
                    "both producers place an id alike",
                    first ? "feedback is" : "predictions are");
}

static enum status check_keys(struct check *check, struct error *err) {
    struct wake wake;
    struct assign_consumer *consumer = NULL;
    struct sample predictions = {0}, feedback = {0};
    TRY(wake_init(&wake, err));
    enum status status =
        assign_consumer_create(check->config, check->config->application, &wake, &consumer, err);
    if (status == STATUS_OK)
        status = sample_topic(check, consumer, &wake, check->config->predictions.topic,
                              &predictions, err);
    if (status == STATUS_OK)
        status =
            sample_topic(check, consumer, &wake, check->config->feedback.topic, &feedback, err);
    if (status == STATUS_OK)
        compare_samples(check, &predictions, &feedback);
    assign_consumer_destroy(consumer);
    wake_release(&wake);
    return status;
}

/* --- all of it --- */

static void check_transactions(struct check *check) {
    struct transaction_producer *producer = NULL;
    struct error err = {0};
    char id[300];
    (void)snprintf(id, sizeof id, "%s/check", check->config->application);
    if (transaction_producer_create(check->config, id, &producer, &err) != STATUS_OK)
        add_error(check,
                  "transactions do not work: %s (rights on transactional id %s; enough "
                  "replicas of __transaction_state)",
                  err.text, id);
    transaction_producer_destroy(producer);
}

static enum status check_all(struct check *check, bool create_topics, struct error *err) {
    struct topic_plan plans[PLANS_MAX];
    int count = config_topics(check->config, plans);
    for (int i = 0; i < count; i++)
        TRY(check_topic(check, &plans[i], create_topics, err));
    TRY(check_keys(check, err));
    check_transactions(check);
    (void)printf("kafka: %d topics, %zu errors, %zu warnings\n", count, check->errors,
                 check->warnings);
    return STATUS_OK;
}

enum status check_kafka(const struct config *config, bool create_topics, size_t *out_errors,
                        struct error *err) {
    struct check check = {.config = config};
    TRY(admin_create(config, &check.admin, err));
    enum status status = check_all(&check, create_topics, err);
    admin_destroy(check.admin);
    (void)fflush(stdout);
    *out_errors = check.errors;
    return status;
}

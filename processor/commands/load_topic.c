/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/load_topic.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "config/quantity.h"

enum { SETTING_BYTES_MAX = 1 << 16 };

struct checking {
    struct admin *admin;
    const char *topic;
    const struct load_span *span;
    int32_t partitions;
};

/* The setting as a number; -1: none, or not a number. */
static enum status number_of(const struct checking *checking, const char *setting, int64_t *out,
                             struct error *err) {
    struct buffer text;
    buffer_init(&text, SETTING_BYTES_MAX);
    enum status status = admin_topic_setting(checking->admin, checking->topic, setting, &text, err);
    buffer_append(&text, "", 1);
    if (status == STATUS_OK && !parse_count(text.data, out))
        *out = -1;
    buffer_release(&text);
    return status;
}

static enum status holds(const struct checking *checking, const char *setting, const char *word,
                         bool *out_holds, struct error *err) {
    struct buffer text;
    buffer_init(&text, SETTING_BYTES_MAX);
    enum status status = admin_topic_setting(checking->admin, checking->topic, setting, &text, err);
    buffer_append(&text, "", 1);
    if (status == STATUS_OK)
        *out_holds = strstr(text.data, word) != NULL;
    buffer_release(&text);
    return status;
}

/* A record older than this would be deleted before anybody has read it, or refused. */
static enum status check_age(const struct checking *checking, const char *setting,
                             const char *remedy, struct error *err) {
    int64_t limit_ms, first_ms = checking->span->first_ms;
    TRY(number_of(checking, setting, &limit_ms, err));
    if (limit_ms < 0 || clock_wall_ms() - first_ms <= limit_ms)
        return STATUS_OK;
    char first[QUANTITY_BYTES];
    return error_set(err, STATUS_CONFIG,
                     "topic %s would lose records of %s: its %s is %" PRId64
                     "; set it to %s (kafka-configs --alter --topic %s --add-config %s=%s)",
                     checking->topic, format_time(first, first_ms - first_ms % 1000), setting,
                     limit_ms, remedy, checking->topic, setting, remedy);
}

/* As if nothing were compressed, and the partitions of equal size. */
static enum status check_bytes(const struct checking *checking, struct error *err) {
    int64_t limit;
    TRY(number_of(checking, "retention.bytes", &limit, err));
    int64_t wanted = (int64_t)(checking->span->bytes / (uint64_t)checking->partitions);
    if (limit < 0 || wanted <= limit)
        return STATUS_OK;
    return error_set(err, STATUS_CONFIG,
                     "topic %s would lose records: its retention.bytes is %" PRId64
                     " a partition, the file needs %" PRId64
                     "; set it to -1 (kafka-configs --alter --topic %s --add-config "
                     "retention.bytes=-1)",
                     checking->topic, limit, wanted, checking->topic);
}

/* Brokers before 3.6 know message.timestamp.difference.max.ms only. */
static enum status check_settings(const struct checking *checking, struct error *err) {
    static const char *const limits[] = {"message.timestamp.before.max.ms",
                                         "message.timestamp.difference.max.ms"};
    bool is_deleting = false, is_stamped = false;
    TRY(holds(checking, "cleanup.policy", "delete", &is_deleting, err));
    TRY(holds(checking, "message.timestamp.type", "LogAppendTime", &is_stamped, err));
    if (is_deleting)
        TRY(check_bytes(checking, err));
    if (is_stamped)
        return STATUS_OK;
    if (is_deleting)
        TRY(check_age(checking, "retention.ms", "-1", err));
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        TRY(check_age(checking, limits[i], "9223372036854775807", err));
    return STATUS_OK;
}

enum status load_check_topic(struct admin *admin, const char *topic, const struct load_span *span,
                             struct error *err) {
    struct checking checking = {.admin = admin, .topic = topic, .span = span};
    TRY(admin_partition_count(admin, topic, &checking.partitions, err));
    if (checking.partitions == 0)
        return error_set(err, STATUS_CONFIG,
                         "topic %s does not exist: slipstream check CONFIG --create-topics", topic);
    return check_settings(&checking, err);
}

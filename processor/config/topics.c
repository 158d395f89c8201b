/* topics.c -- the topics and access rights that a configuration needs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config/config.h"

static const struct topic_setting compact[] = {
    {"cleanup.policy", "compact"},
    {"min.cleanable.dirty.ratio", "0.1"},
    {"segment.ms", "3600000"},
};
/* One record holds the groups of all tasks. */
static const struct topic_setting checkpoints[] = {
    {"cleanup.policy", "compact"},
    {"min.cleanable.dirty.ratio", "0.1"},
    {"segment.ms", "3600000"},
    {"max.message.bytes", "8388608"},
};
/* Read again from the start by a stage 2 that restores: what it has not read yet must not vanish
 * under it, or a window would go back in status. */
static const struct topic_setting restored[] = {
    {"cleanup.policy", "compact"},
    {"min.cleanable.dirty.ratio", "0.1"},
    {"segment.ms", "3600000"},
    {"min.compaction.lag.ms", "3600000"},
};
/* Kept for ever: records of old event times, whose timestamps retention would take for old ones. */
static const struct topic_setting input[] = {
    {"cleanup.policy", "delete"},
    {"retention.ms", "-1"},
};
static const struct topic_setting expiring[] = {
    {"cleanup.policy", "delete"}, {"retention.ms", "1209600000"}, /* 14 days */
};

static void set_settings(struct topic_plan *plan, const struct topic_setting *settings,
                         size_t count) {
    memcpy(plan->settings, settings, count * sizeof *settings);
    plan->setting_count = (int)count;
}

static struct topic_plan internal_plan(const struct config *config, const char *topic,
                                       const char *purpose, int partitions) {
    struct topic_plan plan = {.topic = topic,
                              .purpose = purpose,
                              .partitions = partitions,
                              .replication = config->topics_replication};
    set_settings(&plan, compact, COUNT_OF(compact));
    return plan;
}

static struct topic_plan restored_plan(const struct config *config, const char *topic,
                                       const char *purpose) {
    struct topic_plan plan = internal_plan(config, topic, purpose, config->partials_partitions);
    set_settings(&plan, restored, COUNT_OF(restored));
    return plan;
}

static struct topic_plan input_plan(const struct config *config, const char *topic,
                                    const char *purpose) {
    struct topic_plan plan = internal_plan(config, topic, purpose, config->topics_partitions);
    plan.is_input = true;
    plan.like_predictions = true;
    set_settings(&plan, input, COUNT_OF(input));
    return plan;
}

int config_topics(const struct config *config, struct topic_plan out_plans[PLANS_MAX]) {
    int count = 0, shared = config->partials_partitions;
    out_plans[count++] = input_plan(config, config->predictions.topic, "predictions, by id");
    out_plans[count++] = input_plan(config, config->feedback.topic, "labels, by id");
    out_plans[count++] =
        restored_plan(config, config->partials_topic, "stage 1 to stage 2, by task");
    out_plans[count] = internal_plan(config, config->checkpoints_topic,
                                     "state of stage 1, by partition", config->topics_partitions);
    out_plans[count].like_predictions = true;
    set_settings(&out_plans[count++], checkpoints, COUNT_OF(checkpoints));
    out_plans[count++] = internal_plan(config, config->slis_topic,
                                       "results, by task, metric, group, window", shared);
    out_plans[count++] =
        restored_plan(config, config->state_topic, "final panes, history of stage 2");
    out_plans[count++] =
        internal_plan(config, config->tasks_topic, "definitions and control records", 1);
    out_plans[count] =
        internal_plan(config, config->dead_letters_topic, "records that were refused", shared);
    set_settings(&out_plans[count++], expiring, COUNT_OF(expiring));
    return count;
}

void config_print_topics(const struct config *config, struct buffer *out) {
    struct topic_plan plans[PLANS_MAX];
    int count = config_topics(config, plans);
    for (int i = 0; i < count; i++) {
        const struct topic_plan *plan = &plans[i];
        text_add(out, "%-32s %4d%s", plan->topic, plan->partitions,
                 plan->like_predictions ? " (as many as predictions)" : "");
        for (int k = 0; k < plan->setting_count; k++)
            text_add(out, " %s=%s", plan->settings[k].name, plan->settings[k].value);
        text_add(out, "  # %s\n", plan->purpose);
    }
}

static void add_acl(struct buffer *out, const char *principal, const char *operations,
                    const char *resource, const char *name, bool is_prefix) {
    text_add(out, "--add --allow-principal %s %s --%s %s%s\n", principal, operations, resource,
             name, is_prefix ? " --resource-pattern-type prefixed" : "");
}

void config_print_acls(const struct config *config, const char *principal, struct buffer *out) {
    static const char reads[] = "--operation Read --operation Describe --operation DescribeConfigs";
    static const char writes[] =
        "--operation Write --operation Describe --operation DescribeConfigs";
    static const char both[] =
        "--operation Read --operation Write --operation Describe --operation "
        "DescribeConfigs";
    add_acl(out, principal, reads, "topic", config->predictions.topic, false);
    add_acl(out, principal, reads, "topic", config->feedback.topic, false);
    add_acl(out, principal, writes, "topic", config->slis_topic, false);
    add_acl(out, principal, writes, "topic", config->dead_letters_topic, false);
    add_acl(out, principal, both, "topic", config->partials_topic, false);
    add_acl(out, principal, both, "topic", config->checkpoints_topic, false);
    add_acl(out, principal, both, "topic", config->state_topic, false);
    add_acl(out, principal, both, "topic", config->tasks_topic, false);
    add_acl(out, principal, "--operation Read --operation Describe", "group", config->application,
            true);
    add_acl(out, principal, "--operation Write --operation Describe", "transactional-id",
            config->application, true);
}

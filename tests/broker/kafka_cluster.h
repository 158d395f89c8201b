/* kafka_cluster.h -- the real broker that tests of label broker use: the environment's
 * SLIPSTREAM_TEST_BROKERS (docker/broker start prints the address).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_BROKER_KAFKA_CLUSTER_H
#define SLIPSTREAM_TESTS_BROKER_KAFKA_CLUSTER_H

#include "base/clock.h"
#include "kafka/admin.h"
#include "kafka/consume.h"
#include "kafka/transact.h"
#include "tests/lib/test.h"

enum { ANSWER_MS = 15000 };

struct cluster {
    struct setting settings[2];
    struct config config;
    struct admin *admin;
    struct wake wake;
    struct error err;
    char name[64]; /* unique: topics, groups and ids begin with it */
};

#define assert_cluster_ok(cluster, expression)                                                     \
    do {                                                                                           \
        enum status status_ = (expression);                                                        \
        if (status_ != STATUS_OK)                                                                  \
            print_error("%s: %s: %s\n", #expression, status_name(status_), (cluster)->err.text);   \
        assert_int_equal(status_, STATUS_OK);                                                      \
    } while (0)

/* Skips the test when there is no broker. */
static inline UNUSED void cluster_open(struct cluster *cluster) {
    const char *brokers = getenv("SLIPSTREAM_TEST_BROKERS");
    if (!brokers) {
        print_message("skipped: SLIPSTREAM_TEST_BROKERS is not set (docker/broker start)\n");
        skip();
    }
    static int count;
    *cluster = (struct cluster){.settings = {{"bootstrap.servers", brokers, false, 0},
                                             {"consumer.fetch.wait.max.ms", "50", false, 0}}};
    cluster->config =
        (struct config){.application = "test", .kafka = cluster->settings, .kafka_count = 2};
    (void)snprintf(cluster->name, sizeof cluster->name, "t%lld-%d", (long long)clock_wall_ms(),
                   count++);
    assert_cluster_ok(cluster, wake_init(&cluster->wake, &cluster->err));
    assert_cluster_ok(cluster, admin_create(&cluster->config, &cluster->admin, &cluster->err));
}

static inline UNUSED void cluster_close(struct cluster *cluster) {
    admin_destroy(cluster->admin);
    wake_release(&cluster->wake);
}

/* A name of this test: "t123-0.suffix", owned by the caller. */
static inline UNUSED char *cluster_name(const struct cluster *cluster, const char *suffix) {
    char text[96];
    (void)snprintf(text, sizeof text, "%s.%s", cluster->name, suffix);
    return alloc_copy(slice_from(text));
}

/* A new topic; its name is owned by the caller. */
static inline UNUSED char *cluster_topic(struct cluster *cluster, const char *suffix,
                                         int32_t partitions, bool compacted) {
    char *topic = cluster_name(cluster, suffix);
    struct topic_plan plan = {
        .topic = topic,
        .settings = {{"cleanup.policy", compacted ? "compact" : "delete"}},
        .setting_count = 1,
    };
    bool existed = true;
    assert_cluster_ok(
        cluster, admin_create_topic(cluster->admin, &plan, partitions, &existed, &cluster->err));
    assert_false(existed);
    return topic;
}

static inline UNUSED struct transaction_producer *cluster_producer(struct cluster *cluster,
                                                                   const char *suffix) {
    char *id = cluster_name(cluster, suffix);
    struct transaction_producer *producer = NULL;
    assert_cluster_ok(cluster,
                      transaction_producer_create(&cluster->config, id, &producer, &cluster->err));
    free(id);
    return producer;
}

static inline UNUSED struct assign_consumer *cluster_reader(struct cluster *cluster) {
    struct assign_consumer *consumer = NULL;
    assert_cluster_ok(cluster, assign_consumer_create(&cluster->config, cluster->name,
                                                      &cluster->wake, &consumer, &cluster->err));
    return consumer;
}

static inline UNUSED void cluster_send(struct cluster *cluster,
                                       struct transaction_producer *producer, const char *topic,
                                       int32_t partition, const char *key, const char *value) {
    struct message message = {
        .partition = partition, .key = slice_from(key), .value = slice_from(value)};
    assert_cluster_ok(cluster, transaction_send(producer, topic, &message, 0, &cluster->err));
}

static inline UNUSED void cluster_commit(struct cluster *cluster,
                                         struct transaction_producer *producer) {
    enum commit_outcome outcome = transaction_commit(producer, NULL, NULL, 0, &cluster->err);
    assert_string_equal(commit_outcome_name(outcome), "committed");
}

#endif

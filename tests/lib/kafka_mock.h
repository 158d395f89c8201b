/* kafka_mock.h -- librdkafka's mock cluster with a member of group "g" that has partition 0 of
 * topic "in"; it answers with injected errors first.  The mock proves the calls, never atomicity.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_LIB_KAFKA_MOCK_H
#define SLIPSTREAM_TESTS_LIB_KAFKA_MOCK_H

#include "base/clock.h"
#include "kafka/transact.h"
#include "tests/lib/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* Kafka's protocol, "API keys". */
enum { PRODUCE = 0, ADD_PARTITIONS = 24, ADD_OFFSETS = 25, END_TRANSACTION = 26, OFFSETS = 28 };

struct mock {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct setting settings[4];
    struct config config;
    struct wake wake;
    struct group_consumer *group;
    struct transaction_producer *producer;
    struct error err;
    bool is_assigned;
};

static inline void note_assign(void *owner, int32_t partition UNUSED) {
    ((struct mock *)owner)->is_assigned = true;
}

static inline void note_revoke(void *owner, int32_t partition UNUSED, bool is_lost UNUSED) {
    ((struct mock *)owner)->is_assigned = false;
}

static inline void mock_start(struct mock *mock) {
    char reason[200];
    *mock = (struct mock){.host = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, reason, sizeof reason)};
    mock->cluster = rd_kafka_mock_cluster_new(mock->host, 1);
    assert_non_null(mock->cluster);
    assert_int_equal(rd_kafka_mock_topic_create(mock->cluster, "in", 1, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(mock->cluster, "out", 1, 1), 0);
    mock->settings[0] = (struct setting){"bootstrap.servers",
                                         rd_kafka_mock_cluster_bootstraps(mock->cluster), false, 0};
    mock->settings[1] = (struct setting){"producer.transaction.timeout.ms", "3000", false, 0};
    mock->settings[2] = (struct setting){"producer.message.timeout.ms", "2500", false, 0};
    mock->settings[3] = (struct setting){"producer.retry.backoff.ms", "10", false, 0};
    mock->config = (struct config){.kafka = mock->settings, .kafka_count = 4};
    assert_ok(wake_init(&mock->wake, &mock->err));
}

static inline void mock_join(struct mock *mock) {
    struct group_options options = {.config = &mock->config,
                                    .group = "g",
                                    .topic = "in",
                                    .callbacks = {mock, note_assign, note_revoke},
                                    .wake = &mock->wake};
    assert_ok(group_consumer_create(&options, &mock->group, &mock->err));
    int64_t deadline_us = clock_monotonic_us() + 10000000;
    while (!mock->is_assigned && clock_monotonic_us() < deadline_us) {
        assert_ok(group_consumer_poll(mock->group, &mock->err));
        wake_wait(&mock->wake, 20);
    }
    assert_true(mock->is_assigned);
}

static inline UNUSED int mock_open(void **state) {
    static struct mock mock;
    mock_start(&mock);
    mock_join(&mock);
    *state = &mock;
    return 0;
}

static inline UNUSED int mock_close(void **state) {
    struct mock *mock = *state;
    group_consumer_destroy(mock->group);
    wake_release(&mock->wake);
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->host);
    return 0;
}

#endif

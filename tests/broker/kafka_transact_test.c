/* Transactions against a real broker: what is committed, aborted, fenced.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kafka_cluster.h"

struct member {
    struct group_consumer *group;
    int32_t partitions[8];
    size_t count;
};

static void note_assign(void *owner, int32_t partition) {
    struct member *member = owner;
    member->partitions[member->count++] = partition;
}

static void note_revoke(void *owner, int32_t partition, bool is_lost UNUSED) {
    struct member *member = owner;
    for (size_t i = 0; i < member->count; i++) {
        if (member->partitions[i] == partition)
            member->partitions[i] = member->partitions[--member->count];
    }
}

static void join_group(struct cluster *cluster, struct member *member, const char *topic) {
    struct group_options options = {
        .config = &cluster->config,
        .group = cluster->name,
        .instance = "one",
        .topic = topic,
        .callbacks = {member, note_assign, note_revoke},
        .wake = &cluster->wake,
    };
    assert_cluster_ok(cluster, group_consumer_create(&options, &member->group, &cluster->err));
}

static void await_partitions(struct cluster *cluster, struct member *member, size_t count) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (member->count != count && clock_monotonic_us() < deadline_us) {
        assert_cluster_ok(cluster, group_consumer_poll(member->group, &cluster->err));
        wake_wait(&cluster->wake, 50);
    }
    assert_int_equal(member->count, count);
}

static size_t count_records(struct cluster *cluster, struct assign_consumer *consumer,
                            const char *topic, int32_t partition) {
    struct log_reader *reader = NULL;
    assert_cluster_ok(cluster,
                      assign_consumer_add(consumer, topic, partition, 0, &reader, &cluster->err));
    size_t total = 0;
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (!log_reader_at_end(reader) && clock_monotonic_us() < deadline_us) {
        struct kafka_record records[10];
        size_t count = 0;
        assert_cluster_ok(cluster, log_reader_poll(reader, records, 10, &count, &cluster->err));
        records_release(records, count);
        total += count;
        if (count == 0)
            wake_wait(&cluster->wake, 20);
    }
    assert_true(log_reader_at_end(reader));
    assign_consumer_remove(consumer, reader);
    return total;
}

TEST(one_transaction_commits_the_offsets_of_two_topics_and_the_results) {
    struct cluster c;
    cluster_open(&c);
    char *driving = cluster_topic(&c, "p", 2, false), *other = cluster_topic(&c, "f", 2, false),
         *out = cluster_topic(&c, "o", 1, false);
    struct transaction_producer *producer = cluster_producer(&c, "x");
    struct assign_consumer *reading = cluster_reader(&c);
    struct member member = {0};
    join_group(&c, &member, driving);
    await_partitions(&c, &member, 2);

    cluster_send(&c, producer, out, 0, "k", "v");
    struct log_position positions[] = {{driving, 1, 5}, {other, 1, 7}};
    assert_string_equal(
        commit_outcome_name(transaction_commit(producer, member.group, positions, 2, &c.err)),
        "committed");
    struct log_position committed[] = {{driving, 1, 0}, {other, 1, 0}, {other, 0, 0}};
    assert_cluster_ok(&c, group_committed(member.group, committed, 3, ANSWER_MS, &c.err));
    assert_int_equal(committed[0].offset, 5);
    assert_int_equal(committed[1].offset, 7);
    assert_int_equal(committed[2].offset, -1);
    assert_int_equal(count_records(&c, reading, out, 0), 1);

    group_consumer_destroy(member.group);
    transaction_producer_destroy(producer);
    assign_consumer_destroy(reading);
    cluster_close(&c);
    free(driving);
    free(other);
    free(out);
}

TEST(a_partition_that_is_not_ours_aborts_the_transaction) {
    struct cluster c;
    cluster_open(&c);
    char *driving = cluster_topic(&c, "p", 1, false), *out = cluster_topic(&c, "o", 1, false);
    struct transaction_producer *producer = cluster_producer(&c, "x");
    struct assign_consumer *reading = cluster_reader(&c);
    struct member member = {0};
    join_group(&c, &member, driving);
    await_partitions(&c, &member, 1);

    cluster_send(&c, producer, out, 0, "k", "v");
    struct log_position foreign = {driving, 3, 5};
    assert_string_equal(
        commit_outcome_name(transaction_commit(producer, member.group, &foreign, 1, &c.err)),
        "aborted");
    assert_int_equal(count_records(&c, reading, out, 0), 0);

    group_consumer_destroy(member.group);
    transaction_producer_destroy(producer);
    assign_consumer_destroy(reading);
    cluster_close(&c);
    free(driving);
    free(out);
}

TEST(a_handle_that_has_joined_nothing_cannot_commit_offsets) {
    struct cluster c;
    cluster_open(&c);
    char *driving = cluster_topic(&c, "p", 1, false);
    struct transaction_producer *producer = cluster_producer(&c, "x");
    struct member member = {0};
    join_group(&c, &member, driving);
    struct log_position position = {driving, 0, 5};
    assert_string_equal(
        commit_outcome_name(transaction_commit(producer, member.group, &position, 1, &c.err)),
        "aborted");
    group_consumer_destroy(member.group);
    transaction_producer_destroy(producer);
    cluster_close(&c);
    free(driving);
}

TEST(an_abort_leaves_nothing_and_the_producer_goes_on) {
    struct cluster c;
    cluster_open(&c);
    char *out = cluster_topic(&c, "o", 1, false);
    struct transaction_producer *producer = cluster_producer(&c, "x");
    struct assign_consumer *reading = cluster_reader(&c);
    cluster_send(&c, producer, out, 0, "k", "dropped");
    assert_true(transaction_is_open(producer));
    assert_string_equal(commit_outcome_name(transaction_abort(producer, &c.err)), "aborted");
    assert_int_equal(count_records(&c, reading, out, 0), 0);
    cluster_send(&c, producer, out, 0, "k", "kept");
    cluster_commit(&c, producer);
    assert_int_equal(count_records(&c, reading, out, 0), 1);
    transaction_producer_destroy(producer);
    assign_consumer_destroy(reading);
    cluster_close(&c);
    free(out);
}

TEST(a_second_producer_of_the_same_id_fences_the_first) {
    struct cluster c;
    cluster_open(&c);
    char *out = cluster_topic(&c, "o", 1, false);
    struct transaction_producer *first = cluster_producer(&c, "x");
    struct assign_consumer *reading = cluster_reader(&c);
    cluster_send(&c, first, out, 0, "k", "zombie");
    struct transaction_producer *second = cluster_producer(&c, "x");
    assert_string_equal(commit_outcome_name(transaction_commit(first, NULL, NULL, 0, &c.err)),
                        "fenced");
    cluster_send(&c, second, out, 0, "k", "alive");
    cluster_commit(&c, second);
    assert_int_equal(count_records(&c, reading, out, 0), 1);
    transaction_producer_destroy(first);
    transaction_producer_destroy(second);
    assign_consumer_destroy(reading);
    cluster_close(&c);
    free(out);
}

TEST(recovering_aborts_what_was_under_way) {
    struct cluster c;
    cluster_open(&c);
    char *out = cluster_topic(&c, "o", 1, false);
    struct transaction_producer *producer = cluster_producer(&c, "x");
    struct assign_consumer *reading = cluster_reader(&c);
    cluster_send(&c, producer, out, 0, "k", "dropped");
    assert_cluster_ok(&c, transaction_recover(producer, &c.err));
    assert_false(transaction_is_open(producer));
    cluster_send(&c, producer, out, 0, "k", "kept");
    cluster_commit(&c, producer);
    assert_int_equal(count_records(&c, reading, out, 0), 1);
    transaction_producer_destroy(producer);
    assign_consumer_destroy(reading);
    cluster_close(&c);
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(one_transaction_commits_the_offsets_of_two_topics_and_the_results),
        CASE(a_partition_that_is_not_ours_aborts_the_transaction),
        CASE(a_handle_that_has_joined_nothing_cannot_commit_offsets),
        CASE(an_abort_leaves_nothing_and_the_producer_goes_on),
        CASE(a_second_producer_of_the_same_id_fences_the_first),
        CASE(recovering_aborts_what_was_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

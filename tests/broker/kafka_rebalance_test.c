/* Two members share a topic while partitions move and records are in flight: every record comes out
 * once.  The members are minimal workers: read, send on, commit with the position.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kafka/produce.h"
#include "kafka_cluster.h"

enum { PARTITIONS = 4, RECORDS_MAX = 200000, RECORDS_TURN = 12, PHASE_MS = 40000 };

struct flow {
    struct cluster c;
    char *in, *out;
    struct producer *source;
    int sent, turn;
};

struct member {
    struct flow *flow;
    struct group_consumer *group;
    struct assign_consumer *reading;
    struct transaction_producer *producer;
    struct log_reader *readers[PARTITIONS];
    int64_t next[PARTITIONS]; /* positions of what was sent on */
    size_t assigned, revoked, committed;
};

/* From the committed offset, like a worker that opens a partition. */
static void start_reading(struct member *member, int32_t partition) {
    struct cluster *c = &member->flow->c;
    struct log_position position = {member->flow->in, partition, 0};
    assert_cluster_ok(c, group_committed(member->group, &position, 1, ANSWER_MS, &c->err));
    member->next[partition] = position.offset < 0 ? 0 : position.offset;
    assert_cluster_ok(c, assign_consumer_add(member->reading, member->flow->in, partition,
                                             member->next[partition], &member->readers[partition],
                                             &c->err));
}

static void stop_reading(struct member *member, int32_t partition) {
    if (member->readers[partition])
        assign_consumer_remove(member->reading, member->readers[partition]);
    member->readers[partition] = NULL;
}

static void commit(struct member *member) {
    struct log_position positions[PARTITIONS];
    size_t count = 0;
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        if (member->readers[partition])
            positions[count++] =
                (struct log_position){member->flow->in, partition, member->next[partition]};
    }
    if (!transaction_is_open(member->producer))
        return;
    struct error *err = &member->flow->c.err;
    enum commit_outcome outcome =
        transaction_commit(member->producer, member->group, positions, count, err);
    if (outcome == COMMIT_COMMITTED) {
        member->committed++;
        return;
    }
    print_message("%s: %s\n", commit_outcome_name(outcome), err->text);
    assert_int_equal(outcome, COMMIT_ABORTED);
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        if (!member->readers[partition])
            continue;
        stop_reading(member, partition);
        start_reading(member, partition);
    }
}

static void on_assign(void *owner, int32_t partition) {
    struct member *member = owner;
    member->assigned++;
    start_reading(member, partition);
}

static void on_revoke(void *owner, int32_t partition, bool is_lost) {
    struct member *member = owner;
    member->revoked++;
    assert_false(is_lost);
    commit(member);
    stop_reading(member, partition);
}

static void member_open(struct member *member, struct flow *flow, const char *name) {
    *member = (struct member){.flow = flow};
    struct cluster *c = &flow->c;
    member->reading = cluster_reader(c);
    member->producer = cluster_producer(c, name);
    struct group_options options = {
        .config = &c->config,
        .group = c->name,
        .topic = flow->in,
        .callbacks = {member, on_assign, on_revoke},
        .wake = &c->wake,
    };
    assert_cluster_ok(c, group_consumer_create(&options, &member->group, &c->err));
}

static void member_close(struct member *member) {
    group_consumer_close(member->group);
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        assert_null(member->readers[partition]);
    group_consumer_destroy(member->group);
    assign_consumer_destroy(member->reading);
    transaction_producer_destroy(member->producer);
}

static void send_on(struct member *member, int32_t partition) {
    struct cluster *c = &member->flow->c;
    struct kafka_record records[7];
    size_t count = 0;
    assert_cluster_ok(c, log_reader_poll(member->readers[partition], records, 7, &count, &c->err));
    for (size_t i = 0; i < count; i++) {
        struct message message = {.partition = 0, .key = records[i].key, .value = records[i].value};
        assert_cluster_ok(
            c, transaction_send(member->producer, member->flow->out, &message, 0, &c->err));
        member->next[partition] = records[i].offset + 1;
    }
    records_release(records, count);
}

/* Commits in every third turn, so that most rebalances find something open. */
static void member_turn(struct member *member, int turn) {
    struct cluster *c = &member->flow->c;
    assert_cluster_ok(c, group_consumer_poll(member->group, &c->err));
    assert_cluster_ok(c, assign_consumer_poll(member->reading, &c->err));
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        if (member->readers[partition])
            send_on(member, partition);
    }
    if (turn % 3 == 0)
        commit(member);
}

static bool all_at_end(const struct member *member) {
    if (group_consumer_partition_count(member->group) != PARTITIONS)
        return false;
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        if (!log_reader_at_end(member->readers[partition]))
            return false;
    }
    return true;
}

/* The inputs never run dry while members come and go. */
static void produce_inputs(struct flow *flow) {
    for (int i = 0; i < RECORDS_TURN && flow->sent < RECORDS_MAX; i++, flow->sent++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", flow->sent);
        assert_cluster_ok(&flow->c, producer_send(flow->source, flow->in, slice_from(text),
                                                  slice_from(text), 0, &flow->c.err));
    }
}

static size_t number_of(struct slice digits) {
    size_t number = 0;
    for (size_t i = 0; i < digits.size; i++)
        number = number * 10 + (size_t)(digits.data[i] - '0');
    assert_true(number < RECORDS_MAX);
    return number;
}

static void expect_each_once(struct flow *flow) {
    static int seen[RECORDS_MAX];
    memset(seen, 0, sizeof seen);
    struct assign_consumer *reading = cluster_reader(&flow->c);
    struct log_reader *reader = NULL;
    assert_cluster_ok(&flow->c,
                      assign_consumer_add(reading, flow->out, 0, 0, &reader, &flow->c.err));
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (!log_reader_at_end(reader) && clock_monotonic_us() < deadline_us) {
        struct kafka_record records[100];
        size_t count = 0;
        assert_cluster_ok(&flow->c, log_reader_poll(reader, records, 100, &count, &flow->c.err));
        for (size_t i = 0; i < count; i++)
            seen[number_of(records[i].key)]++;
        records_release(records, count);
        if (count == 0)
            wake_wait(&flow->c.wake, 20);
    }
    assign_consumer_remove(reading, reader);
    assign_consumer_destroy(reading);
    for (int i = 0; i < flow->sent; i++)
        assert_int_equal(seen[i], 1);
}

/* Turns of one or two members until a counter is at least wanted. */
static void run_until(struct flow *flow, struct member *first, struct member *second,
                      const size_t *counter, size_t wanted) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * PHASE_MS;
    while (*counter < wanted && clock_monotonic_us() < deadline_us) {
        produce_inputs(flow);
        member_turn(first, flow->turn++);
        if (second)
            member_turn(second, flow->turn);
        wake_wait(&flow->c.wake, 2);
    }
    assert_true(*counter >= wanted);
}

static void run_to_the_end(struct flow *flow, struct member *member) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * PHASE_MS;
    while (!all_at_end(member) && clock_monotonic_us() < deadline_us)
        member_turn(member, flow->turn++);
    commit(member);
    assert_true(all_at_end(member));
}

/* a alone, then a and b, then b alone, then b and a again, then a alone. */
TEST(moving_partitions_lose_and_repeat_no_record) {
    struct flow flow = {.turn = 1};
    struct member a, b;
    cluster_open(&flow.c);
    flow.in = cluster_topic(&flow.c, "in", PARTITIONS, false);
    flow.out = cluster_topic(&flow.c, "out", 1, false);
    assert_cluster_ok(&flow.c, producer_create(&flow.c.config, &flow.source, &flow.c.err));
    member_open(&a, &flow, "a");
    run_until(&flow, &a, NULL, &a.committed, 3);
    member_open(&b, &flow, "b");
    run_until(&flow, &a, &b, &b.committed, 3);
    assert_true(a.revoked > 0);
    member_close(&a);
    run_until(&flow, &b, NULL, &b.committed, b.committed + 3);
    member_open(&a, &flow, "a");
    run_until(&flow, &b, &a, &a.committed, 3);
    member_close(&b);
    assert_cluster_ok(&flow.c, producer_finish(flow.source, &flow.c.err));
    run_to_the_end(&flow, &a);
    member_close(&a);
    expect_each_once(&flow);
    producer_destroy(flow.source);
    free(flow.in);
    free(flow.out);
    cluster_close(&flow.c);
}

int main(void) {
    const struct CMUnitTest tests[] = {CASE(moving_partitions_lose_and_repeat_no_record)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

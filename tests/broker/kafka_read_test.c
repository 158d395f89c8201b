/* Reading logs of a real broker: ends, restarts, compacted topics.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kafka/latest.h"
#include "kafka/murmur2.h"
#include "kafka/produce.h"
#include "kafka_cluster.h"

struct fixture {
    struct cluster c;
    char *topic;
    struct transaction_producer *producer;
    struct assign_consumer *reading;
    struct arena arena;
};

static void fixture_open(struct fixture *f, int32_t partitions) {
    cluster_open(&f->c);
    f->topic = cluster_topic(&f->c, "t", partitions, true);
    f->producer = cluster_producer(&f->c, "x");
    f->reading = cluster_reader(&f->c);
    arena_init(&f->arena);
}

static void fixture_close(struct fixture *f) {
    transaction_producer_destroy(f->producer);
    assign_consumer_destroy(f->reading);
    arena_release(&f->arena);
    free(f->topic);
    cluster_close(&f->c);
}

static void send_numbers(struct fixture *f, int first, int count) {
    for (int i = first; i < first + count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        cluster_send(&f->c, f->producer, f->topic, 0, text, text);
    }
}

static struct log_reader *read_from_offset(struct fixture *f, int64_t offset) {
    struct log_reader *reader = NULL;
    assert_cluster_ok(&f->c,
                      assign_consumer_add(f->reading, f->topic, 0, offset, &reader, &f->c.err));
    return reader;
}

/* Values as numbers, at most max. */
static size_t poll_once(struct fixture *f, struct log_reader *reader, int *out_values, size_t max) {
    struct kafka_record records[READER_BATCH_MAX];
    size_t count = 0;
    assert_cluster_ok(&f->c, log_reader_poll(reader, records, max, &count, &f->c.err));
    for (size_t i = 0; i < count; i++) {
        char text[16] = {0};
        memcpy(text, records[i].value.data, records[i].value.size);
        out_values[i] = (int)strtol(text, NULL, 10);
    }
    records_release(records, count);
    if (count == 0)
        wake_wait(&f->c.wake, 20);
    return count;
}

/* The same until the end or until there are max. */
static size_t collect(struct fixture *f, struct log_reader *reader, int *out_values, size_t max) {
    size_t total = 0;
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (total < max && !log_reader_at_end(reader) && clock_monotonic_us() < deadline_us)
        total += poll_once(f, reader, out_values + total, max - total);
    return total;
}

TEST(a_reading_that_starts_again_gives_no_record_of_the_earlier_one) {
    struct fixture f;
    fixture_open(&f, 1);
    send_numbers(&f, 0, 2000);
    cluster_commit(&f.c, f.producer);
    int values[2000];
    /* The queue of the earlier reading is full of later records when it is left. */
    for (int turn = 0; turn < 20; turn++) {
        int64_t start = turn * 37 % 1000;
        struct log_reader *reader = read_from_offset(&f, start);
        size_t count = collect(&f, reader, values, 1 + (size_t)turn * 31);
        assign_consumer_remove(f.reading, reader);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(values[i], start + (int64_t)i);
        assert_int_equal(count, 1 + (size_t)turn * 31);
    }
    fixture_close(&f);
}

/* librdkafka 2.0 alone waits a second each time: 12 s and more here. */
TEST(a_queue_that_was_full_is_filled_again_when_it_has_been_emptied) {
    enum { COMMITS = 30, EACH = 1000, READ = 24000 };
    struct fixture f;
    static int values[READ];
    fixture_open(&f, 1);
    for (int i = 0; i < COMMITS; i++) {
        send_numbers(&f, i * EACH, EACH);
        cluster_commit(&f.c, f.producer);
    }
    assign_consumer_destroy(f.reading);
    struct setting settings[] = {f.c.settings[0],
                                 {"consumer.queued.min.messages", "100", false, 0},
                                 {"consumer.fetch.message.max.bytes", "16384", false, 0}};
    f.c.config.kafka = settings;
    f.c.config.kafka_count = COUNT_OF(settings);
    f.reading = cluster_reader(&f.c);
    struct log_reader *reader = read_from_offset(&f, 0);
    assert_int_equal(collect(&f, reader, values, 1), 1);
    int64_t started_us = clock_monotonic_us();
    assert_int_equal(collect(&f, reader, values + 1, READ - 1), READ - 1);
    assert_in_range(clock_monotonic_us() - started_us, 0, 6000000);
    for (int i = 0; i < READ; i++)
        assert_int_equal(values[i], i);
    assign_consumer_remove(f.reading, reader);
    fixture_close(&f);
}

TEST(what_is_fetched_and_not_yet_read_is_told_in_bytes) {
    enum { COUNT = 2000, VALUE_BYTES = 500, KEY_BYTES = 3, LIBRARY_BYTES = 320 };
    struct fixture f;
    struct kafka_record records[READER_BATCH_MAX];
    size_t count = 0, each = KEY_BYTES + VALUE_BYTES + LIBRARY_BYTES;
    char value[VALUE_BYTES + 1] = {0};
    memset(value, 'x', VALUE_BYTES);
    fixture_open(&f, 1);
    for (int i = 0; i < COUNT; i++)
        cluster_send(&f.c, f.producer, f.topic, 0, "key", value);
    cluster_commit(&f.c, f.producer);
    struct log_reader *reader = read_from_offset(&f, 0);
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (log_reader_fetched_bytes(reader, 0) < (size_t)COUNT * LIBRARY_BYTES &&
           clock_monotonic_us() < deadline_us)
        wake_wait(&f.c.wake, 20);
    assert_cluster_ok(&f.c, log_reader_poll(reader, records, 100, &count, &f.c.err));
    assert_int_equal(count, 100);
    size_t bytes = log_reader_fetched_bytes(reader, 0); /* the end of the log is queued too */
    assert_in_range(bytes, (COUNT - 100) * each, (COUNT - 98) * each);
    assert_int_equal(log_reader_fetched_bytes(reader, 100), bytes + 100 * each);
    records_release(records, count);
    while (!log_reader_at_end(reader) && clock_monotonic_us() < deadline_us) {
        assert_cluster_ok(&f.c,
                          log_reader_poll(reader, records, READER_BATCH_MAX, &count, &f.c.err));
        records_release(records, count);
    }
    assert_int_equal(log_reader_fetched_bytes(reader, 0), 0);
    assign_consumer_remove(f.reading, reader);
    fixture_close(&f);
}

TEST(an_open_transaction_hides_the_end_until_it_is_decided) {
    struct fixture f;
    fixture_open(&f, 1);
    send_numbers(&f, 0, 3);
    cluster_commit(&f.c, f.producer);
    struct log_reader *reader = read_from_offset(&f, 0);
    int values[16];
    assert_int_equal(collect(&f, reader, values, 16), 3);
    assert_true(log_reader_at_end(reader));
    assert_int_equal(log_reader_position(reader), 4); /* the marker is stepped over */

    send_numbers(&f, 3, 1);
    struct transaction_producer *other = cluster_producer(&f.c, "y");
    cluster_send(&f.c, other, f.topic, 0, "9", "9");
    cluster_commit(&f.c, other); /* behind the open one: it has arrived when this returns */
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (log_reader_lag(reader) == 0 && clock_monotonic_us() < deadline_us)
        assert_int_equal(poll_once(&f, reader, values, 16), 0);
    assert_false(log_reader_at_end(reader));

    assert_string_equal(commit_outcome_name(transaction_abort(f.producer, &f.c.err)), "aborted");
    assert_int_equal(collect(&f, reader, values, 16), 1);
    assert_int_equal(values[0], 9);
    assert_true(log_reader_at_end(reader));
    assign_consumer_remove(f.reading, reader);
    transaction_producer_destroy(other);
    fixture_close(&f);
}

TEST(a_reading_at_the_end_knows_that_it_is_there) {
    struct fixture f;
    fixture_open(&f, 1);
    struct log_reader *reader = read_from_offset(&f, 0);
    int values[4];
    assert_int_equal(collect(&f, reader, values, 4), 0);
    assert_true(log_reader_at_end(reader));
    send_numbers(&f, 0, 1);
    cluster_commit(&f.c, f.producer);
    /* The brokers write the marker, offset 1, after they have answered the commit. */
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (log_reader_position(reader) < 2 && clock_monotonic_us() < deadline_us)
        (void)poll_once(&f, reader, values, 4);
    assign_consumer_remove(f.reading, reader);
    for (int turn = 0; turn < 2; turn++) {
        reader = read_from_offset(&f, 2);
        assert_false(log_reader_at_end(reader)); /* not from what an earlier reading knew */
        assert_int_equal(collect(&f, reader, values, 4), 0);
        assert_true(log_reader_at_end(reader));
        assign_consumer_remove(f.reading, reader);
    }
    fixture_close(&f);
}

TEST(a_position_outside_of_the_log_is_said_and_not_jumped_over) {
    struct fixture f;
    fixture_open(&f, 1);
    struct log_reader *reader = read_from_offset(&f, 1000);
    enum status status = STATUS_OK;
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (status == STATUS_OK && clock_monotonic_us() < deadline_us) {
        struct kafka_record record;
        size_t count = 0;
        status = log_reader_poll(reader, &record, 1, &count, &f.c.err);
        wake_wait(&f.c.wake, 20);
    }
    assert_string_equal(status_name(status), "CORRUPT");
    assign_consumer_remove(f.reading, reader);
    fixture_close(&f);
}

TEST(the_latest_records_are_found_however_far_back) {
    struct fixture f;
    fixture_open(&f, 1);
    cluster_send(&f.c, f.producer, f.topic, 0, "old", "far back");
    cluster_send(&f.c, f.producer, f.topic, 0, "gone", "x");
    send_numbers(&f, 0, 5000);
    struct message tombstone = {.partition = 0, .key = SLICE("gone")};
    assert_cluster_ok(&f.c, transaction_send(f.producer, f.topic, &tombstone, 0, &f.c.err));
    struct message empty = {.partition = 0, .key = SLICE("empty"), .value = SLICE("")};
    assert_cluster_ok(&f.c, transaction_send(f.producer, f.topic, &empty, 0, &f.c.err));
    cluster_commit(&f.c, f.producer);
    const struct slice keys[] = {SLICE("old"), SLICE("gone"), SLICE("4999"), SLICE("never"),
                                 SLICE("empty")};
    struct slice values[5];
    int64_t offsets[5];
    assert_cluster_ok(&f.c, read_latest(f.reading, f.topic, 0, keys, 5, ANSWER_MS, &f.arena, values,
                                        offsets, &f.c.err));
    assert_int_equal(offsets[0], 0);
    assert_int_equal(offsets[2], 5001);
    assert_int_equal(offsets[3], -1);
    assert_true(slice_equal(values[0], SLICE("far back")));
    assert_null(values[1].data);
    assert_true(slice_equal(values[2], SLICE("4999")));
    assert_null(values[3].data);
    assert_non_null(values[4].data);
    assert_int_equal(values[4].size, 0);
    fixture_close(&f);
}

TEST(the_latest_record_waits_for_an_open_transaction) {
    struct fixture f;
    fixture_open(&f, 1);
    cluster_send(&f.c, f.producer, f.topic, 0, "k", "before");
    cluster_commit(&f.c, f.producer);
    struct transaction_producer *other = cluster_producer(&f.c, "y");
    cluster_send(&f.c, f.producer, f.topic, 0, "k", "open");
    cluster_send(&f.c, other, f.topic, 0, "z", "z");
    cluster_commit(&f.c, other);
    /* Give the open record the time to arrive: then it is read, and times out. */
    const struct slice key = SLICE("k");
    struct slice value = SLICE("untouched");
    enum status status = STATUS_OK;
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (status == STATUS_OK && clock_monotonic_us() < deadline_us)
        status = read_latest(f.reading, f.topic, 0, &key, 1, 500, &f.arena, &value, NULL, &f.c.err);
    assert_string_equal(status_name(status), "BROKER");
    assert_non_null(strstr(f.c.err.text, "is a transaction open?"));
    cluster_commit(&f.c, f.producer);
    assert_cluster_ok(&f.c, read_latest(f.reading, f.topic, 0, &key, 1, ANSWER_MS, &f.arena, &value,
                                        NULL, &f.c.err));
    assert_true(slice_equal(value, SLICE("open")));
    transaction_producer_destroy(other);
    fixture_close(&f);
}

static enum status count_visit(void *owner, const struct kafka_record *record UNUSED,
                               struct error *err) {
    int *count = owner;
    return ++*count < 1000 ? STATUS_OK : error_set(err, STATUS_IO, "enough");
}

TEST(a_whole_partition_is_visited_and_a_visitor_can_end_it) {
    struct fixture f;
    fixture_open(&f, 1);
    send_numbers(&f, 0, 900);
    cluster_commit(&f.c, f.producer);
    int count = 0;
    int64_t end = 0;
    assert_cluster_ok(&f.c, read_whole(f.reading, f.topic, 0, 10, ANSWER_MS, count_visit, &count,
                                       &end, &f.c.err));
    assert_int_equal(count, 890);
    assert_int_equal(end, 901);
    assert_int_equal(
        read_whole(f.reading, f.topic, 0, 0, ANSWER_MS, count_visit, &count, &end, &f.c.err),
        STATUS_IO);
    assert_int_equal(count, 1000);
    fixture_close(&f);
}

/* The client's placement against our murmur2, which unit tests hold to Java's published values. */
TEST(the_plain_producer_places_keys_as_java_clients_do) {
    struct fixture f;
    fixture_open(&f, 5);
    struct producer *plain = NULL;
    assert_cluster_ok(&f.c, producer_create(&f.c.config, &plain, &f.c.err));
    int sent[5] = {0};
    for (int i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key-%d", i);
        sent[murmur2_partition(slice_from(key), 5)]++;
        assert_cluster_ok(&f.c, producer_send(plain, f.topic, slice_from(key), SLICE("v"),
                                              1700000000000 + i, &f.c.err));
    }
    assert_cluster_ok(&f.c, producer_finish(plain, &f.c.err));
    producer_destroy(plain);
    for (int32_t partition = 0; partition < 5; partition++) {
        int count = 0;
        assert_cluster_ok(&f.c, read_whole(f.reading, f.topic, partition, 0, ANSWER_MS, count_visit,
                                           &count, NULL, &f.c.err));
        assert_int_equal(count, sent[partition]);
    }
    struct log_position at[] = {{f.topic, murmur2_partition(SLICE("key-0"), 5), 1600000000000},
                                {f.topic, murmur2_partition(SLICE("key-0"), 5), 1800000000000}};
    assert_cluster_ok(&f.c, assign_consumer_offsets_at(f.reading, &at[0], 1, ANSWER_MS, &f.c.err));
    assert_int_equal(at[0].offset, 0);
    assert_cluster_ok(&f.c, assign_consumer_offsets_at(f.reading, &at[1], 1, ANSWER_MS, &f.c.err));
    assert_int_equal(at[1].offset, sent[at[1].partition]);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_reading_that_starts_again_gives_no_record_of_the_earlier_one),
        CASE(a_queue_that_was_full_is_filled_again_when_it_has_been_emptied),
        CASE(what_is_fetched_and_not_yet_read_is_told_in_bytes),
        CASE(an_open_transaction_hides_the_end_until_it_is_decided),
        CASE(a_reading_at_the_end_knows_that_it_is_there),
        CASE(a_position_outside_of_the_log_is_said_and_not_jumped_over),
        CASE(the_latest_records_are_found_however_far_back),
        CASE(the_latest_record_waits_for_an_open_transaction),
        CASE(a_whole_partition_is_visited_and_a_visitor_can_end_it),
        CASE(the_plain_producer_places_keys_as_java_clients_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

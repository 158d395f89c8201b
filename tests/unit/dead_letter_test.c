/* A dead letter says the same of a record however the two logs were interleaved.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/partition_world.h"

static struct message letter_of(const char *code) {
    struct message found = {0};
    for (size_t i = 0; i < world.outbox.count; i++) {
        const struct message *message = &world.outbox.messages[i];
        for (size_t k = 0; k < message->header_count; k++)
            if (strcmp(message->headers[k].name, "slipstream.errors.code") == 0 &&
                slice_equal(message->headers[k].value, slice_from(code))) {
                assert_null(found.headers);
                found = *message;
            }
    }
    assert_non_null(found.headers);
    return found;
}

/* Key "id", no value, no header but these; what it says is compared by the simulator. */
static void check_thin(const char *code) {
    struct message letter = letter_of(code);
    assert_true(slice_equal(letter.key, SLICE("id")));
    assert_null(letter.value.data);
    assert_int_equal(letter.header_count, 7);
    for (size_t i = 0; i < letter.header_count; i++)
        assert_string_not_equal(letter.headers[i].name, "slipstream.errors.timestamp");
}

static void add_label(int64_t time_ms) {
    world_add(LOG_FEEDBACK, "id", time_ms, 1, 0);
}

static void check_unmatched(bool waits) {
    world_create(WORLD_HOUR);
    if (waits)
        add_label(world_start_ms);
    world_add(LOG_PREDICTIONS, "other", world_start_ms + 2 * WORLD_HOUR, .7, 0);
    if (!waits)
        add_label(world_start_ms);
    assert_int_equal(world_step().refused[REFUSAL_UNMATCHED], 1);
    check_thin("UNMATCHED");
    world_destroy();
}

TEST(a_label_without_a_prediction_leaves_the_same_letter_whether_it_waited_or_not) {
    check_unmatched(true);
    check_unmatched(false);
}

static void check_beyond(bool waits) {
    world_create(WORLD_HOUR);
    if (waits)
        add_label(world_start_ms + WORLD_HOUR + 1);
    world_add(LOG_PREDICTIONS, "id", world_start_ms, .7, 0);
    if (!waits)
        add_label(world_start_ms + WORLD_HOUR + 1);
    assert_int_equal(world_step().refused[REFUSAL_BEYOND_HORIZON], 1);
    check_thin("BEYOND_HORIZON");
    world_destroy();
}

TEST(a_label_beyond_the_horizon_leaves_the_same_letter_whether_it_waited_or_not) {
    check_beyond(true);
    check_beyond(false);
}

TEST(what_the_record_alone_decides_is_kept_whole) {
    world_create(WORLD_HOUR);
    world_add(LOG_FEEDBACK, "id", world_start_ms, 7, 0);
    assert_int_equal(world_step().refused[REFUSAL_BAD_LABEL], 1);
    struct message letter = letter_of("BAD_LABEL");
    assert_true(slice_equal(letter.key, SLICE("raw key")));
    assert_true(slice_equal(letter.value, SLICE("raw value")));
    assert_int_equal(letter.header_count, 8);
    world_destroy();
}

static size_t header_bytes(const struct message *letter, const char *name) {
    for (size_t i = 0; i < letter->header_count; i++)
        if (strcmp(letter->headers[i].name, name) == 0)
            return (size_t)strtoull(letter->headers[i].value.data, NULL, 10);
    return 0;
}

/* A letter that the brokers do not take would be sent for ever. */
static void check_large(size_t key_size, size_t value_size, bool has_key, bool has_value) {
    static char bytes[1000001];
    world_create(WORLD_HOUR);
    struct event *event = world_add(LOG_PREDICTIONS, "id", world_start_ms, .7, 0);
    event->refusal = REFUSAL_UNDECODABLE;
    event->raw_key = (struct slice){bytes, key_size};
    event->raw_value = (struct slice){bytes, value_size};
    assert_int_equal(world_step().refused[REFUSAL_UNDECODABLE], 1);
    struct message letter = letter_of("UNDECODABLE");
    assert_int_equal(letter.key.size, has_key ? key_size : 0);
    assert_int_equal(letter.value.size, has_value ? value_size : 0);
    assert_int_equal(header_bytes(&letter, "slipstream.errors.key.bytes"), has_key ? 0 : key_size);
    assert_int_equal(header_bytes(&letter, "slipstream.errors.value.bytes"),
                     has_value ? 0 : value_size);
    world_destroy();
}

TEST(what_is_too_large_for_a_letter_is_left_out) {
    check_large(10, 899990, true, true);
    check_large(10, 899991, true, false);
    check_large(900000, 0, true, true);
    check_large(900001, 899990, false, true);
    check_large(900001, 900001, false, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_too_large_for_a_letter_is_left_out),
        CASE(a_label_without_a_prediction_leaves_the_same_letter_whether_it_waited_or_not),
        CASE(a_label_beyond_the_horizon_leaves_the_same_letter_whether_it_waited_or_not),
        CASE(what_the_record_alone_decides_is_kept_whole),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}

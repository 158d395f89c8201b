/* What a flush hands to the store is in order: the store in memory asserts that keys ascend.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/partition_world.h"

static void predict_many(int first, int count) {
    world.count = world.stepped = 0;
    for (int i = first; i < first + count; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "p%d", i);
        (void)world_add(LOG_PREDICTIONS, id, world_start_ms + i % 1000, .5, 0);
    }
}

/* Of 240,000 keys about seven pairs are equal in their first 32 bits. */
TEST(rows_whose_keys_begin_alike_are_stored_in_order_and_found) {
    enum { ROWS = 240000, STEP = 8000 };
    world_create(48 * WORLD_HOUR);
    world.config.delta_rows_max = 2 * ROWS;
    world.config.delta_bytes_max = 1 << 30;
    for (int i = 0; i < ROWS; i += STEP) {
        predict_many(i, STEP);
        assert_int_equal(world_step().predicted, i + STEP);
    }
    world.config.delta_bytes_max = 2; /* nothing stays in memory after the flush */
    world_commit(true);
    for (int i = 0; i < ROWS; i += STEP) {
        predict_many(i, STEP);
        struct partition_stats stats = world_step();
        assert_int_equal(stats.predicted, ROWS);
        assert_int_equal(stats.duplicates, i + STEP);
    }
    world_destroy();
}

static void label_each(int segments, double value) {
    for (int i = 0; i < segments; i++) {
        int64_t time_ms = world_start_ms + (int64_t)i * WORLD_HOUR;
        world_add(LOG_FEEDBACK, "same", time_ms + 40 * WORLD_HOUR, value, 0)->prediction_ms =
            time_ms;
    }
}

/* More segments than a slice of marks has, the newest first. */
TEST(marks_of_one_id_are_stored_by_segment_and_found) {
    enum { SEGMENTS = 13 };
    world_create(48 * WORLD_HOUR);
    world.config.predictions.disorder_max_ms = 48 * WORLD_HOUR;
    world.config.feedback.disorder_max_ms = 48 * WORLD_HOUR;
    world.config.delta_bytes_max = 2;
    for (int i = SEGMENTS; i-- > 0;)
        (void)world_add(LOG_PREDICTIONS, "same", world_start_ms + (int64_t)i * WORLD_HOUR, .5, 0);
    assert_int_equal(world_step().predicted, SEGMENTS);
    world_commit(true);
    label_each(SEGMENTS, 1);
    assert_int_equal(world_step().labelled, SEGMENTS);
    world_commit(true);
    label_each(SEGMENTS, 0);
    struct partition_stats stats = world_step();
    assert_int_equal(stats.labelled, SEGMENTS);
    assert_int_equal(stats.superseded, SEGMENTS);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_whose_keys_begin_alike_are_stored_in_order_and_found),
        CASE(marks_of_one_id_are_stored_by_segment_and_found),
    };
    return cmocka_run_group_tests_name("unstored", tests, NULL, NULL);
}

/* Label marks: every one is found, and rows that have none do not ask for one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/partition_world.h"

enum { ROWS = 60 };

static size_t asked_marks; /* keys, of all that a store was asked for */
static const struct store_ops *real_ops;
static struct store_ops spying_ops;

static enum status ask_and_count(struct store *store, const struct store_question *questions,
                                 size_t count, struct arena *arena, struct error *err) {
    for (size_t i = 0; i < count; i++)
        asked_marks += questions[i].family.kind == FAMILY_MARKS ? questions[i].count : 0;
    return real_ops->ask(store, questions, count, arena, err);
}

static void spy(void) {
    real_ops = world.store->ops;
    spying_ops = *real_ops;
    spying_ops.ask = ask_and_count;
    world.store->ops = &spying_ops;
}

/* Each row's prediction is in a segment of its own or shares it with few, over several slices. */
static int64_t time_of(int row) {
    return world_start_ms + (int64_t)(row / 3) * WORLD_HOUR;
}

static void add_row(enum log_side log, int row, int64_t time_ms) {
    char id[16];
    (void)snprintf(id, sizeof id, "row%d", row);
    struct event *event = world_add(log, id, time_ms, log == LOG_FEEDBACK, 0);
    if (log == LOG_FEEDBACK)
        event->prediction_ms = time_of(row);
}

/* Labels of the rows from first on in strides; returns how many rows had one before. */
static int64_t label_rows(int first, int stride, int64_t lag_ms) {
    struct partition_stats before, after;
    partition_stats(world.partition, &before);
    for (int row = first; row < ROWS; row += stride)
        add_row(LOG_FEEDBACK, row, time_of(row) + lag_ms);
    asked_marks = 0;
    after = world_step();
    int64_t superseded = after.superseded - before.superseded;
    assert_int_equal(after.labelled - before.labelled + superseded,
                     (ROWS - first + stride - 1) / stride);
    world_commit(true);
    return superseded;
}

static void create_rows(void) {
    world_create(48 * WORLD_HOUR);
    world.config.predictions.disorder_max_ms = 48 * WORLD_HOUR;
    world.config.feedback.disorder_max_ms = 48 * WORLD_HOUR;
    world.config.delta_bytes_max = 2; /* nothing stays in memory after a flush */
    for (int row = 0; row < ROWS; row++)
        add_row(LOG_PREDICTIONS, row, time_of(row));
    assert_int_equal(world_step().predicted, ROWS);
    world_commit(true);
    spy();
}

TEST(rows_without_a_mark_are_not_asked_for_one) {
    create_rows();
    assert_int_equal(label_rows(0, 2, WORLD_MINUTE), 0);
    assert_int_equal(asked_marks, 0);
    assert_int_equal(label_rows(0, 1, 2 * WORLD_MINUTE), ROWS / 2);
    assert_int_equal(asked_marks, ROWS / 2);
    assert_int_equal(label_rows(0, 1, 3 * WORLD_MINUTE), ROWS);
    assert_int_equal(asked_marks, ROWS);
    world_destroy();
}

/* Of a stored segment that has marks it is not known which rows they are of. */
TEST(after_a_start_marks_are_found_before_and_after_their_segments_are_located) {
    for (int is_located = 0; is_located < 2; is_located++) {
        create_rows();
        assert_int_equal(label_rows(0, 2, WORLD_MINUTE), 0);
        (void)world_reopen(false);
        spy();
        for (bool did = is_located == 1; did;)
            assert_ok(partition_locate(world.partition, &did, NULL));
        assert_int_equal(label_rows(0, 1, 2 * WORLD_MINUTE), ROWS / 2);
        assert_int_equal(label_rows(0, 1, 3 * WORLD_MINUTE), ROWS);
        world_destroy();
    }
}

/* A locator that has no room for them: what is marked there is lost with the rows. */
TEST(marks_of_rows_that_left_the_locator_are_found) {
    create_rows();
    assert_int_equal(label_rows(0, 2, WORLD_MINUTE), 0);
    world.config.locator_bytes_max = 64;
    (void)world_reopen(false);
    spy();
    assert_int_equal(label_rows(0, 1, 2 * WORLD_MINUTE), ROWS / 2);
    assert_int_equal(label_rows(0, 3, 3 * WORLD_MINUTE), ROWS / 3);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_without_a_mark_are_not_asked_for_one),
        CASE(after_a_start_marks_are_found_before_and_after_their_segments_are_located),
        CASE(marks_of_rows_that_left_the_locator_are_found),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}

/* Records far ahead of the wall clock: refused once, they are refused in every replay, and nothing
 * that comes after them suffers.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/partition_world.h"
#include "tests/sim/random.h"

static const int64_t far_ms = INT64_C(720) * WORLD_HOUR, day_ms = INT64_C(24) * WORLD_HOUR;

/* Both of its times lie this far ahead of the clock of the reader. */
static struct event *add_ahead(enum log_side log, int64_t wall_ms, int64_t by_ms) {
    return world_add(log, "ahead", wall_ms + by_ms, 1, wall_ms);
}

static int64_t refused(enum refusal refusal) {
    struct partition_stats stats;
    partition_stats(world.partition, &stats);
    return stats.refused[refusal];
}

TEST(a_record_far_ahead_of_the_wall_clock_is_future_and_moves_nothing) {
    world_create(day_ms);
    world_add(LOG_PREDICTIONS, "a", world_start_ms, .7, world_start_ms);
    world_add(LOG_FEEDBACK, "a", world_start_ms, 1, world_start_ms);
    add_ahead(LOG_PREDICTIONS, world_start_ms, far_ms);
    add_ahead(LOG_FEEDBACK, world_start_ms, far_ms);
    world_add(LOG_PREDICTIONS, "b", world_start_ms + 1, .7, world_start_ms);
    world_add(LOG_FEEDBACK, "b", world_start_ms + 1, 1, world_start_ms);
    struct partition_stats stats = world_step();
    assert_int_equal(stats.refused[REFUSAL_FUTURE], 2);
    assert_int_equal(stats.refused[REFUSAL_LATE], 0);
    assert_int_equal(stats.labelled, 2);
    assert_int_equal(stats.clock_ms[LOG_PREDICTIONS], world_start_ms + 1);
    assert_int_equal(stats.clock_ms[LOG_FEEDBACK], world_start_ms + 1);
    world_destroy();
}

TEST(an_hour_and_the_skew_ahead_is_allowed_and_not_more) {
    world_create(day_ms);
    add_ahead(LOG_PREDICTIONS, world_start_ms, WORLD_HOUR + WORLD_MINUTE);
    assert_int_equal(world_step().refused[REFUSAL_FUTURE], 0);
    add_ahead(LOG_PREDICTIONS, world_start_ms, WORLD_HOUR + WORLD_MINUTE + 1);
    assert_int_equal(world_step().refused[REFUSAL_FUTURE], 1);
    world_destroy();
}

TEST(a_record_without_a_timestamp_is_judged_by_its_event_time) {
    world_create(day_ms);
    add_ahead(LOG_PREDICTIONS, world_start_ms, far_ms)->record_ms = TIME_NONE;
    assert_int_equal(world_step().refused[REFUSAL_FUTURE], 1);
    world_destroy();
}

/* Brokers take any timestamp, unless they are told otherwise. */
TEST(a_record_with_the_greatest_timestamp_is_judged_like_any_other) {
    world_create(day_ms);
    world_add(LOG_PREDICTIONS, "a", world_start_ms, .7, world_start_ms)->record_ms = INT64_MAX;
    struct partition_stats stats = world_step();
    assert_int_equal(stats.refused[REFUSAL_FUTURE], 0);
    assert_int_equal(stats.predicted, 1);
    world_destroy();
}

TEST(without_a_wall_clock_nothing_is_decided) {
    world_create(day_ms);
    world_add(LOG_PREDICTIONS, "a", world_start_ms + far_ms, .7, 0);
    struct partition_stats stats = world_step();
    assert_int_equal(stats.refused[REFUSAL_FUTURE], 0);
    assert_int_equal(stats.predicted, 1);
    world_destroy();
}

/* The wall clock of the replay is long past what was refused. */
static void check_replay(bool flush, bool loses_disk) {
    world_create(day_ms);
    world_add(LOG_PREDICTIONS, "a", world_start_ms, .7, world_start_ms);
    (void)world_step();
    world_commit(flush);
    add_ahead(LOG_PREDICTIONS, world_start_ms, far_ms);
    world_add(LOG_PREDICTIONS, "b", world_start_ms + 1, .7, world_start_ms);
    (void)world_step();
    world_commit(false);
    for (size_t i = 0; i < world.count; i++)
        world.events[i].wall_ms = world_start_ms + 2 * far_ms;
    assert_int_equal(world_reopen(loses_disk), flush && !loses_disk ? 2 : 3);
    world_add(LOG_PREDICTIONS, "c", world_start_ms + 2, .7, world_start_ms);
    world_add(LOG_FEEDBACK, "b", world_start_ms + 2, 1, world_start_ms);
    world.stepped = world.count - 2;
    struct partition_stats stats = world_step();
    assert_int_equal(stats.refused[REFUSAL_FUTURE], 1);
    assert_int_equal(stats.refused[REFUSAL_LATE], 0);
    assert_int_equal(stats.labelled, 1);
    assert_int_equal(stats.clock_ms[LOG_PREDICTIONS], world_start_ms + 2);
    world_destroy();
}

TEST(a_rebuild_refuses_it_again_whatever_the_wall_clock_says) {
    check_replay(false, true);
    check_replay(true, true);
}

TEST(a_replay_of_the_gap_refuses_it_again) {
    check_replay(true, false);
}

/* A wall clock that is set back, a reader in another room: what is kept stays exact. */
TEST(a_replay_agrees_with_wall_clocks_that_jump) {
    struct random random = {test_seed(7)};
    world_create(30 * day_ms);
    int64_t time_ms = world_start_ms;
    for (int i = 0; i < 4000; i++) {
        bool is_ahead = random_chance(&random, .3), jumps = random_chance(&random, .2);
        time_ms += random_between(&random, 0, 20000);
        int64_t by_ms = is_ahead ? random_between(&random, 0, 3 * WORLD_HOUR) : 0;
        int64_t jump_ms = jumps ? random_between(&random, -WORLD_HOUR, WORLD_HOUR) : 0;
        world_add(random_chance(&random, .5) ? LOG_PREDICTIONS : LOG_FEEDBACK, "a", time_ms + by_ms,
                  1, time_ms + jump_ms);
        if (i % 97 == 0) {
            (void)world_step();
            world_commit(i % 2 == 0);
        }
    }
    (void)world_step();
    world_commit(false);
    struct partition_stats before, after;
    partition_stats(world.partition, &before);
    assert_true(before.refused[REFUSAL_FUTURE] > 100);
    assert_int_equal(before.futures_forgotten, 0);
    for (size_t i = 0; i < world.count; i++)
        world.events[i].wall_ms = 1;
    assert_true(world_reopen(true) > 3000);
    partition_stats(world.partition, &after);
    assert_memory_equal(after.clock_ms, before.clock_ms, sizeof before.clock_ms);
    assert_int_equal(after.panes, before.panes);
    world_destroy();
}

/* Adds hours of a good and a bad record a minute; the bad ones are by_ms ahead, and the reader
 * commits each hour. */
static void run_hours(int hours, int a_hour, int64_t by_ms) {
    for (int i = 0; i < hours * a_hour; i++) {
        int64_t now_ms = world_start_ms + (int64_t)i * WORLD_HOUR / a_hour;
        world_add(LOG_PREDICTIONS, "good", now_ms, .7, now_ms);
        add_ahead(LOG_PREDICTIONS, now_ms, by_ms);
        if (i % a_hour == a_hour - 1)
            (void)world_step();
    }
    world_commit(false);
}

TEST(hours_of_a_broken_producer_take_little_room) {
    world_create(100 * day_ms);
    run_hours(1, 60, 2 * WORLD_HOUR);
    size_t before = world.checkpoint.size;
    world_destroy();
    world_create(100 * day_ms);
    run_hours(48, 60, 2 * WORLD_HOUR);
    assert_int_equal(refused(REFUSAL_FUTURE), 48 * 60);
    assert_int_equal(refused(REFUSAL_LATE), 0);
    assert_true(world.checkpoint.size < before + 48 * (size_t)24);
    world_destroy();
}

TEST(a_producer_at_the_edge_of_what_is_allowed_takes_little_room_too) {
    world_create(100 * day_ms);
    for (int i = 0; i < 4000; i++) {
        int64_t now_ms = world_start_ms + (int64_t)i * 1000;
        add_ahead(LOG_PREDICTIONS, now_ms, WORLD_HOUR + WORLD_MINUTE + (i % 3) - 1);
    }
    (void)world_step();
    world_commit(false);
    assert_true(refused(REFUSAL_FUTURE) > 2000);
    assert_true(world.checkpoint.size < 600);
    world_destroy();
}

TEST(decisions_below_the_floor_are_forgotten) {
    world_create(2 * (int64_t)WORLD_HOUR);
    run_hours(200, 4, 2 * WORLD_HOUR);
    size_t early = world.checkpoint.size;
    for (int i = 0; i < 100; i++) {
        int64_t now_ms = world_start_ms + (int64_t)(200 + i) * WORLD_HOUR;
        world_add(LOG_PREDICTIONS, "late", now_ms, .7, now_ms);
        world_add(LOG_FEEDBACK, "late", now_ms, 1, now_ms);
    }
    (void)world_step();
    world_commit(true);
    assert_true(world.checkpoint.size < early / 4);
    world_destroy();
}

TEST(past_the_limit_of_decisions_a_record_is_taken_and_counted) {
    enum { RANGES = 1024 };
    world_create(1000 * day_ms);
    for (int i = 0; i <= RANGES; i++) {
        int64_t now_ms = world_start_ms + (int64_t)i * 3 * WORLD_HOUR;
        world_add(LOG_PREDICTIONS, "good", now_ms, .7, now_ms);
        add_ahead(LOG_PREDICTIONS, now_ms, 2 * WORLD_HOUR);
    }
    struct partition_stats stats = world_step();
    assert_int_equal(stats.refused[REFUSAL_FUTURE], RANGES);
    assert_int_equal(stats.futures_forgotten, 1);
    world_commit(false);
    (void)world_reopen(true);
    struct partition_stats after;
    partition_stats(world.partition, &after);
    assert_memory_equal(after.clock_ms, stats.clock_ms, sizeof stats.clock_ms);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_record_far_ahead_of_the_wall_clock_is_future_and_moves_nothing),
        CASE(an_hour_and_the_skew_ahead_is_allowed_and_not_more),
        CASE(a_record_without_a_timestamp_is_judged_by_its_event_time),
        CASE(a_record_with_the_greatest_timestamp_is_judged_like_any_other),
        CASE(without_a_wall_clock_nothing_is_decided),
        CASE(a_rebuild_refuses_it_again_whatever_the_wall_clock_says),
        CASE(a_replay_of_the_gap_refuses_it_again),
        CASE(a_replay_agrees_with_wall_clocks_that_jump),
        CASE(hours_of_a_broken_producer_take_little_room),
        CASE(a_producer_at_the_edge_of_what_is_allowed_takes_little_room_too),
        CASE(decisions_below_the_floor_are_forgotten),
        CASE(past_the_limit_of_decisions_a_record_is_taken_and_counted),
    };
    return cmocka_run_group_tests_name("future", tests, NULL, NULL);
}

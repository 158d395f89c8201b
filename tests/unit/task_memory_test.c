/* Stage 2 with less memory than its partials take.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/task_world.h"
#include "tests/sim/random.h"

enum { GROUPS = 3, PANES = 12, PARTIALS = 500, WORLDS = 10 };

/* Partials of any pane that is not final, clocks that come after them; the last panes stay open. */
static void log_world(uint64_t seed, const struct shape *shape, struct log *log) {
    static const char *const groups[GROUPS] = {"all", "zone=a", "zone=b"};
    struct counts counts[GROUPS][PANES][WORLD_SOURCES] = {0};
    struct random random = {seed};
    int64_t final_panes = 0;
    for (int64_t i = 1; i <= PARTIALS; i++) {
        size_t g = random_below(&random, GROUPS);
        int64_t pane = random_between(&random, final_panes, PANES - 1);
        int32_t p = (int32_t)random_below(&random, WORLD_SOURCES);
        struct counts *sum = &counts[g][pane][p];
        sum->predicted += random_between(&random, 1, 3);
        sum->labelled = random_between(&random, sum->labelled, sum->predicted);
        sum->correct = random_between(&random, 0, sum->labelled);
        log_partial(log, shape, 1, pane * MINUTE, groups[g], p, i, sum);
        if (i % (PARTIALS / 8) == 0) {
            log_clocks(log, "fraud", (final_panes + 3) * MINUTE, final_panes * MINUTE);
            final_panes++;
        }
    }
}

static void begin(struct machine *machine, struct log *log, uint64_t seed, size_t bytes_max) {
    machine_define(machine, log);
    define_window(&machine->definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    define_window(&machine->definition, "hop", WINDOW_HOPPING, 6 * MINUTE, 2 * MINUTE, 0);
    define_window(&machine->definition, "long", WINDOW_HOPPING, 10 * MINUTE, 2 * MINUTE, 0);
    machine->config.task_bytes_max = bytes_max;
    assert_ok(machine_open(machine));
    log_world(seed, &machine->shape, log);
}

static struct task_stats stats_of(const struct machine *machine) {
    struct task_stats stats;
    task_stats(machine->stage, &stats);
    return stats;
}

/* A run without a limit beside one with it, each through a lost disk at the end. */
static void compare(uint64_t seed, size_t bytes_max) {
    struct log log = {0}, other_log = {0};
    struct machine machine, other;
    begin(&machine, &log, seed, 0);
    begin(&other, &other_log, seed, bytes_max);
    machine_run(&machine, 20);
    machine_run(&other, 20);
    assert_same_boards(&machine.board, &other.board);
    assert_int_equal(machine.finals, other.finals);
    assert_int_equal(machine.tombstones, other.tombstones);
    assert_true(machine.finals > 0);
    assert_true(stats_of(&machine).sum_bytes > bytes_max / 4);
    assert_true(stats_of(&other).sum_bytes <= bytes_max / 4);
    assert_int_equal(stats_of(&machine).evicted, 0);
    assert_int_equal(stats_of(&machine).fetched, 0);
    assert_true(stats_of(&other).evicted > 0);
    assert_true(stats_of(&other).fetched > 0);
    assert_true(stats_of(&other).bytes < stats_of(&machine).bytes);

    machine_lose_disk(&machine);
    machine_lose_disk(&other);
    machine_run(&machine, 20);
    machine_run(&other, 20);
    assert_same_boards(&machine.board, &other.board);
    machine_release(&machine);
    machine_release(&other);
    log_release(&log);
    log_release(&other_log);
}

TEST(panes_that_are_on_disk_only_change_no_sli) {
    static const size_t limits[] = {1, 700, 3000};
    uint64_t seed = test_seed(1);
    for (uint64_t world = 0; world < WORLDS; world++)
        for (size_t i = 0; i < COUNT_OF(limits); i++)
            compare(seed + world, limits[i]);
}

/* Up to the committed offset: what a rebuild reads is covered by a commit. */
TEST(a_rebuild_keeps_to_the_memory_that_it_may_take) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, test_seed(2), 300);
    machine_run(&machine, 20);
    machine_lose_disk(&machine);
    machine_step(&machine, (size_t)(machine.committed - task_position(machine.stage) - 1));
    assert_false(task_is_live(machine.stage));
    assert_true(stats_of(&machine).evicted > 0);
    machine_release(&machine);
    log_release(&log);
}

/* The state topic keeps the panes of all time, of which none is needed yet. */
TEST(a_restore_from_the_state_topic_keeps_to_the_memory_that_it_may_take) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, test_seed(4), 300);
    machine_run(&machine, 20);
    assert_true(machine.finals > 2 * GROUPS);
    machine_lose_disk(&machine);
    struct task_stats stats = stats_of(&machine);
    assert_int_equal(stats.panes, machine.finals);
    assert_true(stats.evicted > 0);
    machine_release(&machine);
    log_release(&log);
}

/* What was restored and flushed is restored again: the store is still behind the commits. */
TEST(a_crash_while_restoring_changes_no_sli) {
    struct log log = {0}, other_log = {0};
    struct machine machine, other;
    uint64_t seed = test_seed(5);
    begin(&machine, &log, seed, 0);
    begin(&other, &other_log, seed, 300);
    machine_run(&machine, 20);
    machine_run(&other, 20);
    machine_lose_disk(&other);
    machine_close(&other);
    assert_ok(machine_open(&other));
    assert_true(task_position(other.stage) < other.committed);
    machine_restore(&other);
    machine_run(&other, 20);
    assert_same_boards(&machine.board, &other.board);
    assert_int_equal(machine.finals, other.finals);
    machine_release(&machine);
    machine_release(&other);
    log_release(&log);
    log_release(&other_log);
}

TEST(an_opening_keeps_to_the_memory_that_it_may_take) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, test_seed(3), 300);
    machine_run(&machine, 20);
    size_t panes = stats_of(&machine).panes;
    machine_close(&machine);
    assert_ok(machine_open(&machine));
    assert_int_equal(stats_of(&machine).panes, panes);
    assert_true(stats_of(&machine).evicted > 0);
    machine_release(&machine);
    log_release(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(panes_that_are_on_disk_only_change_no_sli),
        CASE(a_rebuild_keeps_to_the_memory_that_it_may_take),
        CASE(a_restore_from_the_state_topic_keeps_to_the_memory_that_it_may_take),
        CASE(a_crash_while_restoring_changes_no_sli),
        CASE(an_opening_keeps_to_the_memory_that_it_may_take),
    };
    return cmocka_run_group_tests_name("task memory", tests, NULL, NULL);
}

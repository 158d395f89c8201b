/* What becomes final at once, finished by several commits.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/task_world.h"

enum { GROUPS = 4, PANES = 12, PIECE = 10 };
static const char *const groups[GROUPS] = {"all", "zone=a", "zone=b", "zone=c"};

/* Partials of 12 minutes, and then clocks for which all of them are final. */
static void begin(struct machine *machine, struct log *log, bool is_limited) {
    machine_define(machine, log);
    define_window(&machine->definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    define_window(&machine->definition, "hop", WINDOW_HOPPING, 6 * MINUTE, 2 * MINUTE, 0);
    machine->config.task_bytes_max = is_limited ? PIECE * 4 * 1024 : 0;
    assert_ok(machine_open(machine));
    for (int64_t i = 0; i < GROUPS * PANES; i++)
        log_partial(log, &machine->shape, 1, i / GROUPS * MINUTE, groups[i % GROUPS],
                    (int32_t)(i % WORLD_SOURCES), i + 1, &(struct counts){i % 5 + 1, 1, 1, 0});
    machine_step(machine, SIZE_MAX);
    machine_commit(machine, true);
    log_clocks(log, "fraud", 20 * MINUTE, 20 * MINUTE);
    machine_step(machine, SIZE_MAX);
}

static void end(struct machine *machine, struct log *log) {
    machine_release(machine);
    log_release(log);
}

static void flush(struct machine *machine) {
    struct error err;
    assert_ok(task_committed(machine->stage, machine->now_ms, true, &err));
}

/* Commits until nothing is left; how many there were. */
static int finish(struct machine *machine) {
    int commits = 0;
    for (bool any = true; any; commits += any) {
        int64_t published = machine->board.published, finals = machine->finals;
        machine_commit(machine, false);
        assert_true(machine->finals - finals <= PIECE);
        any = machine->board.published > published || machine->finals > finals;
    }
    return commits;
}

static void assert_all_final(const struct machine *machine) {
    struct log log = {0};
    struct machine other;
    begin(&other, &log, false);
    machine_commit(&other, false);
    assert_int_equal(other.finals, GROUPS * PANES);
    assert_int_equal(machine->finals, other.finals);
    assert_int_equal(machine->tombstones, other.tombstones);
    assert_same_boards(&machine->board, &other.board);
    for (size_t i = 0; i < machine->board.count; i++)
        assert_int_equal(read_post(&machine->board.posts[i]).status, SLI_FINAL);
    end(&other, &log);
}

TEST(each_commit_finishes_a_part_of_what_became_final_at_once) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, true);
    assert_true(finish(&machine) >= GROUPS * PANES / PIECE);
    assert_all_final(&machine);
    end(&machine, &log);
}

TEST(a_commit_that_drains_finishes_all) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, true);
    machine_commit(&machine, false);
    assert_true(machine.finals < GROUPS * PANES);
    machine_commit(&machine, true);
    assert_all_final(&machine);
    end(&machine, &log);
}

/* At one position of the log: each says it once, and no window says two things. */
TEST(no_window_is_published_twice_while_something_is_held_back) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, true);
    int64_t before = machine.board.published;
    (void)finish(&machine);
    assert_int_equal(machine.board.published - before, machine.board.count);
    end(&machine, &log);
}

/* Flushed after the first piece or not, the stage comes back between the pieces. */
static void crash(bool is_flushed, bool is_lost, int after) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log, true);
    flush(&machine);
    for (int i = 0; i < after; i++) {
        machine_commit(&machine, false);
        if (is_flushed && i == 0)
            flush(&machine);
    }
    if (is_lost) {
        machine_lose_disk(&machine);
    } else {
        machine_close(&machine);
        assert_ok(machine_open(&machine));
        assert_true(task_position(machine.stage) < machine.committed);
        machine_restore(&machine);
    }
    machine_step(&machine, SIZE_MAX);
    (void)finish(&machine);
    assert_all_final(&machine);
    end(&machine, &log);
}

TEST(a_crash_between_two_pieces_loses_nothing_and_says_nothing_twice) {
    for (int after = 1; after < 5; after++)
        for (int how = 0; how < 4; how++)
            crash(how & 1, how & 2, after);
}

TEST(a_partial_that_comes_after_the_clocks_changes_no_pane_that_is_held_back) {
    struct error err;
    struct log log = {0};
    struct machine machine;
    struct task_stats stats;
    begin(&machine, &log, true);
    machine_commit(&machine, false);
    log_partial(&log, &machine.shape, 1, (PANES - 1) * MINUTE, "all", 0, 1000,
                &(struct counts){50, 0, 0, 0});
    struct task_record late = log_read(&log, log.count - 1);
    assert_ok(task_step(machine.stage, &late, 1, &err));
    task_stats(machine.stage, &stats);
    assert_int_equal(stats.ignored, 1);
    (void)finish(&machine);
    assert_all_final(&machine);
    end(&machine, &log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_commit_finishes_a_part_of_what_became_final_at_once),
        CASE(a_commit_that_drains_finishes_all),
        CASE(no_window_is_published_twice_while_something_is_held_back),
        CASE(a_crash_between_two_pieces_loses_nothing_and_says_nothing_twice),
        CASE(a_partial_that_comes_after_the_clocks_changes_no_pane_that_is_held_back),
    };
    return cmocka_run_group_tests_name("task pieces", tests, NULL, NULL);
}

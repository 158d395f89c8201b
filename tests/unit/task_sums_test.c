/* Which windows keep a sum.  SPDX-License-Identifier: Apache-2.0 */
#include "task/sums.h"
#include "tests/lib/task_world.h"

static void begin(struct machine *machine, struct log *log) {
    machine_define(machine, log);
    define_window(&machine->definition, "8m", WINDOW_TUMBLING, SUMMED_PANES * MINUTE,
                  SUMMED_PANES * MINUTE, 0);
    assert_ok(machine_open(machine));
}

static void end(struct machine *machine, struct log *log) {
    machine_release(machine);
    log_release(log);
}

/* Another version of each pane of a window, and a publication. */
static void update(struct machine *machine, int64_t window, const char *group, int64_t version) {
    for (int64_t pane = 0; pane < SUMMED_PANES; pane++)
        log_partial(machine->log, &machine->shape, 1, (window * SUMMED_PANES + pane) * MINUTE,
                    group, 0, version, &(struct counts){version % 7 + 1, 1, 1, 0});
    machine_step(machine, SIZE_MAX);
    machine_commit(machine, true);
}

static const struct frame *frame_of(const struct machine *machine, size_t window) {
    const struct frame_list *frames = &machine->stage->tasks[0].windows.frames[0];
    assert_true(window < frames->count);
    return frames->items[window];
}

TEST(sums_of_older_windows_give_way_to_newer_ones) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log);
    update(&machine, 0, "all", 1);
    update(&machine, 0, "zone=a", 1);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 2);
    /* Room for these two and not for a third. */
    machine.config.task_bytes_max = machine.stage->tasks[0].windows.sum_bytes * 4 + 4;
    update(&machine, 1, "all", 1);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 0);
    assert_int_equal(frame_of(&machine, 1)->sum_count, 1);
    update(&machine, 1, "zone=a", 1);
    assert_int_equal(frame_of(&machine, 1)->sum_count, 2);
    /* And never the other way round. */
    update(&machine, 0, "all", 2);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 0);
    assert_int_equal(frame_of(&machine, 1)->sum_count, 2);
    end(&machine, &log);
}

TEST(a_sum_that_changes_more_than_it_is_asked_is_left_alone_for_a_while) {
    struct log log = {0};
    struct machine machine;
    begin(&machine, &log);
    int64_t version = 1;
    update(&machine, 0, "all", version);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 1);
    for (int64_t i = 0; i <= SUMMED_PANES; i++)
        log_partial(&log, &machine.shape, 1, 0, "all", 0, ++version, &(struct counts){3, 1, 1, 0});
    machine_step(&machine, SIZE_MAX);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 0);
    machine_commit(&machine, true);
    for (int i = 1; i < SUM_PAUSE; i++) {
        update(&machine, 0, "all", ++version);
        assert_int_equal(frame_of(&machine, 0)->sum_count, 0);
    }
    update(&machine, 0, "all", ++version);
    assert_int_equal(frame_of(&machine, 0)->sum_count, 1);
    end(&machine, &log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(sums_of_older_windows_give_way_to_newer_ones),
        CASE(a_sum_that_changes_more_than_it_is_asked_is_left_alone_for_a_while),
    };
    return cmocka_run_group_tests_name("task sums", tests, NULL, NULL);
}

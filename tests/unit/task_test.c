/* The life of windows in stage 2.  SPDX-License-Identifier: Apache-2.0 */
#include "task/clocks.h"
#include "tests/lib/task_world.h"

static void start(struct machine *machine, struct log *log) {
    machine_define(machine, log);
    define_window(&machine->definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    define_window(&machine->definition, "2m", WINDOW_TUMBLING, 2 * MINUTE, 2 * MINUTE, 0);
    assert_ok(machine_open(machine));
}

static void advance(struct machine *machine) {
    machine_step(machine, SIZE_MAX);
    machine_commit(machine, false);
}

static struct sli look(const struct machine *machine, const char *metric, int64_t start_ms,
                       int64_t end_ms) {
    struct sli sli;
    const char *window = end_ms - start_ms == MINUTE ? "1m" : "2m";
    assert_true(board_sli(&machine->board, metric, "all", window, start_ms, end_ms, &sli));
    return sli;
}

static struct task_stats stats_of(const struct machine *machine) {
    struct task_stats stats;
    task_stats(machine->stage, &stats);
    return stats;
}

TEST(a_window_goes_from_provisional_to_on_time_to_revised_to_final) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 0, 0, 0});
    advance(&machine);
    struct sli sli = look(&machine, "precision", 0, MINUTE);
    assert_int_equal(sli.status, SLI_PROVISIONAL);
    assert_int_equal(sli.trust, TRUST_NO_LABELS);
    assert_false(sli.has_value);
    assert_int_equal(sli.watermark_ms, WATERMARK_NONE);

    log_partial(&log, &machine.shape, 1, 0, "all", 0, 11, &(struct counts){4, 2, 1, 0});
    log_clocks(&log, "fraud", MINUTE, 0);
    advance(&machine);
    sli = look(&machine, "precision", 0, MINUTE);
    assert_int_equal(sli.status, SLI_ON_TIME);
    assert_int_equal(sli.trust, TRUST_PROVISIONAL);
    assert_int_equal(sli.watermark_ms, MINUTE);
    assert_true(sli.has_value);
    assert_close(sli.value, .5, 0);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).status, SLI_PROVISIONAL);

    log_partial(&log, &machine.shape, 1, 0, "all", 0, 12, &(struct counts){5, 4, 3, 1});
    advance(&machine);
    sli = look(&machine, "precision", 0, MINUTE);
    assert_int_equal(sli.status, SLI_REVISED);
    assert_close(sli.value, .75, 0);
    assert_int_equal(sli.late, 1);
    assert_close(sli.coverage, .8, 0);

    log_clocks(&log, "fraud", 3 * MINUTE, MINUTE);
    advance(&machine);
    sli = look(&machine, "precision", 0, MINUTE);
    assert_int_equal(sli.status, SLI_FINAL);
    assert_int_equal(sli.trust, TRUST_TRUSTED);
    assert_close(sli.value, .75, 0);
    assert_int_equal(sli.watermark_ms, MINUTE); /* its end, however late we come to it */
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).status, SLI_ON_TIME);
    machine_release(&machine);
    log_release(&log);
}

TEST(nothing_is_published_when_nothing_changed) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 2, 1, 0});
    advance(&machine);
    int64_t published = machine.board.published;
    assert_int_equal(published, 4);
    advance(&machine);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 2, 1, 0});
    advance(&machine);
    assert_int_equal(machine.board.published, published);
    /* A newer version of the same content: looked at, and kept back. */
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 11, &(struct counts){4, 2, 1, 0});
    advance(&machine);
    assert_int_equal(machine.board.published, published);
    assert_int_equal(stats_of(&machine).unchanged, 4);
    machine_release(&machine);
    log_release(&log);
}

TEST(a_source_partition_that_never_spoke_holds_back_everything) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 2, 1, 0});
    log_clock(&log, "fraud", 0, 60 * MINUTE, 60 * MINUTE);
    log_clock(&log, "fraud", 1, 60 * MINUTE, 60 * MINUTE);
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).status, SLI_PROVISIONAL);
    assert_int_equal(stats_of(&machine).sealed_before_ms, INT64_MIN);
    log_clock(&log, "fraud", 2, MINUTE, 0);
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).status, SLI_ON_TIME);
    assert_int_equal(stats_of(&machine).sealed_before_ms, MINUTE);
    machine_release(&machine);
    log_release(&log);
}

TEST(a_partial_replaces_that_of_its_source_and_older_ones_are_ignored) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 0, 0, 0});
    log_partial(&log, &machine.shape, 1, 0, "all", 2, 10, &(struct counts){7, 0, 0, 0});
    log_partial(&log, &machine.shape, 1, 0, "all", 1, 10, &(struct counts){1, 0, 0, 0});
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 12, &(struct counts){6, 0, 0, 0});
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 11, &(struct counts){5, 0, 0, 0});
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).predicted, 14);
    assert_int_equal(stats_of(&machine).conflicts, 0);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 12, &(struct counts){9, 0, 0, 0});
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).predicted, 14);
    assert_int_equal(stats_of(&machine).conflicts, 1);
    machine_release(&machine);
    log_release(&log);
}

TEST(a_final_pane_becomes_history_and_its_sources_get_tombstones) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    for (int32_t p = 0; p < 2; p++)
        log_partial(&log, &machine.shape, 1, 0, "all", p, 10, &(struct counts){4, 2, 1, 1});
    log_clocks(&log, "fraud", 2 * MINUTE, MINUTE);
    size_t partials = log.count;
    advance(&machine);
    assert_int_equal(machine.finals, 1);
    assert_int_equal(machine.tombstones, 2);
    assert_int_equal(log.count, partials + 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(slice_equal(buffer_slice(&log.items[i].key),
                                buffer_slice(&log.items[partials + i].key)));
    assert_int_equal(stats_of(&machine).panes, 1); /* the 2m window still needs it */

    advance(&machine); /* reads its own tombstones */
    log_clocks(&log, "fraud", 2 * MINUTE, 2 * MINUTE);
    advance(&machine);
    struct sli sli = look(&machine, "volume", 0, 2 * MINUTE);
    assert_int_equal(sli.status, SLI_FINAL);
    assert_int_equal(sli.predicted, 8);
    assert_int_equal(sli.labelled, 4);
    assert_int_equal(sli.late, 2);
    assert_int_equal(stats_of(&machine).panes, 0);
    assert_int_equal(stats_of(&machine).malformed, 0);
    machine_release(&machine);
    log_release(&log);
}

TEST(nothing_changes_a_final_pane) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 2, 1, 0});
    log_clocks(&log, "fraud", MINUTE, MINUTE);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 11, &(struct counts){9, 2, 1, 0});
    log_partial(&log, &machine.shape, 1, 0, "zone=a", 0, 11, &(struct counts){9, 2, 1, 0});
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).predicted, 4);
    assert_int_equal(stats_of(&machine).ignored, 2);
    log_clocks(&log, "fraud", 2 * MINUTE, 2 * MINUTE);
    log_partial(&log, &machine.shape, 1, 0, "all", 1, 12, &(struct counts){9, 2, 1, 0});
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).predicted, 4);
    assert_int_equal(stats_of(&machine).ignored, 3);
    assert_int_equal(machine.finals, 1);
    machine_release(&machine);
    log_release(&log);
}

TEST(malformed_records_are_counted_and_change_nothing) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 2, 1, 0});
    log_clock(&log, "fraud", 0, MINUTE, 0);
    machine_step(&machine, SIZE_MAX);
    int64_t malformed = 0;
    for (size_t i = 0; i < 2; i++) {
        struct log_record copy = log.items[i];
        for (size_t size = 0; size < copy.value.size; size++, malformed++)
            log_add(&log, buffer_slice(&copy.key), (struct slice){copy.value.data, size});
        for (size_t size = 0; size < copy.key.size; size++, malformed++)
            log_add(&log, (struct slice){copy.key.data, size}, buffer_slice(&copy.value));
    }
    log_add(&log, buffer_slice(&log.items[0].key), buffer_slice(&log.items[1].value));
    log_partial(&log, &machine.shape, 1, 0, "all", WORLD_SOURCES, 1, &(struct counts){1, 0, 0, 0});
    log_partial(&log, &machine.shape, 1, INT64_MAX / 2, "all", 0, 1, &(struct counts){1, 0, 0, 0});
    log_clock(&log, "fraud", WORLD_SOURCES, MINUTE, MINUTE);
    log_clock_of(&log, "fraud", 1, 0, 6, 5, MINUTE, MINUTE);
    malformed += 5;
    advance(&machine);
    assert_int_equal(stats_of(&machine).malformed, malformed);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).predicted, 4);
    assert_int_equal(machine.board.count, 4);
    log_clocks(&log, "other", MINUTE, 0);
    advance(&machine);
    assert_int_equal(stats_of(&machine).ignored, WORLD_SOURCES);
    machine_release(&machine);
    log_release(&log);
}

TEST(a_window_of_two_epochs_says_so_and_waits_for_both) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 0, 0, 0});
    log_partial(&log, &machine.shape, 2, MINUTE, "all", 0, 20, &(struct counts){6, 0, 0, 0});
    advance(&machine);
    struct sli sli = look(&machine, "volume", 0, 2 * MINUTE);
    assert_int_equal(sli.predicted, 10);
    assert_int_equal(sli.epoch, 2);
    assert_true(sli.mixed_epochs);
    assert_false(look(&machine, "volume", 0, MINUTE).mixed_epochs);
    for (int32_t p = 0; p < WORLD_SOURCES; p++) {
        log_clock_of(&log, "fraud", 1, p, 0, MINUTE, MINUTE, 0);
        log_clock_of(&log, "fraud", 2, p, MINUTE, INT64_MAX, 2 * MINUTE, 2 * MINUTE);
    }
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).status, SLI_ON_TIME);
    assert_int_equal(look(&machine, "volume", MINUTE, 2 * MINUTE).status, SLI_FINAL);
    for (int32_t p = 0; p < WORLD_SOURCES; p++)
        log_clock_of(&log, "fraud", 1, p, 0, MINUTE, MINUTE, MINUTE);
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, MINUTE).status, SLI_FINAL);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).status, SLI_FINAL);
    assert_int_equal(stats_of(&machine).panes, 0);
    machine_release(&machine);
    log_release(&log);
}

/* As when a definition is corrected within the pane in which it was deployed. */
TEST(an_epoch_that_was_replaced_before_its_first_record_holds_nothing_back) {
    struct log log = {0};
    struct machine machine;
    start(&machine, &log);
    log_partial(&log, &machine.shape, 1, 0, "all", 0, 10, &(struct counts){4, 0, 0, 0});
    log_partial(&log, &machine.shape, 3, MINUTE, "all", 0, 20, &(struct counts){6, 0, 0, 0});
    for (int32_t p = 0; p < WORLD_SOURCES; p++)
        log_clock_of(&log, "fraud", 2, p, MINUTE, INT64_MAX, 0, 0);
    advance(&machine);
    for (int32_t p = 0; p < WORLD_SOURCES; p++) {
        log_clock_of(&log, "fraud", 1, p, 0, MINUTE, 2 * MINUTE, 2 * MINUTE);
        log_clock_of(&log, "fraud", 2, p, MINUTE, MINUTE, 2 * MINUTE, 2 * MINUTE);
        log_clock_of(&log, "fraud", 3, p, MINUTE, INT64_MAX, 2 * MINUTE, 2 * MINUTE);
    }
    advance(&machine);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).status, SLI_FINAL);
    assert_int_equal(look(&machine, "volume", 0, 2 * MINUTE).predicted, 10);
    assert_int_equal(stats_of(&machine).malformed, 0);
    machine_release(&machine);
    log_release(&log);
}

/* Epoch e covers minute e - 1, all of them final; of one that covers nothing no end was told. */
static void log_epochs(struct log *log, int64_t first, int64_t step, int64_t count) {
    for (int64_t i = 0, epoch = first; i < count; i++, epoch += step)
        for (int32_t p = 0; p < WORLD_SOURCES; p++)
            if (epoch == 2)
                log_clock_of(log, "fraud", epoch, p, epoch * MINUTE, INT64_MAX, 0, 0);
            else
                log_clock_of(log, "fraud", epoch, p, (epoch - 1) * MINUTE, epoch * MINUTE,
                             epoch * MINUTE, epoch * MINUTE);
}

TEST(a_task_may_be_defined_anew_more_often_than_epochs_are_remembered) {
    enum { EPOCHS = 2 * EPOCHS_MAX };
    for (int is_backwards = 0; is_backwards <= 1; is_backwards++) {
        struct log log = {0};
        struct machine machine;
        start(&machine, &log);
        log_partial(&log, &machine.shape, EPOCHS, (EPOCHS - 1) * MINUTE, "all", 0, 10,
                    &(struct counts){4, 0, 0, 0});
        if (is_backwards)
            log_epochs(&log, EPOCHS, -1, EPOCHS);
        else
            log_epochs(&log, 1, 1, EPOCHS);
        advance(&machine);
        assert_int_equal(look(&machine, "volume", (EPOCHS - 1) * MINUTE, EPOCHS * MINUTE).status,
                         SLI_FINAL);
        assert_int_equal(stats_of(&machine).malformed, 0);
        machine_release(&machine);
        log_release(&log);
    }
}

TEST(the_newest_windows_go_first_and_older_ones_wait_no_longer_than_they_may) {
    enum { PANES = 3000 };
    struct log log = {0};
    struct machine machine;
    machine_define(&machine, &log);
    define_window(&machine.definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    assert_ok(machine_open(&machine));
    for (int64_t i = 0; i < PANES; i++)
        log_partial(&log, &machine.shape, 1, i * MINUTE, "all", 0, i, &(struct counts){1, 0, 0, 0});
    advance(&machine);
    assert_int_equal(machine.board.published, 2000);
    struct sli sli;
    assert_true(board_sli(&machine.board, "volume", "all", "1m", (PANES - 1) * MINUTE,
                          PANES * MINUTE, &sli));
    assert_false(board_sli(&machine.board, "volume", "all", "1m", 0, MINUTE, &sli));
    assert_int_equal(stats_of(&machine).windows_waiting, 2000);
    machine.now_ms = machine.config.revision_interval_ms;
    advance(&machine);
    assert_int_equal(machine.board.published, 2 * PANES);
    assert_int_equal(stats_of(&machine).windows_waiting, 0);
    machine_release(&machine);
    log_release(&log);
}

TEST(passing_a_boundary_does_not_wait) {
    enum { PANES = 3000 };
    struct log log = {0};
    struct machine machine;
    machine_define(&machine, &log);
    define_window(&machine.definition, "1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0);
    assert_ok(machine_open(&machine));
    for (int64_t i = 0; i < PANES; i++)
        log_partial(&log, &machine.shape, 1, i * MINUTE, "all", 0, i, &(struct counts){1, 0, 0, 0});
    log_clocks(&log, "fraud", 1500 * MINUTE, 1000 * MINUTE);
    advance(&machine);
    struct sli sli;
    assert_true(board_sli(&machine.board, "volume", "all", "1m", 0, MINUTE, &sli));
    assert_int_equal(sli.status, SLI_FINAL);
    assert_int_equal(machine.board.published, 2 * 1500 + 2000);
    assert_int_equal(stats_of(&machine).panes, 2000);
    machine_release(&machine);
    log_release(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_window_goes_from_provisional_to_on_time_to_revised_to_final),
        CASE(nothing_is_published_when_nothing_changed),
        CASE(a_source_partition_that_never_spoke_holds_back_everything),
        CASE(a_partial_replaces_that_of_its_source_and_older_ones_are_ignored),
        CASE(a_final_pane_becomes_history_and_its_sources_get_tombstones),
        CASE(nothing_changes_a_final_pane),
        CASE(malformed_records_are_counted_and_change_nothing),
        CASE(a_window_of_two_epochs_says_so_and_waits_for_both),
        CASE(an_epoch_that_was_replaced_before_its_first_record_holds_nothing_back),
        CASE(a_task_may_be_defined_anew_more_often_than_epochs_are_remembered),
        CASE(the_newest_windows_go_first_and_older_ones_wait_no_longer_than_they_may),
        CASE(passing_a_boundary_does_not_wait),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}

/* Labels refused for the orphan limit: few ranges for many of them, and no replay joins them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "partition/internal.h"
#include "tests/lib/partition_world.h"

enum { OLD = 5 };

static void add(enum log_side log, const char *prefix, int number) {
    char id[16];
    (void)snprintf(id, sizeof id, "%s%d", prefix, number);
    world_add(log, id, world_start_ms, log == LOG_PREDICTIONS ? .7 : 1, 0);
}

/* Predictions whose labels come later, and all the room for orphans taken. */
static void open_full(void) {
    world_create(WORLD_HOUR);
    world.config.orphans_max = 1;
    partition_set_predictions_at_end(world.partition, true);
    for (int i = 0; i < OLD; i++)
        add(LOG_PREDICTIONS, "old", i);
    add(LOG_FEEDBACK, "orphan", 0);
    assert_int_equal(world_step().orphans, 1);
}

TEST(a_range_goes_on_until_a_label_joins_a_newer_prediction) {
    open_full();
    for (int i = 0; i < OLD; i++) {
        add(LOG_PREDICTIONS, "new", i);
        add(LOG_FEEDBACK, "nobody", i);
        add(LOG_FEEDBACK, "old", i);
        (void)world_step();
    }
    assert_int_equal(world_step().refused[REFUSAL_ORPHAN_LIMIT], OLD);
    assert_int_equal(world_step().labelled, OLD);
    assert_int_equal(world.partition->decision_count, 1);
    add(LOG_FEEDBACK, "new", 1);
    add(LOG_FEEDBACK, "nobody", OLD);
    (void)world_step();
    assert_int_equal(world.partition->decision_count, 2);

    /* Their predictions come after all, too late. */
    world_commit(true);
    for (int i = 0; i <= OLD; i++)
        add(LOG_PREDICTIONS, "nobody", i);
    assert_int_equal(world_step().labelled, OLD + 1);
    world_commit(true);
    for (int loses_disk = 0; loses_disk < 2; loses_disk++) {
        (void)world_reopen(loses_disk);
        struct partition_stats stats = world_step();
        assert_int_equal(stats.labelled, OLD + 1);
        assert_int_equal(stats.refused[REFUSAL_ORPHAN_LIMIT], OLD + 1);
        assert_int_equal(stats.orphans, 1);
    }
    /* The rows of those predictions have no label. */
    partition_set_predictions_at_end(world.partition, false);
    for (int i = 0; i <= OLD; i++)
        add(LOG_FEEDBACK, "nobody", i);
    struct partition_stats stats = world_step();
    assert_int_equal(stats.labelled, 2 * (OLD + 1));
    assert_int_equal(stats.superseded, 0);
    world_destroy();
}

TEST(the_oldest_of_too_many_ranges_is_forgotten) {
    open_full();
    for (int i = 0; i < OVERFLOWS_MAX + 3; i++) {
        world.count = world.stepped = 0;
        add(LOG_PREDICTIONS, "new", i);
        add(LOG_FEEDBACK, "new", i);
        add(LOG_FEEDBACK, "nobody", i);
        (void)world_step();
    }
    assert_int_equal(world.partition->decision_count, OVERFLOWS_MAX);
    assert_int_equal(world_step().overflows_forgotten, 3);
    assert_int_equal(world_step().refused[REFUSAL_ORPHAN_LIMIT], OVERFLOWS_MAX + 3);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_range_goes_on_until_a_label_joins_a_newer_prediction),
        CASE(the_oldest_of_too_many_ranges_is_forgotten),
    };
    return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}

/* What a partition that is far behind publishes: what must travel, what has waited long enough, and
 * what would not fit in memory.  SPDX-License-Identifier: Apache-2.0 */
#include "partial.h"
#include "tests/lib/partition_world.h"

enum { REVISION_MS = 10000 };

static void create(void) {
    world_create(48 * WORLD_HOUR);
    world.config.revision_interval_ms = REVISION_MS;
    partition_set_behind(world.partition, true);
}

static void predict(const char *id, int hour) {
    (void)world_add(LOG_PREDICTIONS, id, world_start_ms + (int64_t)hour * WORLD_HOUR, .7, 0);
    (void)world_step();
}

/* Counts that a commit at this wall time carries; a pane has one entry here. */
static int counts_at(int64_t now_ms) {
    int count = 0;
    outbox_reset(&world.outbox);
    assert_ok(partition_commit(world.partition, now_ms, false, &world.outbox, NULL));
    for (size_t i = 0; i < world.outbox.count; i++) {
        struct partial_key key;
        if (world.outbox.messages[i].topic != TOPIC_PARTIALS)
            continue;
        assert_true(partial_read_key(world.outbox.messages[i].key, &key));
        count += key.family == PARTIAL_COUNTS;
    }
    assert_ok(partition_committed(world.partition, now_ms, false, NULL));
    return count;
}

TEST(what_is_behind_waits_for_the_revision_interval_and_no_longer) {
    create();
    predict("a", 0);
    assert_int_equal(counts_at(1000), 0);
    predict("b", 0);
    assert_int_equal(counts_at(1000 + REVISION_MS - 1), 0);
    assert_int_equal(counts_at(1000 + REVISION_MS), 1);
    assert_int_equal(counts_at(2000 + 2 * REVISION_MS), 0); /* nothing is new */
    predict("c", 0);
    assert_int_equal(counts_at(3000 + 2 * REVISION_MS), 0); /* it waits from here on */
    assert_int_equal(counts_at(2000 + 3 * REVISION_MS), 0);
    assert_int_equal(counts_at(3000 + 3 * REVISION_MS), 1);
    world_destroy();
}

TEST(what_is_no_longer_behind_is_published_at_once) {
    create();
    predict("a", 0);
    assert_int_equal(counts_at(1000), 0);
    partition_set_behind(world.partition, false);
    assert_int_equal(counts_at(1001), 1);
    predict("b", 0);
    assert_int_equal(counts_at(1002), 1);
    world_destroy();
}

TEST(a_pane_that_was_sealed_travels_with_the_clock_that_says_so) {
    create();
    predict("a", 0);
    assert_int_equal(counts_at(1000), 0);
    predict("b", 2); /* its own pane stays open */
    assert_int_equal(counts_at(1001), 1);
    world_destroy();
}

TEST(no_more_waits_than_fits_in_half_of_the_memory_for_panes) {
    create();
    world.config.pane_bytes_max = 8 * 1024;
    world.config.disorder_ms = 48 * WORLD_HOUR; /* nothing is sealed */
    for (int hour = 0; hour < 4; hour++)
        predict("a", hour);
    assert_int_equal(counts_at(1000), 0);
    predict("a", 4);
    assert_int_equal(counts_at(1001), 5);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_behind_waits_for_the_revision_interval_and_no_longer),
        CASE(what_is_no_longer_behind_is_published_at_once),
        CASE(a_pane_that_was_sealed_travels_with_the_clock_that_says_so),
        CASE(no_more_waits_than_fits_in_half_of_the_memory_for_panes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

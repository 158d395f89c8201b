/* One id used in very many segments (an entity's key, a mistake of a producer) must not cost other
 * ids their look-ups, nor itself its identity.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "partition/locator.h"
#include "partition/partition.h"

enum { MINUTE = 60000, SEGMENTS = 100, OTHERS = 64, LABELS = 200, EPOCHS = 8 };

static const int64_t start_ms = 1700000000000 / MINUTE * MINUTE;
static struct column_definition columns[] = {{"$.id", false}, {"$.score", false}};

static struct world {
    struct task_definition tasks[EPOCHS]; /* of one task, the newest in use */
    struct config config;
    struct memory_disk *disk;
    struct store *store;
    struct partition *partition;
    struct outbox outbox;
    struct event events[LABELS + OTHERS];
    struct value values[LABELS + OTHERS][2];
    char ids[LABELS + OTHERS][16];
    size_t count;
    int64_t offsets[LOG_COUNT];
} world;

static void open_world_of(int epochs, size_t locator_bytes, int64_t disorder_ms) {
    world = (struct world){0};
    world.tasks[0] = (struct task_definition){.name = "t",
                                              .kind = TASK_BINARY,
                                              .horizon_ms = 2 * SEGMENTS * MINUTE,
                                              .pane_ms = MINUTE,
                                              .segment_ms = MINUTE,
                                              .threshold = .5,
                                              .level = .95,
                                              .cell_count = 256,
                                              .score_column = 1,
                                              .output_column = -1,
                                              .label_column = 1,
                                              .where_column = -1,
                                              .feedback_where_column = -1,
                                              .groups_max = 10,
                                              .epoch = 1};
    for (int i = 1; i < epochs; i++) {
        world.tasks[i] = world.tasks[0];
        world.tasks[i].epoch = i + 1;
    }
    const struct topic_definition topic = {
        .topic = "p", .columns = columns, .column_count = 2, .disorder_max_ms = disorder_ms};
    world.config = (struct config){.application = "a",
                                   .tasks = world.tasks,
                                   .task_count = epochs,
                                   .predictions = topic,
                                   .feedback = topic,
                                   .partials_partitions = 1,
                                   .commit_bytes = 1 << 20,
                                   .orphans_max = 1000,
                                   .delta_rows_max = 1000,
                                   .delta_bytes_max = 2, /* nothing stays in memory after a flush */
                                   .locator_bytes_max = locator_bytes,
                                   .pane_bytes_max = 1 << 20};
    world.disk = memory_disk_create();
    assert_ok(store_memory_open(world.disk, NULL, &world.store, NULL));
    const struct partition_options options = {.config = &world.config, .store = world.store};
    assert_ok(partition_open(&options, &world.partition, NULL));
    outbox_init(&world.outbox);
}

static void open_world_with(size_t locator_bytes, int64_t disorder_ms) {
    open_world_of(1, locator_bytes, disorder_ms);
}

static void open_world(void) {
    open_world_with(8 << 20, INT64_C(2) * SEGMENTS * MINUTE);
}

static void close_world(void) {
    partition_close(world.partition);
    world.store->ops->close(world.store);
    memory_disk_destroy(world.disk);
    outbox_release(&world.outbox);
}

static void add(enum log_side log, const char *name, int number, int64_t time_ms, double value) {
    size_t at = world.count++;
    (void)snprintf(world.ids[at], sizeof world.ids[at], "%s%d", name, number);
    world.values[at][1] = (struct value){.kind = VALUE_DOUBLE, .as.real = value};
    world.events[at] = (struct event){.log = log,
                                      .offset = world.offsets[log]++,
                                      .record_ms = TIME_NONE,
                                      .id = slice_from(world.ids[at]),
                                      .time_ms = time_ms,
                                      .prediction_ms = TIME_NONE,
                                      .columns = world.values[at]};
}

static struct partition_stats step(void) {
    struct partition_stats stats;
    assert_ok(partition_step(world.partition, world.events, world.count, &world.outbox, NULL));
    world.count = 0;
    partition_stats(world.partition, &stats);
    return stats;
}

static void flush(void) {
    assert_ok(partition_commit(world.partition, 1, true, &world.outbox, NULL));
    assert_ok(partition_committed(world.partition, 1, true, NULL));
    outbox_reset(&world.outbox);
}

/* The one id in each segment, others in the first one, all of them in the store only. */
static void store_rows(void) {
    for (int i = 0; i < OTHERS; i++)
        add(LOG_PREDICTIONS, "other", i, start_ms, .7);
    for (int i = 0; i < SEGMENTS; i++)
        add(LOG_PREDICTIONS, "same", 0, start_ms + (int64_t)i * MINUTE, .7);
    assert_int_equal(step().predicted, OTHERS + SEGMENTS);
    flush();
}

TEST(labels_of_an_id_in_many_segments_do_not_crowd_out_others) {
    open_world();
    store_rows();
    for (int i = 0; i < LABELS; i++)
        add(LOG_FEEDBACK, "same", 0, start_ms + (int64_t)SEGMENTS * MINUTE, 1);
    for (int i = 0; i < OTHERS; i++)
        add(LOG_PREDICTIONS, "other", i, start_ms, .7);
    assert_int_equal(step().duplicates, OTHERS);
    close_world();
}

TEST(an_id_in_many_segments_is_known_in_each) {
    open_world();
    store_rows();
    for (int i = 0; i < SEGMENTS; i++)
        add(LOG_PREDICTIONS, "same", 0, start_ms + (int64_t)i * MINUTE, .7);
    assert_int_equal(step().duplicates, SEGMENTS);
    close_world();
}

/* The locator has room for one flush of the three. */
TEST(a_full_locator_knows_the_newest_segments) {
    open_world_with(1500, INT64_C(2) * SEGMENTS * MINUTE);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < OTHERS; j++)
            add(LOG_PREDICTIONS, "other", i * OTHERS + j, start_ms + (int64_t)i * MINUTE, .7);
        (void)step();
        flush();
    }
    for (int i = 0; i < 2; i++) {
        int64_t before = step().look_ups;
        bool is_newest = i == 0;
        add(LOG_FEEDBACK, "other", is_newest ? 2 * OTHERS : 0, start_ms + 10 * MINUTE, 1);
        struct partition_stats stats = step();
        assert_int_equal(stats.labelled, i + 1);
        assert_int_equal(stats.look_ups - before, is_newest ? 1 : 2);
    }
    close_world();
}

TEST(a_label_finds_the_newest_of_very_many_rows) {
    open_world();
    store_rows();
    add(LOG_FEEDBACK, "same", 0, start_ms + (int64_t)SEGMENTS * MINUTE, 1);
    assert_int_equal(step().labelled, 1);
    /* The row of the newest segment has it: a second label there replaces it. */
    add(LOG_FEEDBACK, "same", 0, start_ms + (int64_t)SEGMENTS * MINUTE + 1, 1);
    world.events[0].prediction_ms = start_ms + (int64_t)(SEGMENTS - 1) * MINUTE;
    assert_int_equal(step().superseded, 1);
    close_world();
}

TEST(definitions_that_were_replaced_take_no_part_of_the_locator) {
    open_world_of(EPOCHS, 6000, INT64_C(2) * SEGMENTS * MINUTE);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < OTHERS; j++)
            add(LOG_PREDICTIONS, "other", i * OTHERS + j, start_ms + (int64_t)i * MINUTE, .7);
        (void)step();
        flush();
    }
    add(LOG_FEEDBACK, "other", 0, start_ms + 10 * MINUTE, 1);
    struct partition_stats stats = step();
    assert_int_equal(stats.labelled, 1);
    assert_int_equal(stats.look_ups, 1);
    close_world();
}

/* A label that comes days late, as after an outage of their producer, when more segments are alive
 * than the locator has codes. */
TEST(a_label_finds_a_row_that_is_more_segments_back_than_there_are_codes) {
    enum { CODES = 1 << LOCATOR_SEGMENT_BITS };
    open_world_with(8 << 20, INT64_C(2) * CODES * MINUTE);
    add(LOG_PREDICTIONS, "old", 0, start_ms, .7);
    add(LOG_PREDICTIONS, "new", 0, start_ms + (int64_t)(CODES + 5) * MINUTE, .7);
    (void)step();
    flush();
    add(LOG_FEEDBACK, "old", 0, start_ms + 2 * MINUTE, 1);
    add(LOG_FEEDBACK, "new", 0, start_ms + (int64_t)(CODES + 6) * MINUTE, 1);
    struct partition_stats stats = step();
    assert_int_equal(stats.labelled, 2);
    assert_int_equal(stats.look_ups, 2);
    close_world();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(labels_of_an_id_in_many_segments_do_not_crowd_out_others),
        CASE(an_id_in_many_segments_is_known_in_each),
        CASE(a_full_locator_knows_the_newest_segments),
        CASE(definitions_that_were_replaced_take_no_part_of_the_locator),
        CASE(a_label_finds_a_row_that_is_more_segments_back_than_there_are_codes),
        CASE(a_label_finds_the_newest_of_very_many_rows),
    };
    return cmocka_run_group_tests_name("look_up", tests, NULL, NULL);
}

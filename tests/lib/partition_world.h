/* partition_world.h -- one input partition of a binary task on a disk in memory: records are added,
 * stepped, committed; it opens again on its disk, or on an empty one, and replays.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_LIB_PARTITION_WORLD_H
#define SLIPSTREAM_TESTS_LIB_PARTITION_WORLD_H

#include "partition/partition.h"
#include "tests/lib/test.h"

enum { WORLD_MINUTE = 60000, WORLD_HOUR = 3600000, WORLD_EVENTS_MAX = 8192 };

static const int64_t world_start_ms = INT64_C(1700000000000) / WORLD_HOUR * WORLD_HOUR;
static struct column_definition world_columns[] = {{"$.id", false}, {"$.value", false}};

static struct {
    struct task_definition task;
    struct config config;
    struct memory_disk *disk;
    struct store *store;
    struct partition *partition;
    struct outbox outbox;             /* since the last commit */
    struct buffer checkpoint, groups; /* as committed */
    struct event events[WORLD_EVENTS_MAX];
    struct value values[WORLD_EVENTS_MAX][2];
    char ids[WORLD_EVENTS_MAX][16];
    size_t count, stepped;
    int64_t offsets[LOG_COUNT];
} world;

static inline enum status world_try_open(struct error *err) {
    assert_ok(store_memory_open(world.disk, NULL, &world.store, NULL));
    const struct partition_options options = {.config = &world.config,
                                              .store = world.store,
                                              .checkpoint = buffer_slice(&world.checkpoint),
                                              .groups = buffer_slice(&world.groups)};
    enum status status = partition_open(&options, &world.partition, err);
    if (status != STATUS_OK) {
        world.store->ops->close(world.store);
        world.store = NULL;
    }
    return status;
}

static inline void world_create(int64_t horizon_ms) {
    memset(&world, 0, sizeof world);
    world.task = (struct task_definition){.name = "t",
                                          .kind = TASK_BINARY,
                                          .horizon_ms = horizon_ms,
                                          .pane_ms = WORLD_HOUR,
                                          .segment_ms = WORLD_HOUR,
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
    const struct topic_definition topic = {.topic = "p",
                                           .columns = world_columns,
                                           .column_count = 2,
                                           .prediction_time_column = -1,
                                           .disorder_max_ms = WORLD_HOUR};
    world.config = (struct config){.application = "a",
                                   .tasks = &world.task,
                                   .task_count = 1,
                                   .predictions = topic,
                                   .feedback = topic,
                                   .skew_ms = WORLD_MINUTE,
                                   .partials_partitions = 1,
                                   .commit_bytes = 1 << 20,
                                   .orphans_max = 1000,
                                   .delta_rows_max = 1000,
                                   .delta_bytes_max = 1 << 20,
                                   .flush_interval_ms = INT64_MAX / 2,
                                   .locator_bytes_max = 1 << 20,
                                   .dead_letter_bytes_max = 900000,
                                   .pane_bytes_max = 1 << 20};
    world.disk = memory_disk_create();
    outbox_init(&world.outbox);
    buffer_init(&world.checkpoint, 1 << 24);
    buffer_init(&world.groups, 1 << 24);
    assert_ok(world_try_open(NULL));
}

static inline void world_close(void) {
    partition_close(world.partition);
    if (world.store)
        world.store->ops->close(world.store);
    world.partition = NULL;
    world.store = NULL;
}

static inline void world_destroy(void) {
    world_close();
    memory_disk_destroy(world.disk);
    outbox_release(&world.outbox);
    buffer_release(&world.checkpoint);
    buffer_release(&world.groups);
}

/* A record whose timestamp is its time, read when its producer's clock is right (wall_ms 0: no
 * clock is known). */
static inline struct event *world_add(enum log_side log, const char *id, int64_t time_ms,
                                      double value, int64_t wall_ms) {
    size_t at = world.count++;
    assert_true(at < WORLD_EVENTS_MAX);
    (void)snprintf(world.ids[at], sizeof world.ids[at], "%s", id);
    world.values[at][1] = (struct value){.kind = VALUE_DOUBLE, .as.real = value};
    world.events[at] = (struct event){.log = log,
                                      .offset = world.offsets[log]++,
                                      .record_ms = time_ms,
                                      .wall_ms = wall_ms,
                                      .id = slice_from(world.ids[at]),
                                      .time_ms = time_ms,
                                      .prediction_ms = TIME_NONE,
                                      .columns = world.values[at],
                                      .raw_key = SLICE("raw key"),
                                      .raw_value = SLICE("raw value")};
    return &world.events[at];
}

static inline struct partition_stats world_step(void) {
    struct partition_stats stats;
    assert_ok(partition_step(world.partition, world.events + world.stepped,
                             world.count - world.stepped, &world.outbox, NULL));
    world.stepped = world.count;
    partition_stats(world.partition, &stats);
    return stats;
}

static inline void world_keep(struct buffer *buffer, struct slice value) {
    buffer_reset(buffer);
    buffer_append(buffer, value.data, value.size);
}

static inline void world_commit(bool flush) {
    char scratch[2][32];
    assert_ok(partition_commit(world.partition, 1, true, &world.outbox, NULL));
    for (size_t i = 0; i < world.outbox.count; i++) {
        const struct message *message = &world.outbox.messages[i];
        if (message->topic != TOPIC_CHECKPOINTS)
            continue;
        if (slice_equal(message->key, checkpoint_key(0, scratch[0])))
            world_keep(&world.checkpoint, message->value);
        if (slice_equal(message->key, groups_key(0, scratch[1])))
            world_keep(&world.groups, message->value);
    }
    assert_ok(partition_committed(world.partition, 1, flush, NULL));
    outbox_reset(&world.outbox);
}

/* The process dies after its last commit and starts again; what is lost of the disk is replayed.
 * Gives the records that were replayed. */
static inline int64_t world_reopen(bool loses_disk) {
    world_close();
    if (loses_disk) {
        memory_disk_destroy(world.disk);
        world.disk = memory_disk_create();
    }
    assert_ok(world_try_open(NULL));
    int64_t replayed = 0;
    for (size_t i = 0; i < world.count && !partition_is_live(world.partition); i++) {
        const struct event *event = &world.events[i];
        if (event->offset < partition_position(world.partition, event->log) ||
            event->offset >= partition_until(world.partition, event->log))
            continue;
        assert_ok(partition_step(world.partition, event, 1, &world.outbox, NULL));
        replayed++;
    }
    assert_true(partition_is_live(world.partition));
    return replayed;
}

#endif

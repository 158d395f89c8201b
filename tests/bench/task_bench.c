/* task_bench.c -- stage 2: partials into the table, windows out of it, in CPU time.
 *
 *   100 groups, 60 panes of a minute, 12 source partitions, 100 rows a partial; windows of 1 and 5
 *   minutes; all binary metrics.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "metrics/metric.h"
#include "partial.h"
#include "task/task.h"

enum { GROUPS = 100, PANES = 60, SOURCES = 12, ROWS = 100, MINUTE = 60000 };
enum { RECORDS = GROUPS * PANES * SOURCES };

struct bench {
    struct task_definition definition;
    struct config config;
    struct shape shape;
    struct memory_disk *disk;
    struct store *store;
    struct task_stage *stage;
    struct task_record *records; /* RECORDS; keys and values live in arena */
    struct arena arena;
    struct outbox outbox;
    struct error err;
};

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

static void require(enum status status, const struct error *err) {
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "task_bench: %s\n", err->text);
    exit(1);
}

/* xorshift64*: Marsaglia 2003. */
static double next_uniform(void) {
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static void define(struct bench *bench) {
    struct task_definition *definition = &bench->definition;
    *definition = (struct task_definition){.name = "bench",
                                           .kind = TASK_BINARY,
                                           .pane_ms = MINUTE,
                                           .threshold = .5,
                                           .level = .95,
                                           .cell_count = 256,
                                           .window_count = 2};
    definition->windows[0] = (struct window_definition){"1m", WINDOW_TUMBLING, MINUTE, MINUTE, 0};
    definition->windows[1] =
        (struct window_definition){"5m", WINDOW_TUMBLING, 5 * MINUTE, 5 * MINUTE, 0};
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            definition->metrics[definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    bench->config = (struct config){.tasks = definition, .task_count = 1};
    shape_init(&bench->shape, definition);
}

static void fill(const struct bench *bench, struct tables *tables) {
    tables_clear(tables);
    for (int i = 0; i < ROWS; i++) {
        struct pair pair = {.output = {.score = next_uniform()}, .lag_ms = 60000};
        struct prediction_part prediction;
        prediction_part_of(&bench->shape, &pair.output, &prediction);
        tables_add_prediction(tables, &prediction);
        if (i % 2)
            continue;
        pair.label.value = next_uniform() < pair.output.score ? 1 : 0;
        struct label_part label;
        label_part_of(&bench->shape, &pair, &label);
        tables_add_label(tables, &label, 1);
    }
}

/* Every partial, in the order in which 12 partitions would send them: pane by pane. */
static size_t make_records(struct bench *bench, int64_t version) {
    struct tables *tables = tables_create();
    struct buffer key, value, encoded;
    buffer_init(&key, 1 << 20);
    buffer_init(&value, 1 << 20);
    buffer_init(&encoded, 1 << 20);
    size_t bytes = 0;
    for (int i = 0; i < RECORDS; i++) {
        char group[32];
        int size = snprintf(group, sizeof group, "zone=%d", i % GROUPS);
        buffer_reset(&key);
        buffer_reset(&value);
        buffer_reset(&encoded);
        fill(bench, tables);
        tables_write(tables, &encoded);
        const struct partial partial = {.key = {.family = PARTIAL_COUNTS,
                                                .task = SLICE("bench"),
                                                .epoch = 1,
                                                .group = {group, (size_t)size},
                                                .pane_ms = i / GROUPS / SOURCES * (int64_t)MINUTE,
                                                .partition = i / GROUPS % SOURCES},
                                        .version_predictions = version,
                                        .version_labels = version,
                                        .tables = buffer_slice(&encoded)};
        struct partial ended = partial;
        ended.pane_end_ms = partial.key.pane_ms + MINUTE;
        partial_write_key(&partial.key, &key);
        partial_write(&ended, &value);
        bytes += value.size;
        bench->records[i] = (struct task_record){version * RECORDS + i,
                                                 arena_copy(&bench->arena, buffer_slice(&key)),
                                                 arena_copy(&bench->arena, buffer_slice(&value))};
    }
    buffer_release(&key);
    buffer_release(&value);
    buffer_release(&encoded);
    tables_destroy(tables);
    return bytes;
}

static void measure_step(struct bench *bench, const char *what) {
    double started = now_us();
    require(task_step(bench->stage, bench->records, RECORDS, &bench->err), &bench->err);
    double each_us = (now_us() - started) / RECORDS;
    printf("%-34s %8.3f us a partial   %9.0f a second and core\n", what, each_us, 1e6 / each_us);
}

static void measure_commit(struct bench *bench, const char *what) {
    struct task_stats before, after;
    task_stats(bench->stage, &before);
    outbox_reset(&bench->outbox);
    double started = now_us();
    require(task_commit(bench->stage, 0, true, &bench->outbox, &bench->err), &bench->err);
    double spent_us = now_us() - started;
    task_stats(bench->stage, &after);
    int64_t slis = after.published - before.published;
    printf("%-34s %8.3f us an SLI      %9lld SLIs, %zu bytes each\n", what, spent_us / (double)slis,
           (long long)slis, bench->outbox.bytes / (size_t)slis);
}

static void measure_flush(struct bench *bench) {
    double started = now_us();
    require(task_committed(bench->stage, 0, true, &bench->err), &bench->err);
    printf("%-34s %8.3f ms\n", "flush into the memory store", (now_us() - started) / 1000);
}

static void finish(struct bench *bench) {
    for (int32_t p = 0; p < SOURCES; p++) {
        char bytes[2][256];
        struct buffer key, value;
        buffer_init(&key, sizeof bytes[0]);
        buffer_init(&value, sizeof bytes[1]);
        const struct clock_partial clock = {
            .key = {.family = PARTIAL_CLOCK, .task = SLICE("bench"), .epoch = 1, .partition = p},
            .until_ms = INT64_MAX,
            .sealed_before_ms = PANES * (int64_t)MINUTE,
            .final_before_ms = PANES * (int64_t)MINUTE};
        partial_write_key(&clock.key, &key);
        clock_partial_write(&clock, &value);
        const struct task_record record = {task_position(bench->stage), buffer_slice(&key),
                                           buffer_slice(&value)};
        require(task_step(bench->stage, &record, 1, &bench->err), &bench->err);
        buffer_release(&key);
        buffer_release(&value);
    }
}

int main(void) {
    static struct bench bench;
    define(&bench);
    bench.disk = memory_disk_create();
    require(store_memory_open(bench.disk, NULL, &bench.store, &bench.err), &bench.err);
    const struct task_options options = {
        .config = &bench.config, .source_partitions = SOURCES, .store = bench.store};
    require(task_open(&options, &bench.stage, &bench.err), &bench.err);
    bench.records = alloc_zero(RECORDS, sizeof *bench.records);
    arena_init(&bench.arena);
    outbox_init(&bench.outbox);

    size_t bytes = make_records(&bench, 0);
    printf("%d partials of %zu bytes, %d metrics\n", RECORDS, bytes / RECORDS,
           bench.definition.metric_count);
    measure_step(&bench, "step, new panes");
    struct task_stats stats;
    task_stats(bench.stage, &stats);
    printf("%-34s %8.1f bytes a partial\n", "memory", (double)stats.bytes / RECORDS);
    measure_commit(&bench, "commit, first publication");
    measure_flush(&bench);
    arena_reset(&bench.arena);
    (void)make_records(&bench, 1);
    measure_step(&bench, "step, replacing");
    measure_commit(&bench, "commit, revised");
    finish(&bench);
    measure_commit(&bench, "commit, final, with history");

    task_close(bench.stage);
    bench.store->ops->close(bench.store);
    memory_disk_destroy(bench.disk);
    free(bench.records);
    arena_release(&bench.arena);
    outbox_release(&bench.outbox);
    return 0;
}

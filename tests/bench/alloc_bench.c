/* alloc_bench.c -- allocations of stage 1 a record, on the memory store.
 *
 * The linker sends malloc, calloc and realloc of everything linked statically (all of ours) through
 * the counters here. The stream is steady: 8 groups, one prediction every 100 ms, half of them
 * labelled ten seconds later, 10-minute horizon; commits every 10,000 records. Steps alone are
 * counted, after several horizons of warm-up; commits (which copy into the outbox) apart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "metrics/metric.h"
#include "partition/partition.h"

enum { GROUPS = 8, SPACING_MS = 100, LABEL_AFTER = 100, BATCH = 1000, ROUND = 10000 };
enum { MINUTE = 60000, WARM_UP = 40, MEASURED = 20 }; /* rounds */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long long calls;

void *__wrap_malloc(size_t size) {
    calls++;
    return __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
    calls++;
    return __real_calloc(count, size);
}
void *__wrap_realloc(void *memory, size_t size) {
    calls++;
    return __real_realloc(memory, size);
}

enum { COLUMN_ID, COLUMN_SCORE, COLUMN_GROUP, COLUMNS };

static struct stream {
    struct event events[BATCH];
    struct value values[BATCH][COLUMNS];
    char ids[BATCH][24];
    int64_t sent; /* predictions; of feedback half as many, LABEL_AFTER behind */
} stream;

static const char *const groups[GROUPS] = {"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"};
static const int64_t start_ms = 1704067200000;

static void require(enum status status, const struct error *err) {
    if (status == STATUS_OK)
        return;
    (void)fprintf(stderr, "alloc_bench: %s\n", err->text);
    exit(1);
}

static void put(size_t at, enum log_side log, int64_t number, int64_t time_ms) {
    struct value *values = stream.values[at];
    int size = snprintf(stream.ids[at], sizeof stream.ids[at], "%020lld", (long long)number);
    struct slice id = {stream.ids[at], (size_t)size};
    double score = (double)((uint64_t)number * 0x9e3779b97f4a7c15U >> 11) * 0x1p-53;
    values[COLUMN_ID] = (struct value){.kind = VALUE_STRING, .as.string = id};
    values[COLUMN_SCORE] = (struct value){
        .kind = VALUE_DOUBLE, .as.real = log == LOG_PREDICTIONS ? score : (double)(number / 2 % 2)};
    values[COLUMN_GROUP] =
        (struct value){.kind = VALUE_STRING, .as.string = slice_from(groups[number % GROUPS])};
    stream.events[at] = (struct event){.log = log,
                                       .offset = log == LOG_PREDICTIONS ? number : number / 2,
                                       .record_ms = time_ms,
                                       .id = id,
                                       .time_ms = time_ms,
                                       .prediction_ms = TIME_NONE,
                                       .columns = values};
}

static void fill(void) {
    size_t count = 0;
    while (count + 2 <= BATCH) {
        int64_t now_ms = start_ms + stream.sent * SPACING_MS, labelled = stream.sent - LABEL_AFTER;
        put(count++, LOG_PREDICTIONS, stream.sent, now_ms);
        if (labelled >= 0 && labelled % 2 == 0)
            put(count++, LOG_FEEDBACK, labelled, now_ms);
        stream.sent++;
    }
    while (count < BATCH) {
        put(count++, LOG_PREDICTIONS, stream.sent, start_ms + stream.sent * SPACING_MS);
        stream.sent += 1 + (stream.sent % 2 == 0); /* keeps labels on even numbers */
    }
}

static void define(struct task_definition *task, struct config *config) {
    static struct column_definition columns[] = {
        {"$.id", false}, {"$.score", false}, {"$.group", false}};
    *task =
        (struct task_definition){.name = "bench",
                                 .kind = TASK_BINARY,
                                 .horizon_ms = 10 * MINUTE,
                                 .pane_ms = 5 * MINUTE,
                                 .segment_ms = MINUTE,
                                 .threshold = .5,
                                 .level = .95,
                                 .cell_count = 256,
                                 .score_column = COLUMN_SCORE,
                                 .output_column = -1,
                                 .label_column = COLUMN_SCORE,
                                 .where_column = -1,
                                 .feedback_where_column = -1,
                                 .groupings = {{"group", {COLUMN_GROUP}, 1}},
                                 .grouping_count = 1,
                                 .groups_max = 100,
                                 .windows = {{"5m", WINDOW_TUMBLING, 5 * MINUTE, 5 * MINUTE, 0}},
                                 .window_count = 1,
                                 .epoch = 1};
    for (size_t i = 0; i < metrics_count; i++)
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            task->metrics[task->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    const struct topic_definition topic = {.topic = "t",
                                           .columns = columns,
                                           .column_count = COLUMNS,
                                           .prediction_time_column = -1,
                                           .disorder_max_ms = MINUTE};
    *config = (struct config){.application = "bench",
                              .tasks = task,
                              .task_count = 1,
                              .predictions = topic,
                              .feedback = topic,
                              .skew_ms = MINUTE,
                              .disorder_ms = 10000,
                              .partials_partitions = 1,
                              .commit_bytes = 1 << 20,
                              .orphans_max = 1000000,
                              .delta_rows_max = 262144,
                              .delta_bytes_max = 16 << 20,
                              .locator_bytes_max = 8 << 20,
                              .flush_interval_ms = 5 * MINUTE,
                              .pane_bytes_max = 16 << 20};
}

struct tally {
    long long step_calls, commit_calls, records;
    double step_us;
};

static double cpu_us(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

static void run_round(struct partition *partition, struct outbox *outbox, struct tally *tally) {
    struct error err = {0};
    for (int i = 0; i < ROUND / BATCH; i++) {
        fill();
        long long before = calls;
        double started = cpu_us();
        require(partition_step(partition, stream.events, BATCH, outbox, &err), &err);
        tally->step_us += cpu_us() - started;
        tally->step_calls += calls - before;
        tally->records += BATCH;
    }
    long long before = calls;
    int64_t now_ms = start_ms + stream.sent * SPACING_MS;
    require(partition_commit(partition, now_ms, false, outbox, &err), &err);
    require(partition_committed(partition, now_ms, false, &err), &err);
    outbox_reset(outbox);
    tally->commit_calls += calls - before;
}

int main(void) {
    struct task_definition task;
    struct config config;
    struct error err = {0};
    struct store *store;
    struct partition *partition;
    struct outbox outbox;
    struct tally warm_up = {0}, tally = {0};
    struct partition_stats stats;
    define(&task, &config);
    struct memory_disk *disk = memory_disk_create();
    require(store_memory_open(disk, NULL, &store, &err), &err);
    const struct partition_options options = {.config = &config, .store = store};
    require(partition_open(&options, &partition, &err), &err);
    outbox_init(&outbox);
    for (int i = 0; i < WARM_UP; i++)
        run_round(partition, &outbox, &warm_up);
    for (int i = 0; i < MEASURED; i++)
        run_round(partition, &outbox, &tally);
    partition_stats(partition, &stats);
    if (stats.labelled == 0 || stats.predicted + stats.labelled < tally.records)
        require(error_set(&err, STATUS_IO, "the stream was not joined"), &err);
    printf("alloc records=%lld warm_up_calls=%lld allocations_per_10000=%.2f "
           "commit_allocations_per_10000=%.2f us_per_record=%.3f\n",
           tally.records, warm_up.step_calls,
           (double)tally.step_calls * ROUND / (double)tally.records,
           (double)tally.commit_calls * ROUND / (double)tally.records,
           tally.step_us / (double)tally.records);
    partition_close(partition);
    outbox_release(&outbox);
    store->ops->close(store);
    memory_disk_destroy(disk);
    return 0;
}

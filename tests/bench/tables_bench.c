/* tables_bench.c -- what one record and one partial cost in the tables: the best of 15 runs, in CPU
 * time.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "metrics/metric.h"

enum { RECORDS = 4096, GROUPS = 64, RUNS = 15, REPEATS = 2000, HOT_PARTS = 97 };

struct bench {
    struct task_definition definition;
    struct shape shape;
    struct pair pairs[RECORDS];
    struct label_part parts[RECORDS];
    struct tables *groups[GROUPS];
    size_t group_count; /* in use; a power of 2 */
    struct tables *tables, *into;
    struct buffer bytes;
    int use;
    bool is_bad;
};

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static void measure(const char *what, void (*run)(struct bench *bench), struct bench *bench,
                    double operations) {
    double best = 1e30;
    for (int i = 0; i < RUNS; i++) {
        double started = now_ns();
        run(bench);
        double taken = now_ns() - started;
        best = taken < best ? taken : best;
    }
    printf("  %-40s %9.1f ns\n", what, best / operations);
}

/* xorshift64: Marsaglia 2003. */
static double next_uniform(void) {
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static struct pair draw_pair(void) {
    double score = next_uniform();
    return (struct pair){.output = {.score = score},
                         .label = {.value = next_uniform() < score},
                         .lag_ms = (int64_t)(1e7 * next_uniform() * next_uniform())};
}

static void prepare(struct bench *bench) {
    struct task_definition *definition = &bench->definition;
    *definition = (struct task_definition){
        .kind = TASK_BINARY, .threshold = 0.5, .level = 0.95, .cell_count = 256};
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            definition->metrics[definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
    shape_init(&bench->shape, definition);
    for (size_t i = 0; i < RECORDS; i++) {
        bench->pairs[i] = draw_pair();
        label_part_of(&bench->shape, &bench->pairs[i], &bench->parts[i]);
    }
    for (size_t i = 0; i < GROUPS; i++)
        bench->groups[i] = tables_create();
    bench->tables = tables_create();
    bench->into = tables_create();
    buffer_init(&bench->bytes, 1 << 20);
}

static void release(struct bench *bench) {
    for (size_t i = 0; i < GROUPS; i++)
        tables_destroy(bench->groups[i]);
    tables_destroy(bench->tables);
    tables_destroy(bench->into);
    buffer_release(&bench->bytes);
}

static void run_parts(struct bench *bench) {
    for (size_t i = 0; i < RECORDS; i++)
        label_part_of(&bench->shape, &bench->pairs[i], &bench->parts[i]);
}

/* A part has just been made when it is added, so that it is in the cache: few take turns. */
static void run_add_prediction(struct bench *bench) {
    for (size_t i = 0; i < RECORDS; i++)
        tables_add_prediction(bench->groups[(i * 7) & (bench->group_count - 1)],
                              &bench->parts[i % HOT_PARTS].prediction);
}

static void run_add_label(struct bench *bench) {
    for (size_t i = 0; i < RECORDS; i++)
        tables_add_label(bench->groups[(i * 7) & (bench->group_count - 1)],
                         &bench->parts[i % HOT_PARTS], 1);
}

static void run_write(struct bench *bench) {
    for (int i = 0; i < REPEATS; i++) {
        buffer_reset(&bench->bytes);
        tables_write(bench->tables, &bench->bytes);
    }
}

static void run_read(struct bench *bench) {
    for (int i = 0; i < REPEATS; i++)
        bench->is_bad |= !tables_read(bench->into, &bench->shape, buffer_slice(&bench->bytes));
}

static void run_clear_and_read(struct bench *bench) {
    for (int i = 0; i < REPEATS; i++) {
        tables_clear(bench->into);
        bench->is_bad |= !tables_read(bench->into, &bench->shape, buffer_slice(&bench->bytes));
    }
}

static void run_merge(struct bench *bench) {
    for (int i = 0; i < REPEATS; i++)
        tables_merge(bench->into, bench->tables, i % 2 ? 1 : -1);
}

static void run_estimate(struct bench *bench) {
    const struct metric_use *use = &bench->definition.metrics[bench->use];
    struct estimate estimate;
    for (int i = 0; i < REPEATS; i++)
        use->metric->estimate(bench->tables, &bench->shape, bench->shape.sum_offset[bench->use],
                              use->parameter, bench->definition.level, &estimate);
}

static void run_estimates(struct bench *bench) {
    for (bench->use = 0; bench->use < bench->definition.metric_count; bench->use++)
        run_estimate(bench);
}

static void bench_add(struct bench *bench, size_t group_count) {
    bench->group_count = group_count;
    printf("%zu groups in turn, 256 cells each\n", group_count);
    for (size_t i = 0; i < RECORDS * group_count; i++) {
        tables_add_prediction(bench->groups[i / RECORDS], &bench->parts[i % RECORDS].prediction);
        tables_add_label(bench->groups[i / RECORDS], &bench->parts[i % RECORDS], 1);
    }
    measure("tables_add_prediction", run_add_prediction, bench, RECORDS);
    measure("tables_add_label", run_add_label, bench, RECORDS);
}

static void bench_pane(struct bench *bench, size_t rows) {
    tables_destroy(bench->tables);
    bench->tables = tables_create();
    for (size_t i = 0; i < rows; i++) {
        struct pair pair = draw_pair();
        struct label_part part;
        label_part_of(&bench->shape, &pair, &part);
        tables_add_prediction(bench->tables, &part.prediction);
        if (rows == 1 || i % 4)
            tables_add_label(bench->tables, &part, 1);
    }
    const struct cell *cells;
    run_write(bench);
    printf("a pane of %zu rows, 3 of 4 labelled: %zu cells, %zu bytes encoded, %zu in memory\n",
           rows, tables_cells(bench->tables, &cells), bench->bytes.size,
           tables_bytes(bench->tables));
    measure("tables_write", run_write, bench, REPEATS);
    measure("tables_read into the same cells", run_read, bench, REPEATS);
    measure("tables_clear and tables_read", run_clear_and_read, bench, REPEATS);
    measure("tables_merge", run_merge, bench, REPEATS);
    measure("estimates of all binary metrics", run_estimates, bench, REPEATS);
}

int main(void) {
    static struct bench bench;
    prepare(&bench);
    measure("label_part_of, all binary metrics", run_parts, &bench, RECORDS);
    bench_add(&bench, 1);
    bench_add(&bench, GROUPS);
    static const size_t rows[] = {1, 100, 130, RECORDS, 1000000};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        bench_pane(&bench, rows[i]);
    for (bench.use = 0; bench.use < bench.definition.metric_count; bench.use++)
        measure(bench.definition.metrics[bench.use].name, run_estimate, &bench, REPEATS);
    release(&bench);
    return bench.is_bad;
}

/* tables_bench.c -- what one record and one partial cost in the tables, in CPU time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "metrics/metric.h"

enum { RECORDS = 4096, GROUPS = 64, ROUNDS = 200 };

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static void report(const char *what, double started, double operations) {
    printf("%-44s %9.1f ns\n", what, (now_ns() - started) / operations);
}

static void define(struct task_definition *definition) {
    *definition = (struct task_definition){
        .kind = TASK_BINARY, .threshold = 0.5, .level = 0.95, .cell_count = 256};
    for (size_t i = 0; i < metrics_count; i++) {
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            definition->metrics[definition->metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    }
}

/* xorshift64*: Marsaglia 2003. */
static double next_uniform(void) {
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static void draw(struct pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double score = next_uniform();
        pairs[i] = (struct pair){.output = {.score = score},
                                 .label = {.value = next_uniform() < score},
                                 .lag_ms = (int64_t)(1e7 * next_uniform() * next_uniform())};
    }
}

static void bench_parts(const struct shape *shape, const struct pair *pairs,
                        struct label_part *parts) {
    double started = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RECORDS; i++)
            label_part_of(shape, &pairs[i], &parts[i]);
    }
    report("label_part_of, all binary metrics", started, (double)ROUNDS * RECORDS);
}

/* group_count: a power of 2.  The cells exist; the tables of all groups together do not fit the
 * first cache. */
static void bench_add(struct tables **groups, const struct label_part *parts, size_t group_count,
                      const char *note) {
    char text[64];
    for (size_t i = 0; i < RECORDS * group_count; i++) {
        tables_add_prediction(groups[i / RECORDS], &parts[i % RECORDS].prediction);
        tables_add_label(groups[i / RECORDS], &parts[i % RECORDS], 1);
    }
    double started = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RECORDS; i++)
            tables_add_prediction(groups[(i * 7) & (group_count - 1)], &parts[i].prediction);
    }
    snprintf(text, sizeof text, "tables_add_prediction, %s", note);
    report(text, started, (double)ROUNDS * RECORDS);
    started = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RECORDS; i++)
            tables_add_label(groups[(i * 7) & (group_count - 1)], &parts[i], 1);
    }
    snprintf(text, sizeof text, "tables_add_label, %s", note);
    report(text, started, (double)ROUNDS * RECORDS);
}

static void bench_codec(const struct shape *shape, const struct label_part *parts, size_t rows) {
    enum { REPEATS = 20000 };
    char text[64];
    struct tables *tables = tables_create(), *into = tables_create();
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    for (size_t i = 0; i < rows; i++) {
        tables_add_prediction(tables, &parts[i % RECORDS].prediction);
        tables_add_label(tables, &parts[i % RECORDS], 1);
    }
    const struct cell *cells;
    double started = now_ns();
    for (int i = 0; i < REPEATS; i++) {
        buffer_reset(&bytes);
        tables_write(tables, &bytes);
    }
    printf("%zu rows: %zu cells, %zu bytes encoded, %zu bytes in memory\n", rows,
           tables_cells(tables, &cells), bytes.size, tables_bytes(tables));
    snprintf(text, sizeof text, "tables_write, %zu rows", rows);
    report(text, started, REPEATS);
    bool is_good = true;
    started = now_ns();
    for (int i = 0; i < REPEATS; i++)
        is_good = is_good && tables_read(into, shape, buffer_slice(&bytes));
    snprintf(text, sizeof text, "tables_read into the same cells, %zu rows", rows);
    report(text, started, REPEATS);
    started = now_ns();
    for (int i = 0; i < REPEATS; i++) {
        tables_clear(into);
        is_good = is_good && tables_read(into, shape, buffer_slice(&bytes));
    }
    snprintf(text, sizeof text, "clear and tables_read, %zu rows", rows);
    report(text, started, REPEATS);
    started = now_ns();
    for (int i = 0; i < REPEATS; i++)
        tables_merge(into, tables, i % 2 ? 1 : -1);
    snprintf(text, sizeof text, "tables_merge, %zu rows", rows);
    report(text, started, REPEATS);
    if (!is_good)
        abort();
    tables_destroy(tables);
    tables_destroy(into);
    buffer_release(&bytes);
}

static void bench_estimates(const struct shape *shape, const struct tables *tables) {
    enum { REPEATS = 2000 };
    const struct task_definition *definition = shape->definition;
    double total = now_ns();
    for (int use = 0; use < definition->metric_count; use++) {
        struct estimate estimate;
        double started = now_ns();
        for (int i = 0; i < REPEATS; i++)
            definition->metrics[use].metric->estimate(tables, shape, shape->sum_offset[use],
                                                      definition->metrics[use].parameter,
                                                      definition->level, &estimate);
        char text[64];
        snprintf(text, sizeof text, "estimate %s", definition->metrics[use].name);
        report(text, started, REPEATS);
    }
    report("estimates of all binary metrics", total, REPEATS);
}

int main(void) {
    static struct pair pairs[RECORDS];
    static struct label_part parts[RECORDS];
    struct task_definition definition;
    struct shape shape;
    struct tables *groups[GROUPS];
    define(&definition);
    shape_init(&shape, &definition);
    draw(pairs, RECORDS);
    for (int i = 0; i < GROUPS; i++)
        groups[i] = tables_create();
    bench_parts(&shape, pairs, parts);
    bench_add(groups, parts, 1, "one group");
    bench_add(groups, parts, GROUPS, "64 groups in turn");
    bench_codec(&shape, parts, 1);
    bench_codec(&shape, parts, 100);
    bench_codec(&shape, parts, 130);
    bench_codec(&shape, parts, RECORDS);
    bench_codec(&shape, parts, 1000000);
    struct tables *pane = tables_create();
    for (size_t i = 0; i < RECORDS; i++) {
        tables_add_prediction(pane, &parts[i].prediction);
        if (i % 3)
            tables_add_label(pane, &parts[i], 1);
    }
    bench_estimates(&shape, pane);
    tables_destroy(pane);
    for (int i = 0; i < GROUPS; i++)
        tables_destroy(groups[i]);
    return 0;
}

/* store_bench.c -- what the store costs: flushes, disk, look-ups, opening.
 *
 *   store_bench [FLUSHES [FOLDER]]    64 flushes of 200 k rows over 4 segments, in /tmp
 *   store_bench cold [FOLDER]         late labels under little cache: rows on disk, marks absent
 *
 * A row is a random key of 12 bytes and a value as stage 1 writes it: time in the segment (3-4
 * bytes), offset (4), score (8, 53 random bits), group (1), and fixed bytes up to 22.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/key.h"
#include "state/store.h"
#include "tests/lib/family_rows.h"
#include "tests/sim/random.h"

enum {
    ROWS = 200000,
    SEGMENTS = 4,
    KEY_BYTES = 12,
    VALUE_BYTES = 22,
    FAMILIES = 50,
    CACHE_BYTES = 64 << 20
};

static struct {
    struct random random;
    struct family_row *rows;
    char *bytes;
    uint64_t offset;
    char (*sampled)[KEY_BYTES]; /* keys of segment 0 */
    size_t sample_count;
} load;

static double cpu_seconds(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static long resident_kb(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) /* NOLINT(cert-err34-c): the kernel's text */
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void must(enum status status, const struct error *err) {
    if (status == STATUS_OK)
        return;
    (void)fprintf(stderr, "store_bench: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static void make_key(char key[KEY_BYTES]) {
    uint64_t bits[2] = {random_bits(&load.random), random_bits(&load.random)};
    memcpy(key, bits, KEY_BYTES);
}

static void make_value(char value[VALUE_BYTES]) {
    memset(value, 0, VALUE_BYTES);
    uint64_t time_ms = random_bits(&load.random) % 14400000, offset = load.offset++;
    double score = random_unit(&load.random);
    memcpy(value, &time_ms, 4);
    memcpy(value + 4, &offset, 5);
    memcpy(value + 9, &score, sizeof score);
    value[17] = (char)(random_bits(&load.random) % 8);
}

static int order(const void *left, const void *right) {
    const struct family_row *a = left, *b = right;
    int by_family = family_compare(a->family, b->family);
    return by_family ? by_family : slice_compare(a->key, b->key);
}

static void make_rows(void) {
    for (size_t i = 0; i < ROWS; i++) {
        char *bytes = load.bytes + i * (KEY_BYTES + VALUE_BYTES);
        make_key(bytes);
        make_value(bytes + KEY_BYTES);
        load.rows[i] = (struct family_row){{FAMILY_ROWS, 0, (int64_t)(i % SEGMENTS)},
                                           {bytes, KEY_BYTES},
                                           {bytes + KEY_BYTES, VALUE_BYTES}};
        if (i % 64 == 0)
            memcpy(load.sampled[load.sample_count++], bytes, KEY_BYTES);
    }
    qsort(load.rows, ROWS, sizeof *load.rows, order);
}

static void report_disk(struct store *store, double rows, const char *when) {
    struct store_usage usage;
    store->ops->usage(store, &usage);
    printf("%-34s %8.1f B/row in %llu files\n", when, (double)usage.disk_bytes / rows,
           (unsigned long long)usage.disk_files);
}

static void bench_flush(struct store *store, int flushes) {
    struct error err = {0};
    int64_t wall_us = 0, worst_us = 0;
    double cpu = 0;
    for (int i = 0; i < flushes; i++) {
        make_rows();
        double cpu_before = cpu_seconds();
        int64_t start_us = clock_monotonic_us();
        must(flush_rows_of(store, load.rows, ROWS, NULL, 0, &err), &err);
        int64_t took_us = clock_monotonic_us() - start_us;
        cpu += cpu_seconds() - cpu_before;
        wall_us += took_us;
        worst_us = took_us > worst_us ? took_us : worst_us;
    }
    double rows = (double)flushes * ROWS;
    printf("%-34s %8.0f rows/s wall, %.2f CPU us/row, worst %.0f ms\n", "flush of 200 k rows",
           rows * 1e6 / (double)wall_us, cpu * 1e6 / rows, (double)worst_us / 1e3);
    report_disk(store, rows, "disk after the flushes");
}

enum { MARKS = 50000, MARK_SLICES = 11, MARK_KEY_BYTES = 16, MARK_VALUE_BYTES = 9 };

static void make_marks(void) {
    for (size_t i = 0; i < MARKS; i++) {
        char *bytes = load.bytes + i * (MARK_KEY_BYTES + MARK_VALUE_BYTES);
        memset(bytes, 0, MARK_KEY_BYTES + MARK_VALUE_BYTES);
        make_key(bytes);
        uint64_t value[2] = {random_bits(&load.random) % 86400000 << 32 | load.offset++, 1};
        memcpy(bytes + MARK_KEY_BYTES, value, MARK_VALUE_BYTES);
        load.rows[i] = (struct family_row){{FAMILY_MARKS, 0, (int64_t)(i % MARK_SLICES)},
                                           {bytes, MARK_KEY_BYTES},
                                           {bytes + MARK_KEY_BYTES, MARK_VALUE_BYTES}};
    }
    qsort(load.rows, MARKS, sizeof *load.rows, order);
}

static void bench_marks(struct store *store, int flushes) {
    struct error err = {0};
    struct store_usage before, after;
    double cpu = 0;
    int64_t wall_us = 0;
    store->ops->usage(store, &before);
    for (int i = 0; i < flushes; i++) {
        make_marks();
        double cpu_before = cpu_seconds();
        int64_t start_us = clock_monotonic_us();
        must(flush_rows_of(store, load.rows, MARKS, NULL, 0, &err), &err);
        wall_us += clock_monotonic_us() - start_us;
        cpu += cpu_seconds() - cpu_before;
    }
    store->ops->usage(store, &after);
    double marks = (double)flushes * MARKS;
    printf("%-34s %8.0f marks/s wall, %.2f CPU us/mark, %.1f B/mark\n",
           "flush of 50 k marks, 11 slices", marks * 1e6 / (double)wall_us, cpu * 1e6 / marks,
           (double)(after.disk_bytes - before.disk_bytes) / marks);
    cpu = cpu_seconds();
    for (int64_t i = 0; i < MARK_SLICES; i++)
        must(store->ops->drop(store, (struct family){FAMILY_MARKS, 0, i}, &err), &err);
    printf("%-34s %.3f CPU us/mark\n", "expiry of these marks",
           (cpu_seconds() - cpu) * 1e6 / marks);
}

static int key_order(const void *a, const void *b) {
    const struct slice *left = a, *right = b;
    return slice_compare(*left, *right);
}

static void bench_get(struct store *store, size_t count, bool is_present, const char *when) {
    enum { ROUNDS = 5 };
    struct error err = {0};
    struct arena arena;
    arena_init(&arena);
    char(*bytes)[KEY_BYTES] = alloc_zero(count, KEY_BYTES);
    struct slice *keys = alloc_zero(count, sizeof *keys),
                 *values = alloc_zero(count, sizeof *values);
    int64_t wall_us = 0;
    double cpu = 0;
    size_t found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            make_key(bytes[i]);
            if (is_present)
                memcpy(bytes[i], load.sampled[random_below(&load.random, load.sample_count)],
                       KEY_BYTES);
            keys[i] = (struct slice){bytes[i], KEY_BYTES};
        }
        qsort(keys, count, sizeof *keys, key_order);
        double cpu_before = cpu_seconds();
        int64_t start_us = clock_monotonic_us();
        must(store->ops->get(store, (struct family){.kind = FAMILY_ROWS}, keys, count, values,
                             &arena, &err),
             &err);
        wall_us += clock_monotonic_us() - start_us;
        cpu += cpu_seconds() - cpu_before;
        for (size_t i = 0; i < count; i++)
            found += values[i].data != NULL;
        arena_reset(&arena);
    }
    double asked = (double)(count * ROUNDS);
    printf("look-up of %5zu %-7s keys, %-15s %8.2f us/key wall, %.2f CPU, %zu found\n", count,
           is_present ? "present" : "absent", when, (double)wall_us / asked, cpu * 1e6 / asked,
           found / ROUNDS);
    free(bytes);
    free(keys);
    free(values);
    arena_release(&arena);
}

static void bench_gets(struct store *store, const char *when) {
    bench_get(store, 1000, true, when);
    bench_get(store, 1000, false, when);
    bench_get(store, 10000, true, when);
    bench_get(store, 10000, false, when);
}

/* ---- late labels under little cache: each step asks a few rows of many segments, and their marks,
 * of which there are none ---- */

enum {
    COLD_CACHE_BYTES = 1 << 20,
    COLD_FLUSHES = 96,
    COLD_ROWS = 5000, /* a flush */
    COLD_MARKS = 300, /* a flush and slice */
    COLD_SLICES = 9,
    COLD_SLICE_SEGMENTS = 6,
    COLD_ASKED = 48, /* segments */
    COLD_KEYS = 96,  /* a segment */
    COLD_STEPS = 60
};

static struct {
    char (*keys)[MARK_KEY_BYTES]; /* of row i, which lies in segment cold_segment(i) */
    size_t count;
} cold;

/* A flush has rows of this segment and some that came late, of the one before. */
static size_t cold_segment(size_t row) {
    size_t flush = row / COLD_ROWS;
    return row % 4 == 0 && flush > 0 ? flush - 1 : flush;
}

static void cold_flush(struct store *store, size_t flush) {
    size_t count = 0;
    for (size_t i = 0; i < COLD_ROWS; i++, cold.count++) {
        char *value = load.bytes + i * VALUE_BYTES;
        make_key(cold.keys[cold.count]);
        make_value(value);
        load.rows[count++] =
            (struct family_row){{FAMILY_ROWS, 0, (int64_t)cold_segment(cold.count)},
                                {cold.keys[cold.count], KEY_BYTES},
                                {value, VALUE_BYTES}};
    }
    char *bytes = load.bytes + (size_t)COLD_ROWS * VALUE_BYTES;
    for (size_t i = 0; i < (size_t)COLD_MARKS * COLD_SLICES; i++, bytes += MARK_KEY_BYTES) {
        memset(bytes, 0, MARK_KEY_BYTES);
        make_key(bytes);
        load.rows[count++] = (struct family_row){
            {FAMILY_MARKS, 0, (int64_t)(flush / COLD_SLICE_SEGMENTS + i % COLD_SLICES)},
            {bytes, MARK_KEY_BYTES},
            {bytes, MARK_VALUE_BYTES}};
    }
    struct error err = {0};
    qsort(load.rows, count, sizeof *load.rows, order);
    must(flush_rows_of(store, load.rows, count, NULL, 0, &err), &err);
}

struct cold_step {
    struct slice keys[COLD_ASKED * COLD_KEYS], values[COLD_ASKED * COLD_KEYS];
};

/* Rows of each segment, a quarter of them late ones; the keys ascend within each sorted ones. */
static void cold_pick(struct cold_step *step, size_t first, size_t key_bytes, size_t sorted) {
    for (size_t i = 0; i < COUNT_OF(step->keys); i++) {
        size_t row = (first + i / COLD_KEYS) * COLD_ROWS + random_below(&load.random, COLD_ROWS);
        row += row % 4 == 0 ? COLD_ROWS : 0;
        step->keys[i] = (struct slice){cold.keys[row], key_bytes};
    }
    for (size_t i = 0; i < COUNT_OF(step->keys); i += sorted)
        qsort(&step->keys[i], sorted, sizeof(struct slice), key_order);
}

/* Returns how many were found. */
static size_t cold_ask(struct store *store, enum family_kind kind, size_t first,
                       struct cold_step *step, struct arena *arena) {
    struct error err = {0};
    struct store_question questions[COLD_ASKED];
    size_t segments = kind == FAMILY_MARKS ? COLD_SLICE_SEGMENTS : 1, count = 0, found = 0;
    for (; count < COLD_ASKED / segments; count++) {
        size_t from = count * segments * COLD_KEYS;
        questions[count] = (struct store_question){{kind, 0, (int64_t)(first / segments + count)},
                                                   &step->keys[from],
                                                   segments * COLD_KEYS,
                                                   &step->values[from]};
    }
    must(store->ops->ask(store, questions, count, arena, &err), &err);
    for (size_t i = 0; i < COUNT_OF(step->values); i++)
        found += step->values[i].data != NULL;
    return found;
}

static void bench_cold(struct store *store, enum family_kind kind, const char *what) {
    struct cold_step *step = alloc_zero(1, sizeof *step);
    struct arena arena;
    arena_init(&arena);
    bool is_rows = kind == FAMILY_ROWS;
    double cpu = 0;
    size_t found = 0;
    for (size_t i = 0; i < COLD_STEPS; i++) {
        size_t first = COLD_SLICE_SEGMENTS * (4 + i % 4);
        cold_pick(step, first, is_rows ? KEY_BYTES : MARK_KEY_BYTES,
                  is_rows ? COLD_KEYS : COLD_KEYS * COLD_SLICE_SEGMENTS);
        double before = cpu_seconds();
        found += cold_ask(store, kind, first, step, &arena);
        cpu += cpu_seconds() - before;
        arena_reset(&arena);
    }
    double asked = (double)COLD_STEPS * COLD_ASKED * COLD_KEYS;
    printf("cold look-up of %-18s %8.2f CPU us/key, %zu of %d found a step\n", what,
           cpu * 1e6 / asked, found / COLD_STEPS, COLD_ASKED * COLD_KEYS);
    free(step);
    arena_release(&arena);
}

static int bench_cold_labels(const char *directory) {
    struct error err = {0};
    struct store *store = NULL;
    struct store_cache *cache = store_cache_create(COLD_CACHE_BYTES);
    cold.keys = alloc_zero((size_t)COLD_ROWS * COLD_FLUSHES, MARK_KEY_BYTES);
    must(store_rocks_open(directory, cache, &store, &err), &err);
    double cpu = cpu_seconds();
    for (size_t i = 0; i < COLD_FLUSHES; i++)
        cold_flush(store, i);
    printf("%-34s %8.2f CPU us/row, its marks included\n", "flush of 5 k rows, 9 x 300 marks",
           (cpu_seconds() - cpu) * 1e6 / (double)cold.count);
    report_disk(store, (double)cold.count, "disk");
    for (int round = 0; round < 2; round++) {
        bench_cold(store, FAMILY_ROWS, "rows, present");
        bench_cold(store, FAMILY_MARKS, "marks, absent");
    }
    store->ops->close(store);
    store_cache_destroy(cache);
    free(cold.keys);
    return EXIT_SUCCESS;
}

/* Families of one row each, then the same opened again. */
static void bench_families(const char *directory, struct store_cache *cache) {
    struct error err = {0};
    struct store *store = NULL;
    must(store_rocks_open(directory, cache, &store, &err), &err);
    long before_kb = resident_kb();
    int64_t start_us = clock_monotonic_us();
    struct family_row rows[FAMILIES];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = (struct family_row){
            {FAMILY_ROWS, 1, (int64_t)i}, SLICE("0123456789abcdef"), SLICE("value")};
    must(flush_rows_of(store, rows, COUNT_OF(rows), NULL, 0, &err), &err);
    printf("%-34s %8.1f ms, %ld kB a family\n", "a flush that makes 50 families",
           (double)(clock_monotonic_us() - start_us) / 1e3, (resident_kb() - before_kb) / FAMILIES);
    store->ops->close(store);
    start_us = clock_monotonic_us();
    must(store_rocks_open(directory, cache, &store, &err), &err);
    printf("%-34s %8.1f ms\n", "opening with 54 families",
           (double)(clock_monotonic_us() - start_us) / 1e3);
    store->ops->close(store);
}

int main(int argc, char **argv) {
    bool is_cold = argc > 1 && strcmp(argv[1], "cold") == 0;
    int flushes = argc > 1 && !is_cold ? (int)strtol(argv[1], NULL, 10) : 64;
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s/store_bench_XXXXXX",
                   argc > 2 ? argv[2] : "/tmp");
    if (flushes < 1 || !mkdtemp(directory))
        return EXIT_FAILURE;
    load.random = (struct random){1};
    load.rows = alloc_zero(ROWS, sizeof *load.rows);
    load.bytes = alloc_zero(ROWS, KEY_BYTES + VALUE_BYTES);
    if (is_cold)
        return bench_cold_labels(directory);
    load.sampled = alloc_zero((size_t)flushes * (ROWS / 64 + 1), KEY_BYTES);
    struct error err = {0};
    struct store *store = NULL;
    struct store_cache *cache = store_cache_create(CACHE_BYTES);
    must(store_rocks_open(directory, cache, &store, &err), &err);
    bench_flush(store, flushes);
    bench_marks(store, flushes);
    bench_gets(store, "warm");
    store->ops->close(store);
    store_cache_destroy(cache);
    cache = store_cache_create(CACHE_BYTES);
    must(store_rocks_open(directory, cache, &store, &err), &err);
    bench_gets(store, "after reopening");
    report_disk(store, (double)flushes * ROWS, "disk at the end");
    store->ops->close(store);
    bench_families(directory, cache);
    printf("resident at the end %ld MB (cache %d MB); the database is left in %s\n",
           resident_kb() / 1024, CACHE_BYTES >> 20, directory);
    store_cache_destroy(cache);
    return EXIT_SUCCESS;
}

/* store_bench.c -- what the store costs: flushes, disk, look-ups, opening.
 *
 *   store_bench [FLUSHES [FOLDER]]    64 flushes of 200 k rows over 4 segments, in /tmp
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
    uint64_t bytes = 0, files = 0;
    store->ops->usage(store, &bytes, &files);
    printf("%-34s %8.1f B/row in %llu files\n", when, (double)bytes / rows,
           (unsigned long long)files);
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
    uint64_t before = 0, bytes = 0, files = 0;
    double cpu = 0;
    int64_t wall_us = 0;
    store->ops->usage(store, &before, &files);
    for (int i = 0; i < flushes; i++) {
        make_marks();
        double cpu_before = cpu_seconds();
        int64_t start_us = clock_monotonic_us();
        must(flush_rows_of(store, load.rows, MARKS, NULL, 0, &err), &err);
        wall_us += clock_monotonic_us() - start_us;
        cpu += cpu_seconds() - cpu_before;
    }
    store->ops->usage(store, &bytes, &files);
    double marks = (double)flushes * MARKS;
    printf("%-34s %8.0f marks/s wall, %.2f CPU us/mark, %.1f B/mark\n",
           "flush of 50 k marks, 11 slices", marks * 1e6 / (double)wall_us, cpu * 1e6 / marks,
           (double)(bytes - before) / marks);
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
    int flushes = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 64;
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s/store_bench_XXXXXX",
                   argc > 2 ? argv[2] : "/tmp");
    if (flushes < 1 || !mkdtemp(directory))
        return EXIT_FAILURE;
    load.random = (struct random){1};
    load.rows = alloc_zero(ROWS, sizeof *load.rows);
    load.bytes = alloc_zero(ROWS, KEY_BYTES + VALUE_BYTES);
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

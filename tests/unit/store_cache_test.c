/* Blocks of rows enter the shared cache while all of them would fit, and pass it by when not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store_model.h"

enum { ROWS = 20000, VALUE_BYTES = 40, BATCHES = 15, KEYS = 20 };

static const struct family family = {FAMILY_ROWS, 1, 1};

struct keyed {
    char key[16], value[VALUE_BYTES];
};

/* Nothing in them can be compressed; the keys ascend. */
static struct keyed *make_rows(void) {
    struct keyed *rows = alloc_zero(ROWS, sizeof *rows);
    struct random random = {.state = 7};
    for (size_t i = 0; i < ROWS; i++) {
        (void)snprintf(rows[i].key, sizeof rows[i].key, "%015zu", i);
        for (size_t j = 0; j < VALUE_BYTES; j++)
            rows[i].value[j] = (char)random_bits(&random);
    }
    return rows;
}

static void fill(struct store *store, const struct keyed *rows) {
    struct family_row *listed = alloc_zero(ROWS, sizeof *listed);
    for (size_t i = 0; i < ROWS; i++)
        listed[i] = (struct family_row){
            family, {rows[i].key, sizeof rows[i].key}, {rows[i].value, VALUE_BYTES}};
    assert_ok(flush_rows_of(store, listed, ROWS, NULL, 0, NULL));
    free(listed);
}

static void look_up(struct store *store, const struct keyed *rows, size_t first) {
    struct slice keys[KEYS], values[KEYS];
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = (struct slice){rows[first + i * (ROWS / KEYS)].key, sizeof rows->key};
    assert_ok(store->ops->get(store, family, keys, KEYS, values, &arena, NULL));
    for (size_t i = 0; i < KEYS; i++)
        assert_memory_equal(values[i].data, rows[first + i * (ROWS / KEYS)].value, VALUE_BYTES);
    arena_release(&arena);
}

/* What look-ups all over the rows leave in a cache of so many bytes: after one, and after more. */
static void used_after(size_t cache_bytes, uint64_t *out_first, uint64_t *out_last) {
    struct store_fixture fixture = {.is_rocks = true};
    make_temporary(fixture.directory);
    fixture.cache = store_cache_create(cache_bytes);
    struct store *store = fixture_open(&fixture);
    struct keyed *rows = make_rows();
    uint64_t most;
    fill(store, rows);
    look_up(store, rows, 0);
    store_cache_usage(fixture.cache, out_first, &most);
    for (size_t i = 1; i < BATCHES; i++)
        look_up(store, rows, i * (ROWS / KEYS / BATCHES));
    store_cache_usage(fixture.cache, out_last, &most);
    store->ops->close(store);
    free(rows);
    fixture_release(&fixture);
}

TEST(rows_that_fit_are_kept) {
    uint64_t first, last;
    used_after(8 << 20, &first, &last);
    assert_in_range(last, 5 * first, 8 << 20);
}

/* The first look-up fills it, so that filters come back; those behind it add nothing. */
TEST(rows_that_do_not_fit_pass_it_by) {
    uint64_t first, last;
    used_after(ROWS * VALUE_BYTES, &first, &last);
    assert_in_range(first, 1, ROWS * VALUE_BYTES);
    assert_int_equal(last, first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_that_fit_are_kept),
        CASE(rows_that_do_not_fit_pass_it_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

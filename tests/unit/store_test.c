/* The laws of a store, over both implementations.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store_model.h"

#include "state/key.h"

static const struct family rows = {FAMILY_ROWS, 3, 12345}, marks = {FAMILY_MARKS, 3, 7},
                           panes = {.kind = FAMILY_PANES};

static void with_both(void (*law)(struct store_fixture *fixture)) {
    for (int is_rocks = 0; is_rocks < 2; is_rocks++) {
        struct store_fixture fixture;
        fixture_init(&fixture, is_rocks != 0);
        law(&fixture);
        fixture_release(&fixture);
    }
}

static struct store *reopen(struct store_fixture *fixture, struct store *store) {
    store->ops->close(store);
    return fixture_open(fixture);
}

static void put(struct store *store, struct family family, const char *key, const char *value) {
    struct store_put one = {family, slice_from(key), slice_from(value), value == NULL};
    assert_ok(store->ops->flush(store, NULL, 0, &one, 1, NULL));
}

static void expect(struct store *store, struct family family, const char *key,
                   const char *expected) {
    struct arena arena;
    arena_init(&arena);
    struct slice asked = slice_from(key), found = {"x", 1};
    assert_ok(store->ops->get(store, family, &asked, 1, &found, &arena, NULL));
    if (expected)
        assert_true(found.data && slice_equal(found, slice_from(expected)));
    else
        assert_null(found.data);
    arena_release(&arena);
}

static void new_store_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct model empty = {0};
    assert_true(store_equals(store, &empty));
    assert_true(list_lies_between(store, &empty, &empty));
    assert_ok(store->ops->drop(store, rows, NULL));
    assert_ok(store->ops->flush(store, NULL, 0, NULL, 0, NULL));
    store->ops->close(store);
}

TEST(a_new_store_holds_nothing_and_an_absent_family_can_be_dropped) {
    with_both(new_store_law);
}

static void values_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    put(store, panes, "key", "first");
    put(store, panes, "key", "second");
    put(store, panes, "empty", "");
    expect(store, panes, "key", "second");
    expect(store, panes, "empty", "");
    expect(store, panes, "ke", NULL);
    put(store, panes, "key", NULL);
    expect(store, panes, "key", NULL);
    store = reopen(fixture, store);
    expect(store, panes, "key", NULL);
    expect(store, panes, "empty", "");
    store->ops->close(store);
}

TEST(the_last_put_counts_and_an_empty_value_is_not_an_absent_one) {
    with_both(values_law);
}

static void repeat_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct store_put puts[] = {{panes, SLICE("a"), SLICE("1"), false},
                               {panes, SLICE("a"), {0}, true},
                               {panes, SLICE("a"), SLICE("2"), false},
                               {panes, SLICE("b"), SLICE("1"), false},
                               {panes, SLICE("b"), {0}, true}};
    assert_ok(store->ops->flush(store, NULL, 0, puts, COUNT_OF(puts), NULL));
    expect(store, panes, "a", "2");
    expect(store, panes, "b", NULL);
    store->ops->close(store);
}

TEST(of_several_puts_of_one_key_in_a_flush_the_last_counts) {
    with_both(repeat_law);
}

static void equal_keys_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct family_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    assert_ok(flush_rows_of(store, &row, 1, NULL, 0, NULL));
    struct slice keys[700], values[COUNT_OF(keys)];
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        keys[i] = i < 350 ? SLICE("0123456789abcdee") : row.key;
    struct arena arena;
    arena_init(&arena);
    assert_ok(store->ops->get(store, rows, keys, COUNT_OF(keys), values, &arena, NULL));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_true(i < 350 ? values[i].data == NULL : slice_equal(values[i], row.value));
    arena_release(&arena);
    store->ops->close(store);
}

TEST(many_keys_are_looked_up_at_once_even_equal_ones) {
    with_both(equal_keys_law);
}

static void drop_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct family_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    struct family_row both[] = {row, {marks, SLICE("m"), SLICE("1")}};
    assert_ok(flush_rows_of(store, both, COUNT_OF(both), NULL, 0, NULL));
    assert_ok(store->ops->drop(store, rows, NULL));
    expect(store, rows, "0123456789abcdef", NULL);
    store = reopen(fixture, store);
    expect(store, rows, "0123456789abcdef", NULL);
    expect(store, marks, "m", "1");
    row.value = SLICE("again");
    assert_ok(flush_rows_of(store, &row, 1, NULL, 0, NULL));
    expect(store, rows, "0123456789abcdef", "again");
    store->ops->close(store);
}

TEST(a_dropped_family_is_gone_and_may_be_made_again) {
    with_both(drop_law);
}

static enum status refuse_second(void *context, struct slice key UNUSED,
                                 struct slice value UNUSED) {
    return ++*(int *)context == 2 ? STATUS_CORRUPT : STATUS_OK;
}

static void scan_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    put(store, panes, "a", "1");
    put(store, panes, "b", "1");
    put(store, panes, "c", "1");
    int visits = 0;
    assert_int_equal(store->ops->scan(store, panes, refuse_second, &visits, NULL), STATUS_CORRUPT);
    assert_int_equal(visits, 2);
    store->ops->close(store);
}

TEST(a_visitor_ends_the_scan_with_its_status) {
    with_both(scan_law);
}

static void usage_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct store_usage usage = {.disk_bytes = 1, .disk_files = 1};
    store->ops->usage(store, &usage);
    assert_int_equal(usage.disk_bytes + usage.disk_files, 0);
    struct family_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    assert_ok(flush_rows_of(store, &row, 1, NULL, 0, NULL));
    store->ops->usage(store, &usage);
    assert_in_range(usage.disk_bytes, 20, 100000);
    assert_in_range(usage.disk_files, 1, 2);
    store->ops->close(store);
}

TEST(usage_counts_bytes_and_files) {
    with_both(usage_law);
}

/* The cache of the fixture holds blocks, indices and filters of what is read. */
TEST(rocksdb_tells_what_it_holds_in_memory) {
    static char large[100000];
    memset(large, 'x', sizeof large - 1);
    struct store_fixture fixture;
    fixture_init(&fixture, true);
    struct store *store = fixture_open(&fixture);
    struct store_usage empty, usage;
    uint64_t empty_cache, cache, cache_max;
    store->ops->usage(store, &empty);
    store_cache_usage(fixture.cache, &empty_cache, &cache_max);
    put(store, panes, "key", large);
    store->ops->usage(store, &usage);
    assert_in_range(usage.memtable_bytes - empty.memtable_bytes, sizeof large, 2 * sizeof large);
    struct family_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    assert_ok(flush_rows_of(store, &row, 1, NULL, 0, NULL));
    expect(store, rows, "0123456789abcdef", "value");
    store->ops->usage(store, &usage);
    assert_in_range(usage.table_reader_bytes, empty.table_reader_bytes + 1, 100000);
    store_cache_usage(fixture.cache, &cache, &cache_max);
    assert_in_range(cache, empty_cache + 1, cache_max);
    store->ops->close(store);
    fixture_release(&fixture);
}

enum { MANY_FLUSHES = 300, MANY_KEYS = 40 };

/* What key number k of the marks was last given in flushes below end, or -1. */
static int last_given(int k, int end) {
    for (int flush = end - 1; flush >= 0; flush--)
        if (flush * 7 % MANY_KEYS == k)
            return flush;
    return -1;
}

/* A row of its own and one of few marks a flush, so that runs are merged, and merged ones too. */
static void merge_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    char row_key[17], mark_key[8], value[8];
    for (int i = 0; i < MANY_FLUSHES; i++) {
        (void)snprintf(row_key, sizeof row_key, "%016d", i);
        (void)snprintf(mark_key, sizeof mark_key, "%03d", i * 7 % MANY_KEYS);
        (void)snprintf(value, sizeof value, "%d", i);
        struct family_row both[] = {{rows, slice_from(row_key), slice_from(value)},
                                    {marks, slice_from(mark_key), slice_from(value)}};
        assert_ok(flush_rows_of(store, both, COUNT_OF(both), NULL, 0, NULL));
    }
    for (int opening = 0; opening < 2; opening++, store = reopen(fixture, store)) {
        for (int i = 0; i < MANY_FLUSHES; i++) {
            (void)snprintf(row_key, sizeof row_key, "%016d", i);
            (void)snprintf(value, sizeof value, "%d", i);
            expect(store, rows, row_key, value);
        }
        for (int k = 0; k < MANY_KEYS; k++) {
            (void)snprintf(mark_key, sizeof mark_key, "%03d", k);
            (void)snprintf(value, sizeof value, "%d", last_given(k, MANY_FLUSHES));
            expect(store, marks, mark_key, value);
        }
    }
    struct store_usage usage;
    store->ops->usage(store, &usage);
    assert_in_range(usage.disk_files, 2, 100);
    store->ops->close(store);
}

TEST(rows_and_the_newest_marks_of_many_flushes_are_all_found) {
    with_both(merge_law);
}

static void random_steps(struct store_fixture *fixture, struct random random, int steps) {
    struct store *store = fixture_open(fixture);
    struct model model = {0};
    struct model_batch batch;
    for (int step = 0; step < steps; step++) {
        if (random_chance(&random, 0.15)) {
            size_t family = FIRST_ROWS + random_below(&random, MODEL_FAMILIES - FIRST_ROWS);
            model_drop(&model, family);
            assert_ok(store->ops->drop(store, model_families[family], NULL));
        } else if (random_chance(&random, 0.15)) {
            store = reopen(fixture, store);
        } else {
            batch_fill(&batch, &model, &random);
            assert_ok(batch_flush(store, &batch, NULL));
        }
        assert_true(store_equals(store, &model));
        assert_true(list_lies_between(store, &model, &model));
    }
    store->ops->close(store);
}

TEST(random_operations_agree_with_a_naive_model) {
    struct random random = {test_seed(1)};
    for (int i = 0; i < 202; i++) {
        struct store_fixture fixture;
        fixture_init(&fixture, i >= 200);
        random_steps(&fixture, (struct random){random_bits(&random)}, 40);
        fixture_release(&fixture);
    }
}

TEST(prefixes_sort_as_families_and_their_runs_do_and_are_read_back) {
    static const uint64_t numbers[] = {0, 1, 255, 256, UINT64_MAX - 1};
    char last[PREFIX_BYTES] = {0}, prefix[PREFIX_BYTES];
    for (size_t i = FIRST_ROWS; i < MODEL_FAMILIES; i++)
        for (size_t j = 0; j < COUNT_OF(numbers); j++) {
            struct family parsed;
            uint64_t number = 7;
            assert_true(
                run_parse(run_prefix(model_families[i], numbers[j], prefix), &parsed, &number));
            assert_int_equal(family_compare(parsed, model_families[i]), 0);
            assert_int_equal(number, numbers[j]);
            assert_true(memcmp(last, prefix, PREFIX_BYTES) < 0);
            memcpy(last, prefix, PREFIX_BYTES);
        }
    struct family parsed;
    uint64_t number;
    assert_false(run_parse(SLICE("twenty bytes, no run"), &parsed, &number));
    assert_false(run_parse(SLICE("a whole prefix, but of no run"), &parsed, &number));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_new_store_holds_nothing_and_an_absent_family_can_be_dropped),
        CASE(the_last_put_counts_and_an_empty_value_is_not_an_absent_one),
        CASE(of_several_puts_of_one_key_in_a_flush_the_last_counts),
        CASE(many_keys_are_looked_up_at_once_even_equal_ones),
        CASE(a_dropped_family_is_gone_and_may_be_made_again),
        CASE(a_visitor_ends_the_scan_with_its_status),
        CASE(usage_counts_bytes_and_files),
        CASE(rocksdb_tells_what_it_holds_in_memory),
        CASE(rows_and_the_newest_marks_of_many_flushes_are_all_found),
        CASE(random_operations_agree_with_a_naive_model),
        CASE(prefixes_sort_as_families_and_their_runs_do_and_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

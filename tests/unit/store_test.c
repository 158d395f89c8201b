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
                               {marks, SLICE("m"), SLICE("1"), false},
                               {panes, SLICE("a"), {0}, true},
                               {panes, SLICE("a"), SLICE("2"), false},
                               {marks, SLICE("m"), {0}, true}};
    assert_ok(store->ops->flush(store, NULL, 0, puts, COUNT_OF(puts), NULL));
    expect(store, panes, "a", "2");
    expect(store, marks, "m", NULL);
    store->ops->close(store);
}

TEST(of_several_puts_of_one_key_in_a_flush_the_last_counts) {
    with_both(repeat_law);
}

static void equal_keys_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct store_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    assert_ok(store->ops->flush(store, &row, 1, NULL, 0, NULL));
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
    struct store_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    struct store_put mark = {marks, SLICE("m"), SLICE("1"), false};
    assert_ok(store->ops->flush(store, &row, 1, &mark, 1, NULL));
    assert_ok(store->ops->drop(store, rows, NULL));
    expect(store, rows, "0123456789abcdef", NULL);
    store = reopen(fixture, store);
    expect(store, rows, "0123456789abcdef", NULL);
    expect(store, marks, "m", "1");
    row.value = SLICE("again");
    assert_ok(store->ops->flush(store, &row, 1, NULL, 0, NULL));
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
    uint64_t bytes = 1, files = 1;
    store->ops->usage(store, &bytes, &files);
    assert_int_equal(bytes + files, 0);
    struct store_row row = {rows, SLICE("0123456789abcdef"), SLICE("value")};
    assert_ok(store->ops->flush(store, &row, 1, NULL, 0, NULL));
    store->ops->usage(store, &bytes, &files);
    assert_in_range(bytes, 20, 100000);
    assert_in_range(files, 1, 2);
    store->ops->close(store);
}

TEST(usage_counts_bytes_and_files) {
    with_both(usage_law);
}

/* Sixty-four flushes into one family: runs are merged, in the background too. */
static void merge_law(struct store_fixture *fixture) {
    struct store *store = fixture_open(fixture);
    struct random random = {1};
    uint64_t keys[64][2];
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        keys[i][0] = random_bits(&random);
        keys[i][1] = random_bits(&random);
        struct store_row row = {rows, {(const char *)keys[i], 16}, {(const char *)keys[i], 8}};
        assert_ok(store->ops->flush(store, &row, 1, NULL, 0, NULL));
    }
    store = reopen(fixture, store);
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct slice key = {(const char *)keys[i], 16}, value = {0};
        assert_ok(store->ops->get(store, rows, &key, 1, &value, &arena, NULL));
        assert_true(slice_equal(value, (struct slice){(const char *)keys[i], 8}));
    }
    uint64_t bytes = 0, files = 0;
    store->ops->usage(store, &bytes, &files);
    assert_in_range(files, 1, 40);
    arena_release(&arena);
    store->ops->close(store);
}

TEST(rows_of_many_flushes_are_all_found) {
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

TEST(prefixes_of_families_sort_as_they_do_and_are_read_back) {
    char prefixes[MODEL_FAMILIES][PREFIX_BYTES], end[PREFIX_BYTES];
    for (size_t i = FIRST_ROWS; i < MODEL_FAMILIES; i++) {
        struct family parsed, family = model_families[i];
        assert_true(family_parse(family.kind, family_prefix(family, prefixes[i]), &parsed));
        assert_int_equal(family_compare(parsed, family), 0);
        assert_true(prefix_end(prefixes[i], end));
        assert_true(memcmp(end, prefixes[i], PREFIX_BYTES) > 0);
        if (i != FIRST_ROWS && i != FIRST_MARKS)
            assert_true(memcmp(prefixes[i - 1], prefixes[i], PREFIX_BYTES) < 0);
    }
    struct family last = {FAMILY_ROWS, UINT32_MAX, INT64_MAX};
    assert_false(prefix_end(family_prefix(last, prefixes[0]).data, end));
    assert_false(family_parse(FAMILY_ROWS, SLICE("eleven byte"), &last));
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
        CASE(rows_of_many_flushes_are_all_found),
        CASE(random_operations_agree_with_a_naive_model),
        CASE(prefixes_of_families_sort_as_they_do_and_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

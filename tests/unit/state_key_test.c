/* The secret of the join state: it changes where ids lie, and a store under another one is noticed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/partition_world.h"

static const int64_t day_ms = INT64_C(24) * WORLD_HOUR;

/* One prediction on the disk, nothing of it in memory. */
static void store_one(struct slice key) {
    world_create(day_ms);
    world_close();
    world.config.state_key = key;
    assert_ok(world_try_open(NULL));
    world_add(LOG_PREDICTIONS, "a", world_start_ms, .7, 0);
    (void)world_step();
    world_commit(true);
}

static enum status copy_key(void *context, struct slice key, struct slice value UNUSED) {
    assert_int_equal(key.size, 12);
    memcpy(context, key.data, 12);
    return STATUS_OK;
}

/* Under which key the one row lies. */
static void stored_key(struct slice secret, char out_key[12]) {
    store_one(secret);
    struct arena arena;
    arena_init(&arena);
    struct family *families;
    size_t count = world.store->ops->list(world.store, &families, &arena);
    memset(out_key, 0, 12);
    for (size_t i = 0; i < count; i++)
        if (families[i].kind == FAMILY_ROWS)
            assert_ok(world.store->ops->scan(world.store, families[i], copy_key, out_key, NULL));
    arena_release(&arena);
    world_destroy();
}

TEST(rows_lie_where_the_secret_puts_them) {
    char none[12], one[12], again[12], other[12];
    stored_key(SLICE(""), none);
    stored_key(SLICE("0123456789abcdef"), one);
    stored_key(SLICE("0123456789abcdef"), again);
    stored_key(SLICE("0123456789abcdeg"), other);
    assert_memory_equal(one, again, 12);
    assert_memory_not_equal(one, none, 12);
    assert_memory_not_equal(one, other, 12);
}

static void reopen_under(struct slice first, struct slice second, bool is_noticed) {
    struct error err = {0};
    store_one(first);
    world_close();
    world.config.state_key = second;
    enum status status = world_try_open(&err);
    assert_int_equal(status, is_noticed ? STATUS_CORRUPT : STATUS_OK);
    if (is_noticed) {
        assert_string_equal(err.text, "the state was stored under another state.key.file");
        memory_disk_destroy(world.disk); /* what the worker does with such a store */
        world.disk = memory_disk_create();
        assert_ok(world_try_open(NULL));
    }
    assert_int_equal(world_reopen(false), is_noticed ? 1 : 0);
    world_add(LOG_FEEDBACK, "a", world_start_ms + 1, 1, 0);
    world.stepped = world.count - 1;
    assert_int_equal(world_step().labelled, 1);
    world_destroy();
}

TEST(a_store_under_the_same_secret_is_used) {
    reopen_under(SLICE("0123456789abcdef"), SLICE("0123456789abcdef"), false);
    reopen_under(SLICE(""), SLICE(""), false);
}

TEST(a_store_under_another_secret_is_noticed_and_rebuilt) {
    reopen_under(SLICE("0123456789abcdef"), SLICE("0123456789abcdeg"), true);
}

TEST(a_secret_that_is_added_or_taken_away_is_noticed) {
    reopen_under(SLICE(""), SLICE("0123456789abcdef"), true);
    reopen_under(SLICE("0123456789abcdef"), SLICE(""), true);
}

/* What was stored before there were check values. */
static void forget_check(void) {
    const struct store_put put = {
        .family = {.kind = FAMILY_META}, .key = SLICE("key"), .is_delete = true};
    assert_ok(world.store->ops->flush(world.store, NULL, 0, &put, 1, NULL));
}

TEST(a_store_without_a_check_value_has_no_secret) {
    store_one(SLICE(""));
    forget_check();
    assert_int_equal(world_reopen(false), 0);
    world.config.state_key = SLICE("0123456789abcdef");
    world_close();
    assert_int_equal(world_try_open(NULL), STATUS_CORRUPT);
    world_destroy();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_lie_where_the_secret_puts_them),
        CASE(a_store_under_the_same_secret_is_used),
        CASE(a_store_under_another_secret_is_noticed_and_rebuilt),
        CASE(a_secret_that_is_added_or_taken_away_is_noticed),
        CASE(a_store_without_a_check_value_has_no_secret),
    };
    return cmocka_run_group_tests_name("state_key", tests, NULL, NULL);
}

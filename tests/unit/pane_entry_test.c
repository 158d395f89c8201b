/* An entry of a pane counts the same wherever its tables are.  SPDX-License-Identifier: Apache-2.0
 */
#include "tests/lib/test.h"

#include "metrics/metric.h"
#include "partition/pane_entry.h"

enum { CELLS = 256, RECORDS = 400 };

struct saved {
    struct task_definition definition;
    struct shape shape;
    struct entry_pool pool;
    struct pane_entry entry;
    struct tables *reference; /* never packed */
    struct buffer expected, written;
    uint64_t random_state;
};

static void saved_open(struct saved *saved) {
    *saved = (struct saved){.random_state = 88172645463325252U};
    saved->definition = (struct task_definition){
        .kind = TASK_BINARY, .threshold = 0.5, .level = 0.95, .cell_count = CELLS};
    for (size_t i = 0; i < metrics_count; i++)
        if (metrics[i]->kinds & 1U << TASK_BINARY)
            saved->definition.metrics[saved->definition.metric_count++] =
                (struct metric_use){metrics[i], metrics[i]->name, metrics[i]->parameter};
    shape_init(&saved->shape, &saved->definition);
    entry_pool_init(&saved->pool, &saved->shape);
    entry_make_tables(&saved->pool, &saved->entry);
    saved->reference = tables_create();
    buffer_init(&saved->expected, 1 << 20);
    buffer_init(&saved->written, 1 << 20);
}

static void saved_close(struct saved *saved) {
    entry_release(&saved->pool, &saved->entry);
    entry_pool_release(&saved->pool);
    tables_destroy(saved->reference);
    buffer_release(&saved->expected);
    buffer_release(&saved->written);
}

static uint64_t next_random(struct saved *saved) {
    saved->random_state ^= saved->random_state << 13;
    saved->random_state ^= saved->random_state >> 7;
    saved->random_state ^= saved->random_state << 17;
    return saved->random_state;
}

static void assert_same(struct saved *saved) {
    buffer_reset(&saved->expected);
    buffer_reset(&saved->written);
    tables_write(saved->reference, &saved->expected);
    entry_write(&saved->entry, &saved->written);
    assert_true(slice_equal(buffer_slice(&saved->expected), buffer_slice(&saved->written)));
    assert_int_equal(entry_predicted(&saved->entry), tables_predicted(saved->reference));
}

static void count_one(struct saved *saved, struct label_part *out_part) {
    const struct pair pair = {.output = {.score = (double)(next_random(saved) % 1000) / 1000},
                              .label = {.value = (double)(next_random(saved) % 2)},
                              .lag_ms = (int64_t)(next_random(saved) % 3600000)};
    label_part_of(&saved->shape, &pair, out_part);
    struct tables *tables = entry_open(&saved->pool, &saved->entry);
    assert_non_null(tables);
    tables_add_prediction(tables, &out_part->prediction);
    tables_add_label(tables, out_part, 1);
    entry_close(&saved->pool, &saved->entry, tables);
    tables_add_prediction(saved->reference, &out_part->prediction);
    tables_add_label(saved->reference, out_part, 1);
}

/* Through the store and back. */
static void evict_and_load(struct saved *saved) {
    entry_pack(&saved->pool, &saved->entry);
    buffer_reset(&saved->written);
    entry_write(&saved->entry, &saved->written);
    entry_evict(&saved->entry);
    assert_false(entry_is_in_memory(&saved->entry));
    assert_int_equal(entry_bytes(&saved->entry), 0);
    assert_true(entry_load(&saved->pool, &saved->entry, buffer_slice(&saved->written)));
}

TEST(counts_do_not_depend_on_where_they_are) {
    static struct saved saved;
    bool was_opened = false, was_changed_packed = false;
    saved_open(&saved);
    for (int i = 0; i < RECORDS; i++) {
        struct label_part part;
        switch (next_random(&saved) % 4) {
        case 0:
            entry_pack(&saved.pool, &saved.entry);
            break;
        case 1:
            entry_pack_small(&saved.pool, &saved.entry);
            break;
        case 2:
            evict_and_load(&saved);
            break;
        default:
            break;
        }
        bool was_packed = saved.entry.packed != NULL;
        count_one(&saved, &part);
        was_opened |= was_packed && saved.entry.tables;
        was_changed_packed |= was_packed && !saved.entry.tables;
        assert_true(entry_is_in_memory(&saved.entry));
        assert_same(&saved);
    }
    assert_true(was_opened);         /* once it was large */
    assert_true(was_changed_packed); /* while it was small */
    saved_close(&saved);
}

TEST(a_label_that_was_never_counted_cannot_be_taken_from_what_is_packed) {
    static struct saved saved;
    struct label_part part, other;
    saved_open(&saved);
    count_one(&saved, &part);
    label_part_of(&saved.shape, &(struct pair){.output = {.score = 0.999}, .lag_ms = 1}, &other);
    entry_pack(&saved.pool, &saved.entry);
    struct tables *tables = entry_open(&saved.pool, &saved.entry);
    tables_add_label(tables, &other, -1);
    entry_close(&saved.pool, &saved.entry, tables);
    assert_null(entry_open(&saved.pool, &saved.entry));
    saved_close(&saved);
}

TEST(bytes_that_are_no_tables_are_not_loaded) {
    static struct saved saved;
    struct label_part part;
    saved_open(&saved);
    count_one(&saved, &part);
    entry_pack(&saved.pool, &saved.entry);
    entry_write(&saved.entry, &saved.written);
    entry_evict(&saved.entry);
    struct slice cut = {saved.written.data, saved.written.size - 1};
    assert_false(entry_load(&saved.pool, &saved.entry, cut));
    assert_false(entry_is_in_memory(&saved.entry));
    saved_close(&saved);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(counts_do_not_depend_on_where_they_are),
        CASE(a_label_that_was_never_counted_cannot_be_taken_from_what_is_packed),
        CASE(bytes_that_are_no_tables_are_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which runs a family has, and when they are merged.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "state/store_rocks_runs.h"
#include "tests/sim/random.h"

static const struct family marks = {FAMILY_MARKS, 1, 5};

struct history {
    struct stored_runs runs;
    uint64_t number, flushed, written;
    size_t most;
};

static void add(struct history *history, uint64_t bytes) {
    stored_runs_insert(&history->runs, (struct stored_run){marks, ++history->number, bytes});
    history->written += bytes;
}

static void merge(struct history *history, struct family_runs due) {
    uint64_t bytes = 0, first = due.entries[0].number, last = due.entries[due.count - 1].number;
    assert_int_equal(last, history->number);
    for (size_t i = 0; i < due.count; i++)
        bytes += due.entries[i].bytes;
    assert_in_range(bytes, 1, MERGE_BYTES_MAX);
    stored_runs_remove(&history->runs, marks, first, last);
    add(history, bytes);
}

static void flush(struct history *history, uint64_t bytes) {
    history->flushed += bytes;
    add(history, bytes);
    struct family_runs due = runs_to_merge(stored_runs_of(&history->runs, marks));
    if (due.count > 0)
        merge(history, due);
    assert_int_equal(runs_to_merge(stored_runs_of(&history->runs, marks)).count, 0);
    history->most = history->runs.count > history->most ? history->runs.count : history->most;
}

static uint64_t held(const struct history *history) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < history->runs.count; i++)
        bytes += history->runs.entries[i].bytes;
    return bytes;
}

TEST(equal_flushes_are_written_once_more_a_power_of_the_runs_merged) {
    static const struct {
        int flushes, written, runs; /* written: times a row, at most */
    } bounds[] = {{15, 1, 15}, {255, 2, 30}, {4000, 3, 45}, {20000, 4, 60}};
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        struct history history = {0};
        for (int j = 0; j < bounds[i].flushes; j++)
            flush(&history, 1000);
        assert_int_equal(held(&history), history.flushed);
        assert_in_range(history.written, history.flushed,
                        history.flushed * (uint64_t)bounds[i].written);
        assert_in_range(history.most, 1, bounds[i].runs);
        stored_runs_release(&history.runs);
    }
}

TEST(flushes_of_all_lengths_leave_few_runs_and_lose_none) {
    struct random random = {test_seed(1)};
    for (int round = 0; round < 50; round++) {
        struct history history = {0};
        for (int i = 0; i < 2000; i++)
            flush(&history, UINT64_C(1) << random_below(&random, 20));
        assert_int_equal(held(&history), history.flushed);
        assert_in_range(history.written, history.flushed, history.flushed * 6);
        assert_in_range(history.most, 1, 100);
        stored_runs_release(&history.runs);
    }
}

TEST(runs_that_are_long_together_stay_as_they_are) {
    struct history history = {0};
    for (int i = 0; i < 40; i++)
        flush(&history, MERGE_BYTES_MAX / 10);
    assert_int_equal(history.runs.count, 40);
    assert_int_equal(history.written, history.flushed);
    stored_runs_release(&history.runs);
}

TEST(runs_are_kept_by_family_and_number) {
    static const struct family families[] = {
        {FAMILY_ROWS, 0, -1}, {FAMILY_ROWS, 0, 0}, {FAMILY_ROWS, 1, -5}, {FAMILY_MARKS, 0, 0}};
    struct stored_runs runs = {0};
    for (uint64_t number = 1; number <= 100; number++)
        for (size_t i = 0; i < COUNT_OF(families); i++)
            stored_runs_insert(&runs, (struct stored_run){families[i], 101 - number, 1});
    stored_runs_remove(&runs, families[1], 10, 20);
    stored_runs_remove(&runs, families[2], 1, 100);
    static const size_t counts[] = {100, 89, 0, 100};
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct family_runs found = stored_runs_of(&runs, families[i]);
        assert_int_equal(found.count, counts[i]);
        for (size_t j = 1; j < found.count; j++)
            assert_true(found.entries[j - 1].number < found.entries[j].number);
    }
    assert_true(stored_runs_contain(&runs, families[1], 9));
    assert_false(stored_runs_contain(&runs, families[1], 10));
    assert_false(stored_runs_contain(&runs, families[2], 50));
    assert_false(stored_runs_contain(&runs, families[3], 101));
    stored_runs_release(&runs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(equal_flushes_are_written_once_more_a_power_of_the_runs_merged),
        CASE(flushes_of_all_lengths_leave_few_runs_and_lose_none),
        CASE(runs_that_are_long_together_stay_as_they_are),
        CASE(runs_are_kept_by_family_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

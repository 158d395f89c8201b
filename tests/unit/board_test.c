/* What the page and the probes say of partitions that come and go.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/options.h"
#include "config/quantity.h"
#include "tests/lib/test.h"
#include "worker/board.h"

static bool page_has(struct board *board, const char *text) {
    struct buffer buffer;
    struct metrics_page page;
    buffer_init(&buffer, 16 << 20);
    prometheus_begin(&page, &buffer);
    board_write(board, NULL, &page);
    buffer_append(&buffer, "", 1);
    bool has = strstr(buffer.data, text) != NULL;
    buffer_release(&buffer);
    return has;
}

TEST(a_process_is_ready_once_each_of_its_workers_has_said_so) {
    struct board board;
    board_init(&board, NULL, 2);
    assert_false(board_is_ready(&board));
    board_set_worker(&board, 0,
                     &(struct worker_figures){.assigned = 2, .live = 2, .is_ready = true});
    assert_false(board_is_ready(&board));
    board_set_worker(&board, 1, &(struct worker_figures){.is_ready = true}); /* owns nothing */
    assert_true(board_is_ready(&board));
    board_set_worker(&board, 0, &(struct worker_figures){.assigned = 3, .live = 2});
    assert_false(board_is_ready(&board));
    assert_true(page_has(
        &board, "slipstream_worker_partitions_assigned{worker=\"0\",stage=\"partition\"} 3\n"));
    assert_true(page_has(
        &board, "slipstream_worker_partitions_live{worker=\"0\",stage=\"partition\"} 2\n"));
    board_release(&board);
}

TEST(what_has_left_is_not_on_the_page) {
    struct board board;
    board_init(&board, NULL, 1);
    struct partition_figures figures = {.partition = 7, .live = true};
    figures.stats.refused[1] = 5;
    board_set_partition(&board, &figures);
    board_set_task(&board, &(struct task_figures){.partition = 7, .live = true});
    assert_true(page_has(&board, "slipstream_partition_live{partition=\"7\"} 1\n"));
    assert_true(page_has(&board, "slipstream_task_live{partition=\"7\"} 1\n"));
    assert_true(page_has(&board, "slipstream_dead_letters_total{partition=\"7\""));
    board_remove_partition(&board, 7);
    assert_true(page_has(&board, "{partition=\"7\"}")); /* stage 2's is still there */
    assert_false(page_has(&board, "slipstream_dead_letters_total{partition=\"7\""));
    board_remove_task(&board, 7);
    assert_false(page_has(&board, "partition=\"7\""));
    board_release(&board);
}

TEST(what_is_not_known_yet_is_left_out) {
    struct board board;
    board_init(&board, NULL, 1);
    struct partition_figures figures = {.partition = 7, .lag = {-1, 3}};
    figures.stats.clock_ms[LOG_FEEDBACK] = INT64_MIN;
    board_set_partition(&board, &figures);
    board_set_task(&board, &(struct task_figures){.partition = 7, .lag = -1});
    assert_false(page_has(&board, "slipstream_partition_predictions_lag{"));
    assert_true(page_has(&board, "slipstream_partition_feedback_lag{partition=\"7\"} 3\n"));
    assert_true(page_has(&board, "slipstream_partition_prediction_clock_seconds{"));
    assert_false(page_has(&board, "slipstream_partition_feedback_clock_seconds{"));
    assert_false(page_has(&board, "slipstream_task_lag{"));
    board_release(&board);
}

TEST(a_lag_is_told_in_seconds_too) {
    struct board board;
    board_init(&board, NULL, 1);
    struct partition_figures figures = {
        .partition = 7, .lag = {2, 2}, .read_ms = {1000, INT64_MIN}, .wall_ms = 4500};
    board_set_partition(&board, &figures);
    assert_true(
        page_has(&board, "slipstream_partition_predictions_lag_seconds{partition=\"7\"} 3.5\n"));
    assert_false(page_has(&board, "slipstream_partition_feedback_lag_seconds{"));
    figures.lag[LOG_PREDICTIONS] = 0;
    figures.read_ms[LOG_FEEDBACK] = 9000; /* its producer's clock is ahead */
    board_set_partition(&board, &figures);
    assert_true(
        page_has(&board, "slipstream_partition_predictions_lag_seconds{partition=\"7\"} 0\n"));
    assert_true(page_has(&board, "slipstream_partition_feedback_lag_seconds{partition=\"7\"} 0\n"));
    board_release(&board);
}

TEST(the_owners_of_memory_are_told) {
    struct board board;
    board_init(&board, NULL, 2);
    board_set_partition(&board, &(struct partition_figures){.partition = 7,
                                                            .fetched_bytes = 11,
                                                            .store = {.memtable_bytes = 12}});
    board_set_task(&board, &(struct task_figures){.partition = 8,
                                                  .fetched_bytes = 13,
                                                  .store = {.table_reader_bytes = 14}});
    board_set_worker(&board, 0, &(struct worker_figures){.outbox_bytes = 15, .queued_bytes = 16});
    static const char *const expected[] = {
        "slipstream_partition_fetched_bytes{partition=\"7\"} 11\n",
        "slipstream_partition_memtable_bytes{partition=\"7\"} 12\n",
        "slipstream_task_fetched_bytes{partition=\"8\"} 13\n",
        "slipstream_task_table_reader_bytes{partition=\"8\"} 14\n",
        "slipstream_worker_outbox_bytes{worker=\"0\",stage=\"partition\"} 15\n",
        "slipstream_worker_queued_bytes{worker=\"0\",stage=\"partition\"} 16\n",
    };
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(page_has(&board, expected[i]));
    board_release(&board);
}

TEST(the_cache_of_all_stores_is_told) {
    struct board board;
    struct buffer text;
    struct metrics_page page;
    board_init(&board, NULL, 1);
    struct store_cache *cache = store_cache_create(1 << 20);
    buffer_init(&text, 1 << 20);
    prometheus_begin(&page, &text);
    board_write(&board, cache, &page);
    buffer_append(&text, "", 1);
    assert_non_null(strstr(text.data, "slipstream_store_cache_bytes 0\n"));
    assert_non_null(strstr(text.data, "slipstream_store_cache_max_bytes 1048576\n"));
    buffer_release(&text);
    store_cache_destroy(cache);
    board_release(&board);
}

TEST(a_partition_beyond_the_board_is_left_out) {
    struct board board;
    board_init(&board, NULL, 1);
    board_set_partition(&board, &(struct partition_figures){.partition = BOARD_PARTITIONS_MAX});
    board_remove_partition(&board, BOARD_PARTITIONS_MAX);
    assert_false(page_has(&board, "partition=\"4096\""));
    board_release(&board);
}

TEST(a_loop_that_stands_still_for_a_minute_is_not_healthy) {
    struct board board;
    board_init(&board, NULL, 1);
    assert_true(board_is_healthy(&board, 100, 0)); /* it has not begun */
    board_set_worker(&board, 0, &(struct worker_figures){.turned_at_us = 1000});
    assert_true(board_is_healthy(&board, 59000000, 0));
    assert_false(board_is_healthy(&board, 60001000, 0));
    assert_true(board_is_healthy(&board, 60001000, 2000)); /* the brokers were away until then */
    assert_false(board_is_healthy(&board, 60002000, 2000));
    board_release(&board);
}

TEST(the_most_workers_that_may_be_configured_have_room) {
    struct board board;
    int64_t most = 0;
    for (size_t i = 0; i < options_count; i++)
        if (strcmp(options[i].name, "workers") == 0)
            assert_true(parse_count(options[i].most, &most));
    assert_true(most > 0);
    assert_true(2 * most <= BOARD_WORKERS_MAX);
    board_init(&board, NULL, (int)(2 * most));
    assert_true(page_has(&board, "slipstream_worker_ready{worker=\"255\",stage=\"task\"} 0\n"));
    board_release(&board);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_process_is_ready_once_each_of_its_workers_has_said_so),
        CASE(what_has_left_is_not_on_the_page),
        CASE(what_is_not_known_yet_is_left_out),
        CASE(a_lag_is_told_in_seconds_too),
        CASE(the_owners_of_memory_are_told),
        CASE(the_cache_of_all_stores_is_told),
        CASE(a_partition_beyond_the_board_is_left_out),
        CASE(the_most_workers_that_may_be_configured_have_room),
        CASE(a_loop_that_stands_still_for_a_minute_is_not_healthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

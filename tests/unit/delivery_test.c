/* An outbox that a broker refuses for certain is sent again; whatever else happens is handed back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "tests/lib/kafka_mock.h"
#include "worker/delivery.h"

struct bench {
    struct mock *mock;
    struct worker_options options;
    struct worker_figures figures;
    struct outbox outbox;
    struct stage_context context;
};

static void bench_open(struct bench *bench, struct mock *mock, const char *id) {
    *bench = (struct bench){.mock = mock, .options = {.config = &mock->config}};
    mock->config.partials_topic = "out";
    outbox_init(&bench->outbox);
    outbox_add(&bench->outbox,
               &(struct message){.topic = TOPIC_PARTIALS, .key = SLICE("k"), .value = SLICE("v")});
    bench->context = (struct stage_context){.options = &bench->options,
                                            .group = mock->group,
                                            .outbox = &bench->outbox,
                                            .figures = &bench->figures};
    assert_ok(transaction_producer_create(&mock->config, id, &mock->producer, &mock->err));
}

static void bench_close(struct bench *bench) {
    transaction_producer_destroy(bench->mock->producer);
    outbox_release(&bench->outbox);
}

static enum commit_outcome deliver_with(struct bench *bench, int16_t call,
                                        rd_kafka_resp_err_t error, size_t times) {
    rd_kafka_resp_err_t errors[2 * DELIVERY_ATTEMPTS_MAX];
    assert_true(times <= COUNT_OF(errors));
    for (size_t i = 0; i < times; i++)
        errors[i] = error;
    rd_kafka_mock_push_request_errors_array(bench->mock->cluster, call, times, errors);
    const struct log_position position = {"in", 0, 1};
    enum commit_outcome outcome =
        deliver(&bench->context, bench->mock->producer, &position, 1, &bench->mock->err);
    rd_kafka_mock_clear_request_errors(bench->mock->cluster, call);
    return outcome;
}

static void a_commit_of_an_ended_generation_is_made_again(void **state) {
    struct bench bench;
    bench_open(&bench, *state, "again");
    assert_int_equal(deliver_with(&bench, OFFSETS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, 2),
                     COMMIT_COMMITTED);
    assert_int_equal(bench.figures.aborts, 2);
    assert_int_equal(bench.figures.commits, 1);
    assert_int_equal(bench.outbox.count, 1); /* the caller's, to mark and reset */
    bench_close(&bench);
}

static void a_commit_that_is_always_refused_is_given_up(void **state) {
    struct bench bench;
    bench_open(&bench, *state, "never");
    assert_int_equal(
        deliver_with(&bench, OFFSETS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, DELIVERY_ATTEMPTS_MAX),
        COMMIT_ABORTED);
    assert_int_equal(bench.figures.aborts, DELIVERY_ATTEMPTS_MAX);
    assert_int_equal(deliver_with(&bench, OFFSETS, RD_KAFKA_RESP_ERR_NO_ERROR, 1),
                     COMMIT_COMMITTED);
    bench_close(&bench);
}

/* Made again it might be there twice. */
static void an_unknown_outcome_is_never_made_again(void **state) {
    struct bench bench;
    bench_open(&bench, *state, "unknown");
    assert_int_equal(deliver_with(&bench, END_TRANSACTION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 1),
                     COMMIT_UNKNOWN);
    assert_int_equal(bench.figures.unknown, 1);
    assert_int_equal(bench.figures.aborts + bench.figures.commits, 0);
    bench_close(&bench);
}

int main(void) {
    log_set_level(LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        CASE(a_commit_of_an_ended_generation_is_made_again),
        CASE(a_commit_that_is_always_refused_is_given_up),
        CASE(an_unknown_outcome_is_never_made_again),
    };
    return cmocka_run_group_tests(tests, mock_open, mock_close);
}

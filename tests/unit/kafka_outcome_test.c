/* Which answer of a broker leads to which outcome of a commit: librdkafka's mock cluster answers
 * with an error first.  The mock proves the calls, never atomicity.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "tests/lib/kafka_mock.h"

static enum status send_one(struct mock *mock) {
    struct message message = {.partition = 0, .key = SLICE("k"), .value = SLICE("v")};
    return transaction_send(mock->producer, "out", &message, 0, &mock->err);
}

static enum commit_outcome commit(struct mock *mock) {
    struct log_position position = {"in", 0, 1};
    return transaction_commit(mock->producer, mock->group, &position, 1, &mock->err);
}

static const struct {
    int16_t call;
    rd_kafka_resp_err_t error;
    size_t times;
    enum commit_outcome outcome;
} cases[] = {
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_NO_ERROR, 1, COMMIT_COMMITTED},
    /* It passes: the call is repeated. */
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 1, COMMIT_COMMITTED},
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 3, COMMIT_COMMITTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 2, COMMIT_COMMITTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 1, COMMIT_COMMITTED},
    {ADD_OFFSETS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, 2, COMMIT_COMMITTED},
    {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 2, COMMIT_COMMITTED},
    {PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 1, COMMIT_COMMITTED},
    /* This transaction is lost, the producer is not. */
    {OFFSETS, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, 1, COMMIT_ABORTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, 1, COMMIT_ABORTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, 1, COMMIT_ABORTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1, COMMIT_ABORTED},
    {OFFSETS, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 1, COMMIT_ABORTED},
    {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1, COMMIT_ABORTED},
    {PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, COMMIT_ABORTED},
    /* Another producer has the id, or nothing helps. */
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, COMMIT_FENCED},
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, COMMIT_FENCED},
    {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, COMMIT_FENCED},
    {ADD_OFFSETS, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, COMMIT_FENCED},
    {OFFSETS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, COMMIT_FENCED},
    /* No answer within the transaction's time: nobody knows. */
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 1000, COMMIT_UNKNOWN},
    {END_TRANSACTION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 1, COMMIT_UNKNOWN},
};

static void inject(struct mock *mock, size_t number) {
    static rd_kafka_resp_err_t errors[1000];
    for (size_t i = 0; i < cases[number].times; i++)
        errors[i] = cases[number].error;
    rd_kafka_mock_push_request_errors_array(mock->cluster, cases[number].call, cases[number].times,
                                            errors);
}

static void producer_open(struct mock *mock, const char *id) {
    assert_ok(transaction_producer_create(&mock->config, id, &mock->producer, &mock->err));
}

/* One producer serves as long as it can, so that each case also follows another. */
static void each_answer_leads_to_its_outcome(void **state) {
    struct mock *mock = *state;
    size_t wrong = 0;
    producer_open(mock, "cases");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        inject(mock, i);
        assert_ok(send_one(mock));
        mock->err.text[0] = '\0';
        enum commit_outcome outcome = commit(mock);
        rd_kafka_mock_clear_request_errors(mock->cluster, cases[i].call);
        if (outcome != cases[i].outcome) {
            print_message("call %d, %s: %s instead of %s (%s)\n", cases[i].call,
                          rd_kafka_err2name(cases[i].error), commit_outcome_name(outcome),
                          commit_outcome_name(cases[i].outcome), mock->err.text);
            wrong++;
        }
        if (outcome == COMMIT_FENCED || outcome == COMMIT_UNKNOWN)
            assert_ok(transaction_recover(mock->producer, &mock->err));
    }
    transaction_producer_destroy(mock->producer);
    assert_int_equal(wrong, 0);
}

static void after_an_unknown_outcome_only_recovery_helps(void **state) {
    struct mock *mock = *state;
    producer_open(mock, "lost");
    rd_kafka_mock_push_request_errors(mock->cluster, END_TRANSACTION, 1,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    assert_ok(send_one(mock));
    assert_int_equal(commit(mock), COMMIT_UNKNOWN);
    assert_int_equal(send_one(mock), STATUS_BROKER);
    assert_int_equal(commit(mock), COMMIT_UNKNOWN);
    assert_int_equal(transaction_abort(mock->producer, &mock->err), COMMIT_UNKNOWN);
    assert_ok(transaction_recover(mock->producer, &mock->err));
    assert_ok(send_one(mock));
    assert_int_equal(commit(mock), COMMIT_COMMITTED);
    transaction_producer_destroy(mock->producer);
}

/* Nothing leaves before the commit: linger.ms. */
static void what_waits_for_the_brokers_at_a_commit_is_told_once(void **state) {
    enum { COUNT = 50, RECORD_BYTES = 2, LIBRARY_BYTES = 190 };
    struct mock *mock = *state;
    struct setting settings[COUNT_OF(mock->settings) + 1];
    memcpy(settings, mock->settings, sizeof mock->settings);
    settings[COUNT_OF(mock->settings)] = (struct setting){"producer.linger.ms", "2000", false, 0};
    struct config before = mock->config;
    mock->config.kafka = settings;
    mock->config.kafka_count = COUNT_OF(settings);
    producer_open(mock, "queue");
    assert_int_equal(transaction_queued_bytes(mock->producer), 0);
    for (size_t count = COUNT; count > 0; count = count == COUNT ? 1 : 0) {
        for (size_t i = 0; i < count; i++)
            assert_ok(send_one(mock));
        assert_int_equal(commit(mock), COMMIT_COMMITTED);
    }
    assert_int_equal(transaction_queued_bytes(mock->producer),
                     COUNT * (RECORD_BYTES + LIBRARY_BYTES)); /* of the larger one */
    assert_int_equal(transaction_queued_bytes(mock->producer), 0);
    transaction_producer_destroy(mock->producer);
    mock->config = before;
}

int main(void) {
    log_set_level(LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        CASE(each_answer_leads_to_its_outcome),
        CASE(after_an_unknown_outcome_only_recovery_helps),
        CASE(what_waits_for_the_brokers_at_a_commit_is_told_once),
    };
    return cmocka_run_group_tests(tests, mock_open, mock_close);
}

/* What `slipstream run` says to whoever operates it: of a replay, of leaving, of a checkpoint that
 * nobody can read.  SPDX-License-Identifier: Apache-2.0 */
#include "partition/partition.h"
#include "run_job.h"

TEST(a_replay_says_what_there_is_to_do_and_when_it_is_done) {
    static struct job job;
    job_open(&job);
    send_predictions(&job);
    job_start(&job);
    await_commit(&job);
    (void)job_end(&job, SIGKILL);
    (void)snprintf(job.command, sizeof job.command, "rm -r %s/state", job.folder);
    assert_int_equal(system(job.command), 0); /* NOLINT(cert-env33-c) */
    job_start(&job);
    await(&job, "event=replayed partition=0 records=501 seconds=");
    assert_int_equal(read_log(&job, "event=replaying partition=0 records=501\n"), 1);
    assert_int_equal(read_log(&job, "event=replaying"), 1);
    assert_int_equal(job_end(&job, SIGTERM), 0);
    assert_int_equal(read_log(&job, "event=leaving stage=partition worker=0 partitions=1 "
                                    "unowned_s=45 note="),
                     1);
    job_close(&job);
}

TEST(a_checkpoint_that_nobody_can_read_is_named_and_not_tried_in_a_loop) {
    static struct job job;
    char scratch[32], expected[200];
    job_open(&job);
    char *checkpoints = cluster_name(&job.c, "checkpoints");
    struct transaction_producer *producer = cluster_producer(&job.c, "x");
    struct slice checkpoint = checkpoint_key(0, scratch);
    struct message message = {.partition = 0, .key = checkpoint, .value = SLICE("of another")};
    assert_cluster_ok(&job.c, transaction_send(producer, checkpoints, &message, 0, &job.c.err));
    cluster_commit(&job.c, producer);
    transaction_producer_destroy(producer);
    job_start(&job);
    (void)snprintf(expected, sizeof expected,
                   "%s[0], checkpoint at offset 0, groups at -1: "
                   "the checkpoint does not parse; the disk is not to "
                   "blame: run the version that wrote them",
                   checkpoints);
    await(&job, expected);
    int64_t until_us = clock_monotonic_us() + INT64_C(7000000);
    while (clock_monotonic_us() < until_us)
        wake_wait(&job.c.wake, 100);
    size_t tries = read_log(&job, expected); /* after 0, 2 and 6 seconds */
    assert_in_range(tries, 2, 3);
    assert_int_equal(job_end(&job, SIGTERM), 0);
    free(checkpoints);
    job_close(&job);
}

/* Its dead letter would be larger than what the brokers take. */
TEST(a_record_as_large_as_the_brokers_take_stops_nothing) {
    enum { LARGE = 1040000 };
    static char value[LARGE];
    static struct job job;
    job_open(&job);
    memset(value, 'x', sizeof value);
    struct transaction_producer *producer = cluster_producer(&job.c, "large");
    struct message message = {.partition = 0, .value = {value, sizeof value}};
    assert_cluster_ok(&job.c, transaction_send(producer, job.predictions, &message, 0, &job.c.err));
    cluster_commit(&job.c, producer);
    transaction_producer_destroy(producer);
    send_predictions(&job);
    job_start(&job);
    await_commit(&job);
    assert_int_equal(job_end(&job, SIGTERM), 0);
    assert_int_equal(read_log(&job, "event=commit_failed"), 0);
    job_close(&job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_replay_says_what_there_is_to_do_and_when_it_is_done),
        CASE(a_record_as_large_as_the_brokers_take_stops_nothing),
        CASE(a_checkpoint_that_nobody_can_read_is_named_and_not_tried_in_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

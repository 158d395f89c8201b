/* run_job.h -- a process of `slipstream run` with one task on topics of its own, and its log.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_BROKER_RUN_JOB_H
#define SLIPSTREAM_TESTS_BROKER_RUN_JOB_H

#include <libgen.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kafka_cluster.h"

enum { LOG_BYTES = 1 << 18, RECORDS = 500 };

struct job {
    struct cluster c;
    char *predictions, *feedback;
    char program[512], folder[64], config[96], log[96], command[1024];
    char text[LOG_BYTES];
    pid_t process;
};

static inline UNUSED void write_config(const struct job *job) {
    FILE *file = fopen(job->config, "w");
    assert_non_null(file);
    (void)fprintf(
        file,
        "application: %s\nkafka: {bootstrap.servers: \"%s\"}\n"
        "predictions: {topic: %s, format: json}\nfeedback: {topic: %s, format: json}\n"
        "topics.partitions: 1\npartials.partitions: 1\nidle.advance: none\nhttp.bind: 127.0.0.1:0\n"
        "state.directory: %s/state\ncommit.interval: 100ms\n"
        "tasks:\n"
        "  - {name: t, score: $.s, horizon: 1h, windows: [1h], metrics: [volume]}\n",
        job->c.name, job->c.settings[0].value, job->predictions, job->feedback, job->folder);
    assert_int_equal(fclose(file), 0);
}

static inline UNUSED void job_open(struct job *job) {
    char self[400];
    cluster_open(&job->c);
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    (void)snprintf(job->program, sizeof job->program, "%s/../slipstream", dirname(self));
    (void)snprintf(job->folder, sizeof job->folder, "/tmp/slipstream-run-XXXXXX");
    assert_non_null(mkdtemp(job->folder));
    (void)snprintf(job->config, sizeof job->config, "%s/job.yaml", job->folder);
    (void)snprintf(job->log, sizeof job->log, "%s/log", job->folder);
    job->predictions = cluster_name(&job->c, "p");
    job->feedback = cluster_name(&job->c, "f");
    write_config(job);
    (void)snprintf(job->command, sizeof job->command, "%s check %s --create-topics --quiet >%s",
                   job->program, job->config, job->log);
    assert_int_equal(system(job->command), 0); /* NOLINT(cert-env33-c): of our own making */
}

static inline UNUSED void job_close(struct job *job) {
    (void)snprintf(job->command, sizeof job->command, "rm -r %s", job->folder);
    assert_int_equal(system(job->command), 0); /* NOLINT(cert-env33-c) */
    free(job->predictions);
    free(job->feedback);
    cluster_close(&job->c);
}

static inline UNUSED void job_start(struct job *job) {
    job->process = fork();
    if (job->process == 0) {
        if (!freopen(job->log, "w", stderr))
            _exit(3);
        (void)execl(job->program, job->program, "run", job->config, "--instance", "a",
                    (char *)NULL);
        _exit(3);
    }
    assert_true(job->process > 0);
}

static inline UNUSED int job_end(struct job *job, int signal_number) {
    int status = 0;
    assert_int_equal(kill(job->process, signal_number), 0);
    assert_int_equal(waitpid(job->process, &status, 0), job->process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline UNUSED size_t read_log(struct job *job, const char *wanted) {
    FILE *file = fopen(job->log, "r");
    assert_non_null(file);
    size_t size = fread(job->text, 1, sizeof job->text - 1, file), count = 0;
    assert_int_equal(fclose(file), 0);
    job->text[size] = '\0';
    for (const char *at = job->text; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

static inline UNUSED void await(struct job *job, const char *wanted) {
    int64_t deadline_us = clock_monotonic_us() + INT64_C(2000) * ANSWER_MS;
    while (read_log(job, wanted) == 0 && clock_monotonic_us() < deadline_us)
        wake_wait(&job->c.wake, 50);
    if (read_log(job, wanted) == 0)
        print_error("no \"%s\" in:\n%s", wanted, job->text);
    assert_true(read_log(job, wanted) > 0);
}

static inline UNUSED void send_predictions(struct job *job) {
    struct transaction_producer *producer = cluster_producer(&job->c, "x");
    for (int i = 0; i < RECORDS; i++) {
        char id[16], value[80];
        (void)snprintf(id, sizeof id, "%d", i);
        (void)snprintf(value, sizeof value, "{\"id\":\"%d\",\"event_time\":%d,\"s\":0.5}", i,
                       1000000 + i);
        cluster_send(&job->c, producer, job->predictions, 0, id, value);
    }
    cluster_commit(&job->c, producer);
    transaction_producer_destroy(producer);
}

static inline UNUSED void await_commit(struct job *job) {
    struct log_position position = {job->predictions, 0, -1};
    char group[100];
    (void)snprintf(group, sizeof group, "%s-partition", job->c.name);
    struct assign_consumer *reader = NULL;
    assert_cluster_ok(
        &job->c, assign_consumer_create(&job->c.config, group, &job->c.wake, &reader, &job->c.err));
    int64_t deadline_us = clock_monotonic_us() + INT64_C(2000) * ANSWER_MS;
    while (position.offset <= RECORDS && clock_monotonic_us() < deadline_us) {
        assert_cluster_ok(&job->c,
                          assign_consumer_committed(reader, &position, 1, ANSWER_MS, &job->c.err));
        wake_wait(&job->c.wake, 50);
    }
    assert_true(position.offset > RECORDS); /* with the marker */
    assign_consumer_destroy(reader);
}

#endif

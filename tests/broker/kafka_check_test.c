/* `slipstream check` against a real broker.  It is the program beside this test's folder.
 * SPDX-License-Identifier: Apache-2.0 */
#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kafka_cluster.h"

enum { OUTPUT_BYTES = 1 << 16 };

struct checked {
    struct cluster c;
    char program[512], file[64];
    char output[OUTPUT_BYTES];
};

static void checked_open(struct checked *checked) {
    cluster_open(&checked->c);
    char self[400];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    (void)snprintf(checked->program, sizeof checked->program, "%s/../slipstream", dirname(self));
    (void)snprintf(checked->file, sizeof checked->file, "/tmp/slipstream-check-XXXXXX");
    int descriptor = mkstemp(checked->file);
    FILE *file = fdopen(descriptor, "w");
    assert_non_null(file);
    (void)fprintf(
        file,
        "application: %s\n"
        "kafka: {bootstrap.servers: \"%s\"}\n"
        "predictions: {topic: %s.p}\n"
        "feedback: {topic: %s.f}\n"
        "topics.partitions: 3\n"
        "tasks:\n"
        "  - {name: t, score: $.score, horizon: 1h, windows: [1h], metrics: [accuracy]}\n",
        checked->c.name, checked->c.settings[0].value, checked->c.name, checked->c.name);
    assert_int_equal(fclose(file), 0);
}

static void checked_close(struct checked *checked) {
    (void)unlink(checked->file);
    cluster_close(&checked->c);
}

static int check(struct checked *checked, const char *arguments) {
    char line[700];
    (void)snprintf(line, sizeof line, "%s check %s --quiet %s", checked->program, checked->file,
                   arguments);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t size = fread(checked->output, 1, sizeof checked->output - 1, pipe);
    checked->output[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_line(const struct checked *checked, const char *text) {
    if (!strstr(checked->output, text))
        print_error("no \"%s\" in:\n%s", text, checked->output);
    assert_non_null(strstr(checked->output, text));
}

TEST(missing_topics_are_errors_until_they_are_created) {
    static struct checked checked;
    checked_open(&checked);
    assert_int_not_equal(check(&checked, ""), 0);
    expect_line(&checked, "8 errors");
    assert_int_equal(check(&checked, "--create-topics"), 0);
    expect_line(&checked, ".f, 3 partitions");
    expect_line(&checked, ".checkpoints, 3 partitions");
    assert_int_equal(check(&checked, "--create-topics"), 0);
    assert_null(strstr(checked.output, "created"));
    expect_line(&checked, " 0 errors");
    checked_close(&checked);
}

TEST(compacted_predictions_and_unequal_partition_counts_are_errors) {
    static struct checked checked;
    checked_open(&checked);
    free(cluster_topic(&checked.c, "p", 2, true));
    free(cluster_topic(&checked.c, "f", 4, false));
    free(cluster_topic(&checked.c, "partials", 4, false));
    assert_int_not_equal(check(&checked, "--create-topics"), 0);
    expect_line(&checked, ".p is compacted");
    expect_line(&checked, ".f has 4 partitions");
    expect_line(&checked, ".f keeps records 604800000 ms");
    expect_line(&checked, ".partials has cleanup.policy=delete");
    expect_line(&checked, ".checkpoints, 2 partitions");
    expect_line(&checked, " 3 errors");
    checked_close(&checked);
}

/* 3 partitions; CRC-32 of "123456789" is 0xcbf43926 (its published check value), which leaves 0. */
TEST(inputs_that_are_placed_by_different_partitioners_are_an_error) {
    static struct checked checked;
    checked_open(&checked);
    assert_int_equal(check(&checked, "--create-topics"), 0);
    char *predictions = cluster_name(&checked.c, "p"), *feedback = cluster_name(&checked.c, "f");
    struct transaction_producer *producer = cluster_producer(&checked.c, "x");
    cluster_send(&checked.c, producer, predictions, -1, "123456789", "v");
    cluster_send(&checked.c, producer, predictions, -1, "another", "v");
    cluster_send(&checked.c, producer, predictions, -1, "key", "v");
    cluster_commit(&checked.c, producer);
    assert_int_equal(check(&checked, ""), 0);
    cluster_send(&checked.c, producer, feedback, 0xcbf43926U % 3, "123456789", "v");
    cluster_commit(&checked.c, producer);
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * ANSWER_MS;
    while (check(&checked, "") == 0 && clock_monotonic_us() < deadline_us)
        continue; /* the marker comes after the answer to the commit */
    expect_line(&checked, "predictions are placed by murmur2 (Java), feedback by CRC32");
    transaction_producer_destroy(producer);
    free(predictions);
    free(feedback);
    checked_close(&checked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(missing_topics_are_errors_until_they_are_created),
        CASE(compacted_predictions_and_unequal_partition_counts_are_errors),
        CASE(inputs_that_are_placed_by_different_partitioners_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* `slipstream load` refuses topics that would not keep what it writes.  It is the program beside
 * this test's folder.  SPDX-License-Identifier: Apache-2.0 */
#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kafka_cluster.h"

enum { OUTPUT_BYTES = 1 << 16, ROWS = 200 };

struct loaded {
    struct cluster c;
    char program[512], folder[64], line[2000];
    char output[OUTPUT_BYTES];
};

static FILE *open_file(const struct loaded *loaded, const char *name) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", loaded->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void loaded_open(struct loaded *loaded) {
    char self[400];
    cluster_open(&loaded->c);
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    (void)snprintf(loaded->program, sizeof loaded->program, "%s/../slipstream", dirname(self));
    (void)snprintf(loaded->folder, sizeof loaded->folder, "/tmp/slipstream-load-XXXXXX");
    assert_non_null(mkdtemp(loaded->folder));
    FILE *rows = open_file(loaded, "p.jsonl");
    for (int i = 0; i < ROWS; i++)
        (void)fprintf(rows, "{\"id\":\"%d\",\"event_time\":%lld,\"s\":0.5}\n", i,
                      1577836800000LL + i);
    assert_int_equal(fclose(rows), 0);
}

static void loaded_close(struct loaded *loaded) {
    (void)snprintf(loaded->line, sizeof loaded->line, "rm -r %s", loaded->folder);
    assert_int_equal(system(loaded->line), 0); /* NOLINT(cert-env33-c): of our own making */
    cluster_close(&loaded->c);
}

/* Loads into a new topic with these settings, and gives the exit status. */
static int load(struct loaded *loaded, const char *topic, struct topic_plan plan) {
    bool existed = true;
    char *name = cluster_name(&loaded->c, topic);
    plan.topic = name;
    assert_cluster_ok(&loaded->c,
                      admin_create_topic(loaded->c.admin, &plan, 2, &existed, &loaded->c.err));
    FILE *config = open_file(loaded, "job.yaml");
    (void)fprintf(config,
                  "application: %s\nkafka: {bootstrap.servers: \"%s\"}\n"
                  "predictions: {topic: %s, format: json}\nfeedback: {topic: f, format: json}\n"
                  "tasks:\n"
                  "  - {name: t, score: $.s, horizon: 1h, windows: [1h], metrics: [volume]}\n",
                  loaded->c.name, loaded->c.settings[0].value, name);
    assert_int_equal(fclose(config), 0);
    free(name);
    (void)snprintf(loaded->line, sizeof loaded->line,
                   "%s load %s/job.yaml --predictions %s/p.jsonl --quiet 2>&1", loaded->program,
                   loaded->folder, loaded->folder);
    FILE *pipe = popen(loaded->line, "r");
    assert_non_null(pipe);
    size_t size = fread(loaded->output, 1, sizeof loaded->output - 1, pipe);
    loaded->output[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(const struct loaded *loaded, const char *text) {
    if (!strstr(loaded->output, text))
        print_error("no \"%s\" in: %s\n", text, loaded->output);
    assert_non_null(strstr(loaded->output, text));
}

TEST(what_retention_would_delete_is_not_written) {
    static struct loaded loaded;
    loaded_open(&loaded);
    assert_int_equal(
        load(&loaded, "ms",
             (struct topic_plan){.settings = {{"retention.ms", "604800000"}}, .setting_count = 1}),
        2);
    expect(&loaded, "its retention.ms is 604800000; set it to -1");
    assert_int_equal(
        load(&loaded, "bytes",
             (struct topic_plan){.settings = {{"retention.ms", "-1"}, {"retention.bytes", "2000"}},
                                 .setting_count = 2}),
        2);
    expect(&loaded, "its retention.bytes is 2000 a partition, the file needs ");
    assert_int_equal(
        load(&loaded, "before",
             (struct topic_plan){.settings = {{"retention.ms", "-1"},
                                              {"message.timestamp.before.max.ms", "3600000"}},
                                 .setting_count = 2}),
        2);
    expect(&loaded, "its message.timestamp.before.max.ms is 3600000");
    loaded_close(&loaded);
}

TEST(what_is_kept_is_written) {
    static struct loaded loaded;
    loaded_open(&loaded);
    assert_int_equal(load(&loaded, "kept",
                          (struct topic_plan){
                              .settings = {{"retention.ms", "-1"}, {"retention.bytes", "200000"}},
                              .setting_count = 2}),
                     0);
    assert_string_equal(loaded.output, "");
    assert_int_equal(load(&loaded, "compact",
                          (struct topic_plan){.settings = {{"cleanup.policy", "compact"},
                                                           {"retention.bytes", "2000"}},
                                              .setting_count = 2}),
                     0);
    loaded_close(&loaded);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_retention_would_delete_is_not_written),
        CASE(what_is_kept_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

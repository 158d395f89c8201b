/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "config/config.h"
#include "config/options.h"
#include "metrics/metric.h"

#define HEAD "application: demo\nkafka: {bootstrap.servers: 'b:9092'}\n"
#define TASK "tasks:\n  - {name: t, horizon: 24h, windows: [1h]}\n"

/* Reads text, which must be good; the caller destroys it. */
static struct config *good(const char *text) {
    struct problems problems;
    problems_init(&problems, "x.yaml");
    struct config *config = NULL;
    enum status status = config_parse("x.yaml", slice_from(text), &config, &problems);
    if (status != STATUS_OK)
        print_error("%.*s", (int)problems.text.size, problems.text.data);
    assert_ok(status);
    assert_int_equal(problems.count, 0);
    problems_release(&problems);
    return config;
}

/* All problems of text as one NUL-terminated string that the caller frees. */
static char *bad(const char *text) {
    struct problems problems;
    problems_init(&problems, "x.yaml");
    struct config *config = NULL;
    assert_int_equal(config_parse("x.yaml", slice_from(text), &config, &problems), STATUS_CONFIG);
    assert_null(config);
    assert_true(problems.count > 0);
    char *lines = alloc_copy(buffer_slice(&problems.text));
    problems_release(&problems);
    return lines;
}

TEST(each_mistake_is_one_line_with_its_place_and_its_remedy) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {HEAD "tasks:\n  - {name: t, horizon: 5x, windows: [1h]}\n",
         "x.yaml:4: tasks[0].horizon: 5x is not a duration (write 250ms, 10s, 5m, 24h or 7d)\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 2000d, windows: [1h]}\n",
         "x.yaml:4: tasks[0].horizon: 2000d is outside 1m to 1096d\n"},
        {HEAD "comit: {interval: 1s}\n" TASK,
         "x.yaml:3: comit is not an option (see `slipstream reference`)\n"},
        {HEAD "commit: {intervall: 1s}\n" TASK,
         "x.yaml:3: commit.intervall is not an option; did you mean commit.interval?\n"},
        {HEAD "commit: {bytes: 64XB}\n" TASK,
         "x.yaml:3: commit.bytes: 64XB is not a size (write 512B, 64kB, 64MB or 1GB)\n"},
        {HEAD "skew: [1m]\n" TASK, "x.yaml:3: skew: must be a duration (write 250ms, 10s, 5m, 24h "
                                   "or 7d), not a list\n"},
        {HEAD "skew: 1m\nskew: 2m\n" TASK, "x.yaml: line 4: skew is set twice, first on line 3\n"},
        {HEAD "commit: {interval: 1s}\ncommit.interval: 2s\n" TASK,
         "x.yaml:4: commit.interval: is set twice, first on line 3\n"},
        {HEAD "predictions: {format: xml}\n" TASK,
         "x.yaml:3: predictions.format: xml is none of confluent|avro|json\n"},
        {HEAD "predictions: {id: id}\n" TASK, "x.yaml:3: predictions.id: id is not a path (write "
                                              "$.name, $.a.b or $.a[0])\n"},
        {HEAD "predictions: {format: avro}\n" TASK,
         "x.yaml: predictions: format avro, and no other, needs the writer schema's file (schema: "
         "...)\n"},
        {HEAD "feedback: {topic: predictions}\n" TASK,
         "x.yaml: topic predictions has two roles: name them apart\n"},
        {HEAD "predictions: {topic: 'a b'}\n" TASK, "x.yaml: a b is not a name of a topic\n"},
        {"application: demo\n" TASK, "x.yaml: kafka: bootstrap.servers is missing (kafka: "
                                     "{bootstrap.servers: \"host:9092\"})\n"},
        {"kafka: {bootstrap.servers: b}\n" TASK,
         "x.yaml:1: application: is missing: names the consumer groups, transactional ids and "
         "internal topics; never change it while state exists\n"},
        {HEAD, "x.yaml: tasks: is missing: a list of at least one task (name, horizon, windows, "
               "...)\n"},
        {HEAD "kafka.consumer.check.crcs: false\n" TASK,
         "x.yaml:3: kafka.consumer.check.crcs: must not be set: damaged records must not be "
         "counted\n"},
        {HEAD "kafka.acks: 1\n" TASK,
         "x.yaml:3: kafka.acks: must not be set: transactions need all\n"},
        {"application: demo\nkafka: {bootstrap.servers: b, isolation.level: "
         "read_uncommitted}\n" TASK,
         "x.yaml:2: kafka.isolation.level: must not be set: inputs must be read committed, or "
         "aborted records would be counted\n"},
        {"application: demo\nkafka: {bootstrap.servers: b, enable: {auto.commit: true}}\n" TASK,
         "x.yaml:2: kafka.enable.auto.commit: must not be set: offsets are committed in the "
         "transaction that holds the results\n"},
        {"application: demo\nkafka: {bootstrap.servers: b, sasl.password.file: /no/such}\n" TASK,
         "x.yaml:2: kafka.sasl.password.file: cannot read /no/such: No such file or directory\n"},
        {HEAD "state.key.file: /no/such\n" TASK,
         "x.yaml: state.key.file: cannot read /no/such: No such file or directory\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], threshold: 1.5}\n",
         "x.yaml:4: tasks[0].threshold: 1.5 is outside 0 to 1\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], threshhold: .5}\n",
         "x.yaml:4: tasks[0]: threshhold is not an option; did you mean threshold?\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h}\n",
         "x.yaml:4: tasks[0].windows: is missing: 1 to 8 of: 1h (tumbling), {size: 1d, slide: 1h} "
         "(hopping), {cumulative: 1d, slide: 1h}; with offset: and name:\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [{size: 30d, slide: 1m}]}\n",
         "x.yaml:4: tasks[0].windows[0]: one label would revise 43200 windows (at most 1440): "
         "slide by 30m or more\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [{size: 1h, slide: 7m}]}\n",
         "x.yaml:4: tasks[0].windows[0]: the size must be a multiple of the slide\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [{slide: 7m}]}\n",
         "x.yaml:4: tasks[0].windows[0]: needs one of size and cumulative (write 1h, {size: 1d, "
         "slide: 1h} or {cumulative: 1d, slide: 1h})\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [{size: 1h, slides: 5m}]}\n",
         "x.yaml:4: tasks[0].windows[0]: slides is not an option; did you mean slide?\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h, 60m]}\n",
         "x.yaml:4: tasks[0].windows[1]: another window is named 1h too (give it a name:)\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], pane: 7m}\n",
         "x.yaml:4: tasks[0].pane: must divide 1h, the greatest common divisor of the windows, and "
         "be 1s or more\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 1000d, windows: [1m]}\n",
         "x.yaml:4: tasks[0].pane: 1440000 panes of 1m would stay open over the horizon (at most "
         "50000): use larger windows and slides, or a shorter horizon\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [acuracy]}\n",
         "x.yaml:4: tasks[0].metrics[0]: acuracy is not a metric; did you mean accuracy?\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [rmse]}\n",
         "x.yaml:4: tasks[0].metrics[0]: rmse is not for binary tasks\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: []}\n",
         "x.yaml:4: tasks[0].metrics: is empty: nothing would be published; leave it out for all "
         "of them\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [auc, auc]}\n",
         "x.yaml:4: tasks[0].metrics[1]: auc is listed twice\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [{fbeta: {beta: x}}]}\n",
         "x.yaml:4: tasks[0].metrics[0]: beta must be a number above 0, at most 1000\n"},
        {HEAD
         "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [{lag: {quantile: 90}}]}\n",
         "x.yaml:4: tasks[0].metrics[0]: quantile must be a number above 0, at most 1\n"},
        {HEAD
         "tasks:\n  - {name: t, horizon: 24h, windows: [1h], metrics: [{accuracy: {beta: 2}}]}\n",
         "x.yaml:4: tasks[0].metrics[0]: accuracy takes no parameter (write - accuracy)\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], groups: [[]]}\n",
         "x.yaml:4: tasks[0].groups[0]: names no column (write $.zone, [$.zone, $.vendor] or "
         "{name: region, columns: [$.region]})\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], groups: [$.a, $.b.a]}\n",
         "x.yaml:4: tasks[0].groups[1]: a is declared twice\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], where: {column: $.m}}\n",
         "x.yaml:4: tasks[0]: where needs both column and equals (where: {column: $.model, equals: "
         "fraud})\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h], output: $.x}\n",
         "x.yaml:4: tasks[0]: a binary task reads score, not output\n"},
        {HEAD "tasks:\n  - {name: t, kind: multiclass, horizon: 24h, windows: [1h]}\n",
         "x.yaml:4: tasks[0].classes: a multiclass task, and no other, needs a list of 2 to 50 "
         "classes\n"},
        {HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h]}\n"
              "  - {name: t, horizon: 24h, windows: [1h]}\n",
         "x.yaml:5: tasks: two tasks are named t\n"},
        {HEAD "tasks: [1]\n", "x.yaml:3: tasks[0]: must be a mapping (name, horizon, ...)\n"},
        {"- 1\n", "x.yaml:1: must be a mapping (application: ...)\n"},
        {"a: [\n", "x.yaml: line 2: did not find expected node content\n"},
        {"a: &x [*x]\n", "x.yaml: too deep or too large (at most 16 levels, 20000 values)\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *lines = bad(cases[i].text);
        assert_string_equal(lines, cases[i].expected);
        free(lines);
    }
}

TEST(all_mistakes_are_reported_at_once) {
    char *lines = bad("application: 'a b'\nskew: x\nworkers: 0\n"
                      "tasks:\n  - {name: t, horizon: y, windows: [z]}\n");
    assert_string_equal(
        lines, "x.yaml:1: application: a b is not a name (letters, digits, . _ -, at most 60)\n"
               "x.yaml:2: skew: x is not a duration (write 250ms, 10s, 5m, 24h or 7d)\n"
               "x.yaml:3: workers: 0 is outside 1 to 256\n"
               "x.yaml:5: tasks[0].horizon: y is not a duration (write 250ms, 10s, 5m, 24h or "
               "7d)\n"
               "x.yaml:5: tasks[0].windows[0]: z is not a duration (write 250ms, 10s, 5m, 24h or "
               "7d)\n");
    free(lines);
}

static const char *const full =
    "application: demo\n"
    "kafka: {bootstrap.servers: 'b:9092', sasl: {username: u, password: hunter2}}\n"
    "state.directory: /var/lib/x\n"
    "predictions: {topic: p, format: json, id: $.trip.uuid, time: $.at, disorder.max: 2h}\n"
    "feedback: {topic: f, prediction.time: $.prediction_time}\n"
    "skew: 2m\n"
    "idle: {advance: none}\n"
    "commit: {interval: 250ms, bytes: 2MB}\n"
    "tasks:\n"
    "  - name: fraud\n"
    "    score: $.s\n"
    "    threshold: 0.25\n"
    "    horizon: 48h\n"
    "    effective_from: 2020-01-31T12:00:00Z\n"
    "    windows: [1h, {size: 1d, slide: 2h}, {cumulative: 1d, slide: 1h, offset: 30m}]\n"
    "    groups: [$.g.zone, [$.g.zone, $.vendor], {name: region, columns: [$.r]}]\n"
    "    metrics: [accuracy, {fbeta: {beta: 2}}, fbeta]\n"
    "    where: {column: $.model, equals: fraud-score}\n"
    "  - {name: fare, kind: regression, output: $.value, horizon: 7d, windows: [1d]}\n";

TEST(a_good_file_is_read_field_by_field) {
    struct config *config = good(full);
    assert_string_equal(config->application, "demo");
    assert_string_equal(config->state_directory, "/var/lib/x");
    assert_string_equal(config->schema_directory, "schemas");
    assert_string_equal(config->slis_topic, "demo.slis");
    assert_string_equal(config->predictions.topic, "p");
    assert_int_equal(config->predictions.format, 2);
    assert_int_equal(config->feedback.format, 0);
    assert_int_equal(config->predictions.disorder_max_ms, 7200000);
    assert_int_equal(config->feedback.disorder_max_ms, 7 * 86400000);
    assert_int_equal(config->skew_ms, 120000);
    assert_int_equal(config->idle_timeout_ms, 0);
    assert_int_equal(config->commit_interval_ms, 250);
    assert_int_equal(config->commit_bytes, 2 << 20);
    assert_int_equal(config->task_count, 2);
    config_destroy(config);
}

TEST(a_task_is_read_field_by_field) {
    struct config *config = good(full);
    const struct task_definition *task = &config->tasks[0];
    assert_string_equal(task->name, "fraud");
    assert_int_equal(task->kind, TASK_BINARY);
    assert_close(task->threshold, 0.25, 0);
    assert_close(task->level, 0.95, 0);
    assert_int_equal(task->cell_count, 256);
    assert_int_equal(task->horizon_ms, 48 * 3600000);
    assert_int_equal(task->segment_ms, 3600000);
    assert_int_equal(task->effective_from_ms, 1580472000000);
    assert_int_equal(task->pane_ms, 1800000);
    assert_int_equal(task->window_count, 3);
    assert_string_equal(task->windows[0].name, "1h");
    assert_string_equal(task->windows[1].name, "1d/2h");
    assert_int_equal(task->windows[1].kind, WINDOW_HOPPING);
    assert_int_equal(task->windows[1].slide_ms, 7200000);
    assert_string_equal(task->windows[2].name, "cumulative-1d/1h+30m");
    assert_int_equal(task->windows[2].kind, WINDOW_CUMULATIVE);
    assert_int_equal(task->windows[2].offset_ms, 1800000);
    assert_int_equal(task->metric_count, 3);
    assert_string_equal(task->metrics[1].name, "f2");
    assert_close(task->metrics[1].parameter, 2, 0);
    assert_string_equal(task->metrics[2].name, "f1");
    assert_true(slice_equal(task->where_value, SLICE("fraud-score")));
    assert_int_equal(config->tasks[1].score_column, -1);
    assert_int_equal(config->tasks[1].kind, TASK_REGRESSION);
    config_destroy(config);
}

static const char *prediction_path(const struct config *config, int column) {
    assert_in_range(column, 0, config->predictions.column_count - 1);
    return config->predictions.columns[column].path;
}

TEST(columns_are_gathered_once_each) {
    struct config *config = good(full);
    const struct task_definition *task = &config->tasks[0];
    assert_string_equal(prediction_path(config, config->predictions.id_column), "$.trip.uuid");
    assert_string_equal(prediction_path(config, config->predictions.time_column), "$.at");
    assert_true(config->predictions.columns[config->predictions.time_column].is_time);
    assert_string_equal(prediction_path(config, task->score_column), "$.s");
    assert_string_equal(prediction_path(config, task->where_column), "$.model");
    assert_string_equal(task->groupings[0].name, "zone");
    assert_string_equal(task->groupings[1].name, "zone,vendor");
    assert_string_equal(task->groupings[2].name, "region");
    assert_int_equal(task->groupings[0].columns[0], task->groupings[1].columns[0]);
    /* uuid, at, s, model, zone, vendor, r, and the second task's value */
    assert_int_equal(config->predictions.column_count, 8);
    assert_int_equal(config->feedback.column_count, 4);
    config_destroy(config);
}

TEST(the_examples_are_good) {
    static const char *const names[] = {"docs/examples/demo.yaml", "docs/examples/taxi.yaml"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct config *config = NULL;
        struct error err = {0};
        enum status status = config_load(names[i], &config, &err);
        assert_string_equal(err.text, "");
        assert_ok(status);
        assert_true(config->tasks[0].metric_count > 0);
        config_destroy(config);
    }
}

static uint64_t fingerprint(const char *text) {
    struct config *config = good(text);
    uint64_t value = config->tasks[0].fingerprint;
    config_destroy(config);
    return value;
}

TEST(the_fingerprint_is_of_the_meaning_not_of_the_text) {
    uint64_t one = fingerprint(HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h, 1d]}\n");
    assert_int_equal(one,
                     fingerprint("tasks:\n  - windows:\n    - 60m\n    - 24h\n    horizon: 1d\n"
                                 "    threshold: 0.50\n    name: t\n# comment\n"
                                 "workers: 2\n" HEAD));
    assert_int_equal(one,
                     fingerprint(HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h, 1d]}\n"
                                      "  - {name: u, score: $.u, horizon: 1h, windows: [1h]}\n"));
}

TEST(whatever_changes_the_meaning_changes_the_fingerprint) {
    static const char *const variants[] = {
        "",
        ", threshold: 0.6",
        ", level: 0.9",
        ", cells: 128",
        ", pane: 30m",
        ", score: $.score",
        ", label: $.truth",
        ", positive: yes",
        ", groups: [$.zone]",
        ", groups: [{name: zone, columns: [$.a.zone]}]",
        ", groups.max: 10",
        ", metrics: [accuracy]",
        ", metrics: [{fbeta: 2}]",
        ", metrics: [{fbeta: {beta: 3, name: f2}}]",
        ", effective_from: 2020-01-01",
        ", where: {column: $.m, equals: a}",
        ", where: {column: $.m, equals: b}",
        ", feedback.where: {column: $.m, equals: a}",
    };
    uint64_t seen[COUNT_OF(variants)];
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       HEAD "tasks:\n  - {name: t, horizon: 24h, windows: [1h]%s}\n", variants[i]);
        seen[i] = fingerprint(text);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(seen[i], seen[k]);
    }
}

TEST(the_environment_wins_over_the_file) {
    assert_int_equal(setenv("SLIPSTREAM_COMMIT_INTERVAL", "2s", 1), 0);
    assert_int_equal(setenv("SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS", "other:1", 1), 0);
    assert_int_equal(setenv("SLIPSTREAM_DEAD_LETTERS_TOPIC", "dlq", 1), 0);
    struct config *config = good(HEAD "commit: {interval: 1s}\n" TASK);
    assert_int_equal(config->commit_interval_ms, 2000);
    assert_string_equal(config->dead_letters_topic, "dlq");
    assert_int_equal(config->kafka_count, 1);
    assert_string_equal(config->kafka[0].value, "other:1");
    config_destroy(config);
    assert_int_equal(setenv("SLIPSTREAM_COMMIT_INTERVAL", "2x", 1), 0);
    char *lines = bad(HEAD TASK);
    assert_string_equal(lines, "x.yaml: SLIPSTREAM_COMMIT_INTERVAL: 2x is not a duration (write "
                               "250ms, 10s, 5m, 24h or 7d)\n");
    free(lines);
    (void)unsetenv("SLIPSTREAM_COMMIT_INTERVAL");
    (void)unsetenv("SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS");
    (void)unsetenv("SLIPSTREAM_DEAD_LETTERS_TOPIC");
}

TEST(secrets_are_never_printed) {
    struct config *config = good(full);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    config_print(config, &out);
    char *text = alloc_copy(buffer_slice(&out));
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "sasl.password: \"********\""));
    assert_non_null(strstr(text, "sasl.username: u"));
    free(text);
    buffer_release(&out);
    config_destroy(config);
}

/* path: a template for mkstemp. */
static void write_file(char *path, const char *content) {
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *stream = fdopen(file, "w");
    assert_non_null(stream);
    assert_true(fputs(content, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

TEST(the_key_of_the_state_comes_from_a_file_and_is_never_printed) {
    char path[] = "/tmp/slipstream-secret-XXXXXX", text[300];
    write_file(path, "0123456789abcdef\n");
    (void)snprintf(text, sizeof text, HEAD "state.key.file: %s\n" TASK, path);
    struct config *config = good(text);
    assert_true(slice_equal(config->state_key, SLICE("0123456789abcdef")));
    struct buffer out;
    buffer_init(&out, 1 << 20);
    config_print(config, &out);
    buffer_append(&out, "", 1);
    assert_null(strstr(out.data, "0123456789abcdef"));
    assert_non_null(strstr(out.data, path));
    buffer_release(&out);
    config_destroy(config);
    assert_int_equal(remove(path), 0);
}

TEST(a_short_key_of_the_state_is_refused) {
    char path[] = "/tmp/slipstream-secret-XXXXXX", text[300], expected[300];
    write_file(path, "0123456789abcde\n");
    (void)snprintf(text, sizeof text, HEAD "state.key.file: %s\n" TASK, path);
    (void)snprintf(expected, sizeof expected,
                   "x.yaml: state.key.file: %s holds less than 16 bytes (head -c 32 /dev/urandom | "
                   "base64)\n",
                   path);
    char *lines = bad(text);
    assert_string_equal(lines, expected);
    free(lines);
    assert_int_equal(remove(path), 0);
}

TEST(a_secret_may_come_from_a_file) {
    char path[] = "/tmp/slipstream-secret-XXXXXX";
    write_file(path, "s3cret\n");
    char text[300];
    (void)snprintf(
        text, sizeof text,
        "application: a\nkafka: {bootstrap.servers: b, ssl.key.password.file: %s}\n" TASK, path);
    struct config *config = good(text);
    assert_string_equal(config->kafka[1].key, "ssl.key.password");
    assert_string_equal(config->kafka[1].value, "s3cret");
    assert_true(config->kafka[1].secret);
    config_destroy(config);
    assert_int_equal(remove(path), 0);
}

TEST(the_printed_configuration_reads_back_as_itself) {
    struct config *config = good(full);
    struct buffer first, second;
    buffer_init(&first, 1 << 20);
    buffer_init(&second, 1 << 20);
    config_print(config, &first);
    char *text = alloc_copy(buffer_slice(&first));
    struct config *again = good(text);
    config_print(again, &second);
    assert_true(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    for (int i = 0; i < config->task_count; i++)
        assert_int_equal(config->tasks[i].fingerprint, again->tasks[i].fingerprint);
    free(text);
    buffer_release(&first);
    buffer_release(&second);
    config_destroy(config);
    config_destroy(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_mistake_is_one_line_with_its_place_and_its_remedy),
        CASE(all_mistakes_are_reported_at_once),
        CASE(a_good_file_is_read_field_by_field),
        CASE(a_task_is_read_field_by_field),
        CASE(columns_are_gathered_once_each),
        CASE(the_examples_are_good),
        CASE(the_fingerprint_is_of_the_meaning_not_of_the_text),
        CASE(whatever_changes_the_meaning_changes_the_fingerprint),
        CASE(the_environment_wins_over_the_file),
        CASE(secrets_are_never_printed),
        CASE(a_secret_may_come_from_a_file),
        CASE(the_key_of_the_state_comes_from_a_file_and_is_never_printed),
        CASE(a_short_key_of_the_state_is_refused),
        CASE(the_printed_configuration_reads_back_as_itself),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

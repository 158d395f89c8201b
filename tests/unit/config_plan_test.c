/* What a configuration asks of the cluster: topics, rights, costs; and quantities.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "config/config.h"
#include "config/options.h"
#include "config/quantity.h"

static const char *const text =
    "application: demo\nkafka: {bootstrap.servers: b}\npartials.partitions: 3\n"
    "feedback: {prediction.time: $.prediction_time}\n"
    "tasks:\n  - {name: t, horizon: 24h, windows: [1h], groups: [$.zone]}\n";

static struct config *good(const char *yaml) {
    struct problems problems;
    problems_init(&problems, "x.yaml");
    struct config *config = NULL;
    assert_ok(config_parse("x.yaml", slice_from(yaml), &config, &problems));
    problems_release(&problems);
    return config;
}

static const char *setting_of(const struct topic_plan *plan, const char *name) {
    for (int i = 0; i < plan->setting_count; i++)
        if (strcmp(plan->settings[i].name, name) == 0)
            return plan->settings[i].value;
    return "";
}

TEST(every_topic_has_the_cleanup_that_its_role_needs) {
    static const struct {
        const char *topic, *cleanup;
        int partitions;
        bool is_input, like_predictions;
    } expected[] = {
        {"predictions", "delete", 4, true, true},
        {"feedback", "delete", 4, true, true},
        {"demo.partials", "compact", 3, false, false},
        {"demo.checkpoints", "compact", 4, false, true},
        {"demo.slis", "compact", 3, false, false},
        {"demo.state", "compact", 3, false, false},
        {"demo.tasks", "compact", 1, false, false},
        {"demo.dead-letters", "delete", 3, false, false},
    };
    struct config *config = good(text);
    struct topic_plan plans[PLANS_MAX];
    assert_int_equal(config_topics(config, plans), COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_string_equal(plans[i].topic, expected[i].topic);
        assert_string_equal(setting_of(&plans[i], "cleanup.policy"), expected[i].cleanup);
        assert_int_equal(plans[i].partitions, expected[i].partitions);
        assert_int_equal(plans[i].is_input, expected[i].is_input);
        assert_int_equal(plans[i].like_predictions, expected[i].like_predictions);
    }
    config_destroy(config);
}

TEST(what_a_restore_reads_is_not_compacted_under_it) {
    struct config *config = good(text);
    struct topic_plan plans[PLANS_MAX];
    int found = 0;
    for (int i = 0; i < config_topics(config, plans); i++) {
        if (strcmp(plans[i].topic, "demo.partials") != 0 &&
            strcmp(plans[i].topic, "demo.state") != 0)
            continue;
        assert_string_equal(setting_of(&plans[i], "min.compaction.lag.ms"), "3600000");
        found++;
    }
    assert_int_equal(found, 2);
    config_destroy(config);
}

TEST(rights_cover_every_topic_the_group_and_the_transactions) {
    struct config *config = good(text);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    config_print_acls(config, "User:s", &out);
    char *lines = alloc_copy(buffer_slice(&out));
    struct topic_plan plans[PLANS_MAX];
    for (int i = 0; i < config_topics(config, plans); i++) {
        char topic[80];
        (void)snprintf(topic, sizeof topic, "--topic %s\n", plans[i].topic);
        assert_non_null(strstr(lines, topic));
    }
    assert_non_null(strstr(lines, "--add --allow-principal User:s --operation Write --operation "
                                  "Describe --transactional-id demo --resource-pattern-type "
                                  "prefixed\n"));
    free(lines);
    buffer_release(&out);
    config_destroy(config);
}

TEST(costs_grow_with_what_causes_them) {
    struct config *config = good(text);
    struct load load = {
        .predictions_per_second = 1000, .labelled = 0.5, .groups = 20, .partitions = 4};
    struct load_estimate one, two;
    config_estimate(config, &load, &one);
    /* a row waits for 24 h + 7 d + 1 m + a segment of 30 m */
    assert_close(one.pending_rows, 1000.0 * (8 * 86400 + 60 + 1800), 1);
    assert_true(one.disk_bytes > one.pending_rows * 45);
    assert_close(one.reads_a_label, 1, 0);
    load.predictions_per_second = 2000;
    config_estimate(config, &load, &two);
    assert_close(two.pending_rows, 2 * one.pending_rows, 1);
    assert_close(two.open_panes, one.open_panes, 0);
    assert_true(two.partials_bytes_a_second >= one.partials_bytes_a_second);
    load.groups = 2000;
    config_estimate(config, &load, &one);
    assert_true(one.open_panes > two.open_panes && one.memory_bytes >= two.memory_bytes);
    config_destroy(config);
}

TEST(labels_without_the_predictions_time_cost_look_ups) {
    struct config *config = good("application: d\nkafka: {bootstrap.servers: b}\n"
                                 "tasks:\n  - {name: t, horizon: 48h, windows: [1h]}\n");
    struct load load = {.predictions_per_second = 1, .labelled = 1, .groups = 1, .partitions = 1};
    struct load_estimate estimate;
    config_estimate(config, &load, &estimate);
    assert_close(estimate.reads_a_label, 1, 0);
    assert_close(estimate.locator_bytes, estimate.pending_rows * 3 / .75, 1e-6);
    load.predictions_per_second = 1e6; /* next to nothing fits into the locator */
    config_estimate(config, &load, &estimate);
    assert_close(estimate.reads_a_label, 25, .1);
    load.partitions = 1000000;
    config_estimate(config, &load, &estimate);
    assert_close(estimate.reads_a_label, 1, 0);
    config_destroy(config);
}

TEST(a_locator_that_holds_half_of_the_rows_costs_a_quarter_of_the_segments) {
    struct config *config = good("application: d\nkafka: {bootstrap.servers: b}\n"
                                 "tasks:\n  - {name: t, horizon: 48h, windows: [1h]}\n");
    struct load load = {.predictions_per_second = 1, .labelled = 1, .groups = 1, .partitions = 1};
    struct load_estimate estimate;
    config_estimate(config, &load, &estimate);
    load.predictions_per_second = 2 * config_located_rows(config) / estimate.pending_rows;
    config_estimate(config, &load, &estimate);
    /* 50 segments, 25 of them not located: .5 + .5 25 / 2 */
    assert_close(estimate.reads_a_label, 6.75, 1e-9);
    assert_close(config_segments_a_label(config), 50, 0);
    config_destroy(config);
}

TEST(durations_are_read_and_written_back) {
    static const struct {
        const char *text;
        int64_t ms;
        const char *written;
    } cases[] = {{"250ms", 250, "250ms"}, {"10s", 10000, "10s"},   {"5m", 300000, "5m"},
                 {"24h", 86400000, "1d"}, {"7d", 604800000, "7d"}, {"2w", 1209600000, "14d"},
                 {"0", 0, "0ms"},         {"90s", 90000, "90s"},   {"36h", 129600000, "36h"}};
    char scratch[QUANTITY_BYTES];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1;
        assert_true(parse_duration(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
        assert_string_equal(format_duration(scratch, ms), cases[i].written);
        assert_true(parse_duration(scratch, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

TEST(what_is_no_quantity_is_refused) {
    static const char *const bad[] = {"",
                                      "5",
                                      "5x",
                                      "s",
                                      "-5s",
                                      "5 s",
                                      "1.5h",
                                      "5ss",
                                      "+1s",
                                      "9223372036854775807d",
                                      "99999999999999999999s"};
    int64_t value = 77;
    double number = 0;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(parse_duration(bad[i], &value));
    assert_false(parse_size("64mb", &value));
    assert_false(parse_count("12a", &value));
    assert_false(parse_number("nan", &number));
    assert_false(parse_number("1e999", &number));
    assert_false(parse_number("0x10", &number));
    assert_int_equal(value, 77);
}

TEST(times_are_read_and_written_back) {
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"1970-01-01", 0},
                 {"2020-02-29T12:34:56Z", 1582979696000},
                 {"2000-03-01 00:00:00", 951868800000},
                 {"2100-12-31", 4133894400000},
                 {"1969-12-31T12:00:00Z", -43200000},
                 {"1582979696000", 1582979696000}};
    char scratch[QUANTITY_BYTES];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1, again = -1;
        assert_true(parse_time(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
        assert_true(parse_time(format_time(scratch, ms), &again));
        assert_int_equal(again, ms);
    }
    int64_t ms = 0;
    assert_false(parse_time("2020-13-01", &ms));
    assert_false(parse_time("2020-02-30", &ms));
    assert_false(parse_time("2019-02-29T00:00:00Z", &ms));
    assert_false(parse_time("2020-04-31", &ms));
    assert_false(parse_time("2020-01-01T25:00:00Z", &ms));
    assert_false(parse_time("yesterday!", &ms));
}

TEST(edit_distance_counts_letters) {
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("abc", ""), 3);
    assert_int_equal(edit_distance("flaw", "lawn"), 2);
}

TEST(every_option_is_in_the_reference) {
    struct buffer out;
    buffer_init(&out, 1 << 20);
    config_reference(&out);
    char *markdown = alloc_copy(buffer_slice(&out));
    for (size_t i = 0; i < options_count; i++) {
        char row[100];
        (void)snprintf(row, sizeof row, "\n| `%s` | ", options[i].name);
        assert_non_null(strstr(markdown, row));
    }
    assert_non_null(strstr(markdown, "| `isolation.level` | "));
    free(markdown);
    buffer_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_topic_has_the_cleanup_that_its_role_needs),
        CASE(what_a_restore_reads_is_not_compacted_under_it),
        CASE(rights_cover_every_topic_the_group_and_the_transactions),
        CASE(costs_grow_with_what_causes_them),
        CASE(labels_without_the_predictions_time_cost_look_ups),
        CASE(a_locator_that_holds_half_of_the_rows_costs_a_quarter_of_the_segments),
        CASE(durations_are_read_and_written_back),
        CASE(what_is_no_quantity_is_refused),
        CASE(times_are_read_and_written_back),
        CASE(edit_distance_counts_letters),
        CASE(every_option_is_in_the_reference),
    };
    return cmocka_run_group_tests_name("config_plan", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "config/config.h"
#include "worker/epochs.h"

static const char base[] = "application: a\n"
                           "kafka: {bootstrap.servers: \"x:1\"}\n"
                           "predictions: {topic: p, id: $.id, time: $.t}\n"
                           "feedback: {topic: f, id: $.id, time: $.u}\n"
                           "tasks:\n"
                           "  - {name: fraud, kind: binary, score: $.score, label: $.label, "
                           "horizon: 1h, windows: [1h], threshold: %s, groups: [%s]}\n";

static struct config *config_with(const char *threshold, const char *group) {
    char text[1024];
    (void)snprintf(text, sizeof text, base, threshold, group);
    struct problems problems;
    struct config *config = NULL;
    problems_init(&problems, "test");
    assert_ok(config_parse("test", slice_from(text), &config, &problems));
    problems_release(&problems);
    return config;
}

/* What one process publishes is what the next one reads. */
static void pass_on(const struct epochs *from, struct epochs *to) {
    for (size_t i = 0; i < from->publish_count; i++) {
        json_t *value = json_loads(from->publish[i].value, 0, NULL);
        assert_non_null(value);
        epochs_take(to, value);
        json_decref(value);
    }
}

TEST(the_first_definition_is_epoch_1_and_is_published) {
    struct epochs epochs = {0};
    struct config *config = config_with("0.5", "$.g");
    assert_ok(epochs_assign(&epochs, config, NULL));
    assert_int_equal(config->tasks[0].epoch, 1);
    assert_int_equal(epochs.publish_count, 1);
    assert_string_equal(epochs.publish[0].key, "task/fraud/1");
    epochs_release(&epochs);
    config_destroy(config);
}

TEST(the_same_definition_joins_its_epoch_and_publishes_nothing) {
    struct epochs first = {0}, second = {0};
    struct config *a = config_with("0.5", "$.g"), *b = config_with("0.5", "$.g");
    assert_ok(epochs_assign(&first, a, NULL));
    pass_on(&first, &second);
    assert_ok(epochs_assign(&second, b, NULL));
    assert_int_equal(b->tasks[0].epoch, 1);
    assert_int_equal(second.publish_count, 0);
    epochs_release(&first);
    epochs_release(&second);
    config_destroy(a);
    config_destroy(b);
}

TEST(a_changed_definition_is_the_next_epoch_and_the_older_one_comes_along) {
    struct epochs first = {0}, second = {0};
    struct config *a = config_with("0.5", "$.old"), *b = config_with("0.7", "$.new");
    assert_ok(epochs_assign(&first, a, NULL));
    pass_on(&first, &second);
    int columns = b->predictions.column_count;
    assert_ok(epochs_assign(&second, b, NULL));
    assert_int_equal(b->task_count, 2);
    assert_int_equal(b->tasks[0].epoch, 2);
    assert_int_equal(b->tasks[1].epoch, 1);
    assert_close(b->tasks[1].threshold, .5, 0);
    assert_int_equal(b->predictions.column_count, columns + 1);
    int column = b->tasks[1].groupings[0].columns[0];
    assert_string_equal(b->predictions.columns[column].path, "$.old");
    assert_int_equal(second.publish_count, 1);
    /* What was extended is not the configuration's own, and lives with the process otherwise. */
    free(b->tasks);
    free(b->predictions.columns);
    config_destroy(second.older[0]);
    epochs_release(&first);
    epochs_release(&second);
    config_destroy(a);
    config_destroy(b);
}

TEST(a_member_with_an_older_definition_is_refused_with_the_remedy) {
    struct epochs first = {0}, second = {0}, third = {0};
    struct config *a = config_with("0.5", "$.g"), *b = config_with("0.7", "$.g");
    struct config *again = config_with("0.5", "$.g");
    struct error err = {0};
    assert_ok(epochs_assign(&first, a, NULL));
    pass_on(&first, &second);
    assert_ok(epochs_assign(&second, b, NULL));
    pass_on(&first, &third);
    pass_on(&second, &third);
    assert_int_equal(epochs_assign(&third, again, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.text, "start with the newest configuration"));
    free(b->tasks);
    config_destroy(second.older[0]);
    epochs_release(&first);
    epochs_release(&second);
    epochs_release(&third);
    config_destroy(a);
    config_destroy(b);
    config_destroy(again);
}

/* As when the secret is mounted elsewhere by the next release. */
TEST(an_older_definition_is_read_without_the_key_file_of_its_time) {
    struct epochs first = {0}, second = {0};
    struct config *a = config_with("0.5", "$.g"), *b = config_with("0.7", "$.g");
    struct error err = {0};
    a->state_key_file = "/no/such/file";
    assert_ok(epochs_assign(&first, a, NULL));
    pass_on(&first, &second);
    assert_int_equal(epochs_assign(&second, b, &err), STATUS_OK);
    assert_int_equal(second.older_count, 1);
    free(b->tasks);
    config_destroy(second.older[0]);
    epochs_release(&first);
    epochs_release(&second);
    config_destroy(a);
    config_destroy(b);
}

TEST(records_that_are_no_definitions_are_left_alone) {
    struct epochs epochs = {0};
    static const char *const values[] = {"{}", "{\"task\":1}", "{\"close_at_ms\":5}",
                                         "{\"task\":\"t\",\"epoch\":1,\"fingerprint\":\"1\"}"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        json_t *value = json_loads(values[i], 0, NULL);
        epochs_take(&epochs, value);
        json_decref(value);
    }
    assert_int_equal(epochs.record_count, 0);
    epochs_release(&epochs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_first_definition_is_epoch_1_and_is_published),
        CASE(the_same_definition_joins_its_epoch_and_publishes_nothing),
        CASE(a_changed_definition_is_the_next_epoch_and_the_older_one_comes_along),
        CASE(a_member_with_an_older_definition_is_refused_with_the_remedy),
        CASE(an_older_definition_is_read_without_the_key_file_of_its_time),
        CASE(records_that_are_no_definitions_are_left_alone),
    };
    return cmocka_run_group_tests_name("epochs", tests, NULL, NULL);
}

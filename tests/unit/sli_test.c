/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <avro.h>

#include "base/error.h"
#include "partial.h"
#include "task/sli.h"

static const struct sli example = {
    .task = {"fraud", 5},
    .metric = {"f2", 2},
    .group = {"zone=JFK", 8},
    .window = {"1h", 2},
    .window_start_ms = 3600000,
    .window_end_ms = 7200000,
    .run_id = {"", 0},
    .status = SLI_REVISED,
    .trust = TRUST_PROVISIONAL,
    .has_value = true,
    .value = .75,
    .has_interval = true,
    .low = .5,
    .high = .875,
    .level = .95,
    .interval = INTERVAL_NORMAL,
    .error_bound = .001,
    .predicted = 1000,
    .labelled = 600,
    .coverage = .6,
    .late = 3,
    .support = 40,
    .parameter = 2,
    .kind = TASK_BINARY,
    .window_kind = WINDOW_HOPPING,
    .epoch = 7,
    .mixed_epochs = true,
    .method = {"full", 4},
    .formula = {"fbeta/1", 7},
    .watermark_ms = 7300000,
    .revision = {7, 2, 123456789012},
    .computed_at_ms = 1700000000000,
};

/* The key as the documentation of the value's schema says it. */
static const char key_schema[] =
    "{\"type\":\"record\",\"name\":\"SliKey\",\"fields\":["
    "{\"name\":\"task\",\"type\":\"string\"},{\"name\":\"metric\",\"type\":\"string\"},"
    "{\"name\":\"group\",\"type\":\"string\"},{\"name\":\"window\",\"type\":\"string\"},"
    "{\"name\":\"window_start\",\"type\":\"long\"},{\"name\":\"window_end\",\"type\":\"long\"},"
    "{\"name\":\"run_id\",\"type\":\"string\"}]}";

static char *decode(const char *schema_text, size_t schema_size, struct slice bytes) {
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(schema_text, schema_size, &schema), 0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t value;
    assert_int_equal(avro_generic_value_new(class, &value), 0);
    avro_reader_t reader = avro_reader_memory(bytes.data, (int64_t)bytes.size);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char rest;
    assert_int_not_equal(avro_read(reader, &rest, 1), 0); /* nothing is left over */
    char *json;
    assert_int_equal(avro_value_to_json(&value, 1, &json), 0);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    return json;
}

static size_t read_schema(char *text, size_t capacity) {
    FILE *file = fopen("schemas/sli.3.avsc", "r");
    assert_non_null(file);
    size_t size = fread(text, 1, capacity, file);
    fclose(file);
    assert_true(size > 0 && size < capacity);
    return size;
}

static void assert_has(const char *json, const char *part) {
    if (!strstr(json, part)) {
        print_error("no %s in %s\n", part, json);
        fail();
    }
}

TEST(avro_reads_every_field_of_a_value_by_its_schema) {
    static char schema[1 << 16];
    size_t schema_size = read_schema(schema, sizeof schema);
    struct buffer value;
    buffer_init(&value, 1 << 16);
    sli_write(&example, &value);
    struct slice body;
    assert_true(read_frame(buffer_slice(&value), SCHEMA_SLI, &body));
    char *json = decode(schema, schema_size, body);
    static const char *const parts[] = {
        "\"task\": \"fraud\"",
        "\"metric\": \"f2\"",
        "\"group\": \"zone=JFK\"",
        "\"window\": \"1h\"",
        "\"window_start\": 3600000",
        "\"window_end\": 7200000",
        "\"run_id\": \"\"",
        "\"status\": \"REVISED\"",
        "\"trust\": \"PROVISIONAL\"",
        "\"value\": {\"double\": 0.75}",
        "\"low\": {\"double\": 0.5}",
        "\"high\": {\"double\": 0.875}",
        "\"level\": 0.94999",
        "\"interval\": \"normal\"",
        "\"error_bound\": 0.001",
        "\"predicted\": 1000",
        "\"labelled\": 600",
        "\"coverage\": 0.59999",
        "\"late\": 3",
        "\"support\": 40",
        "\"parameter\": 2.0",
        "\"kind\": \"BINARY\"",
        "\"window_kind\": \"HOPPING\"",
        "\"epoch\": 7",
        "\"mixed_epochs\": true",
        "\"method\": \"full\"",
        "\"formula\": \"fbeta/1\"",
        "\"watermark\": {\"long\": 7300000}",
        "\"revision\": {\"epoch\": 7, \"incarnation\": 2, \"offset\": 123456789012}",
        "\"computed_at\": 1700000000000",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_has(json, parts[i]);
    free(json);
    buffer_release(&value);
}

TEST(avro_reads_a_value_that_says_nothing) {
    static char schema[1 << 16];
    size_t schema_size = read_schema(schema, sizeof schema);
    struct sli silent = example;
    silent.has_value = false;
    silent.has_interval = false;
    silent.watermark_ms = WATERMARK_NONE;
    struct buffer value;
    buffer_init(&value, 1 << 16);
    sli_write(&silent, &value);
    struct slice body;
    assert_true(read_frame(buffer_slice(&value), SCHEMA_SLI, &body));
    char *json = decode(schema, schema_size, body);
    assert_has(json, "\"value\": null, \"low\": null, \"high\": null");
    assert_has(json, "\"watermark\": null");
    free(json);
    buffer_release(&value);
}

TEST(avro_reads_a_key_by_the_fields_that_are_promised) {
    struct buffer key;
    buffer_init(&key, 1 << 16);
    sli_write_key(&example, &key);
    char *json = decode(key_schema, sizeof key_schema - 1, buffer_slice(&key));
    assert_string_equal(json, "{\"task\": \"fraud\", \"metric\": \"f2\", \"group\": \"zone=JFK\", "
                              "\"window\": \"1h\", \"window_start\": 3600000, "
                              "\"window_end\": 7200000, \"run_id\": \"\"}");
    free(json);
    buffer_release(&key);
}

TEST(a_value_is_read_back_as_it_was_written) {
    struct sli variants[3] = {example, example, example};
    variants[1].has_value = false;
    variants[1].has_interval = false;
    variants[1].watermark_ms = WATERMARK_NONE;
    variants[2].has_interval = false;
    variants[2].interval = INTERVAL_NONE;
    variants[2].window_start_ms = INT64_MIN;
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        struct buffer first, again;
        buffer_init(&first, 1 << 16);
        buffer_init(&again, 1 << 16);
        sli_write(&variants[i], &first);
        struct sli read;
        assert_true(sli_read(buffer_slice(&first), &read));
        assert_int_equal(read.status, variants[i].status);
        assert_int_equal(read.has_interval, variants[i].has_interval);
        assert_int_equal(read.watermark_ms, variants[i].watermark_ms);
        assert_true(slice_equal(read.formula, variants[i].formula));
        sli_write(&read, &again);
        assert_true(slice_equal(buffer_slice(&first), buffer_slice(&again)));
        buffer_release(&first);
        buffer_release(&again);
    }
}

TEST(every_truncation_and_every_other_choice_is_refused) {
    struct buffer value;
    buffer_init(&value, 1 << 16);
    sli_write(&example, &value);
    struct sli read;
    for (size_t size = 0; size < value.size; size++)
        assert_false(sli_read((struct slice){value.data, size}, &read));
    struct sli wrong = example;
    wrong.interval = (enum interval_method)17;
    buffer_reset(&value);
    sli_write(&wrong, &value);
    assert_false(sli_read(buffer_slice(&value), &read));
    buffer_release(&value);
}

TEST(statuses_and_trusts_have_their_names) {
    assert_string_equal(sli_status_name(SLI_PROVISIONAL), "PROVISIONAL");
    assert_string_equal(sli_status_name(SLI_ON_TIME), "ON_TIME");
    assert_string_equal(sli_status_name(SLI_FINAL), "FINAL");
    assert_string_equal(sli_trust_name(TRUST_NO_LABELS), "NO_LABELS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(avro_reads_every_field_of_a_value_by_its_schema),
        CASE(avro_reads_a_value_that_says_nothing),
        CASE(avro_reads_a_key_by_the_fields_that_are_promised),
        CASE(a_value_is_read_back_as_it_was_written),
        CASE(every_truncation_and_every_other_choice_is_refused),
        CASE(statuses_and_trusts_have_their_names),
    };
    return cmocka_run_group_tests_name("sli", tests, NULL, NULL);
}

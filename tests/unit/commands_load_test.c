/* What `load` makes of a file's rows; the reader of our topics is the oracle.  The command is no
 * room, so its two files are compiled in here.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <unistd.h>

#include "schemas/schema_set.h"

/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "processor/commands/json_object.c"
#include "processor/commands/load_record.c"
#include "processor/commands/load_source.c"
/* NOLINTEND(bugprone-suspicious-include) */

#include "config/config.h"

#define CONFIG(inputs, task)                                                                       \
    "application: a\nkafka: {bootstrap.servers: b}\n" inputs "\ntasks:\n"                          \
    "  - {name: t, horizon: 24h, windows: [1h]" task "}\n"

static struct config *good(const char *text) {
    struct problems problems;
    struct config *config = NULL;
    problems_init(&problems, "x.yaml");
    enum status status = config_parse("x.yaml", slice_from(text), &config, &problems);
    if (status != STATUS_OK)
        print_error("%.*s", (int)problems.text.size, problems.text.data);
    assert_ok(status);
    problems_release(&problems);
    return config;
}

static char path[64];

static void write_file(const char *extension, const char *text) {
    (void)snprintf(path, sizeof path, "/tmp/slipstream-load-%ld%s", (long)getpid(), extension);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct load_source *open_source(struct record_writer *writer, bool keep_order,
                                       int64_t from_ms) {
    const struct load_source_options options = {
        .path = path, .writer = writer, .from_ms = from_ms, .keep_order = keep_order};
    struct load_source *source = NULL;
    struct error err = {0};
    enum status status = load_source_open(&options, &source, &err);
    assert_string_equal(err.text, "");
    assert_ok(status);
    return source;
}

static struct record_writer *open_writer(const struct config *config, bool is_feedback,
                                         const char *features) {
    struct record_writer *writer = NULL;
    struct error err = {0};
    enum status status = record_writer_create(config, is_feedback, features, &writer, &err);
    assert_string_equal(err.text, "");
    assert_ok(status);
    return writer;
}

/* The present record's value; empty at the end. */
static struct slice present_value(const struct load_source *source) {
    const struct load_record *record = load_source_peek(source);
    return record ? record->value : (struct slice){"", 0};
}

/* Decodes the only record of the file at path. */
static void load_one(const struct config *config, bool is_feedback, const char *features,
                     const struct column_path *columns, size_t count, struct value *out_values,
                     struct decoder **out_decoder, struct schema_set **out_set) {
    struct record_writer *writer = open_writer(config, is_feedback, features);
    struct load_source *source = open_source(writer, false, INT64_MIN);
    struct error err = {0};
    assert_ok(schema_set_load("schemas", out_set, &err));
    const struct decoder_options options = {
        .format = FORMAT_CONFLUENT, .schemas = *out_set, .columns = columns, .column_count = count};
    assert_ok(decoder_create(&options, out_decoder, &err));
    /* Values borrow from the payload, which the source owns. */
    static char payload[4096];
    struct slice value = present_value(source);
    assert_in_range(value.size, 1, sizeof payload);
    memcpy(payload, value.data, value.size);
    assert_int_equal(decoder_read(*out_decoder, (struct slice){payload, value.size}, out_values),
                     REFUSAL_NONE);
    assert_ok(load_source_advance(source, &err));
    assert_null(load_source_peek(source));
    load_source_close(source);
    record_writer_destroy(writer);
    assert_int_equal(remove(path), 0);
}

static void assert_text(const struct value *value, const char *expected) {
    assert_int_equal(value->kind, VALUE_STRING);
    assert_true(slice_equal(value->as.string, slice_from(expected)));
}

TEST(a_prediction_of_a_table_reads_back_from_the_topic) {
    static const struct column_path columns[] = {{"$.id", false},
                                                 {"$.event_time", true},
                                                 {"$.model", false},
                                                 {"$.output.score", false},
                                                 {"$.output.value", false},
                                                 {"$.groups.zone", false},
                                                 {"$.features.fare", false},
                                                 {"$.features.payment", false},
                                                 {"$.features.none", false}};
    enum { ID, TIME, MODEL, SCORE, VALUE, ZONE, FARE, PAYMENT, NONE, COUNT };
    struct value values[COUNT];
    struct decoder *decoder = NULL;
    struct schema_set *set = NULL;
    struct config *config = good(CONFIG("", ", groups: [$.groups.zone]"));
    write_file(".csv",
               "id,event_time,model,output.score,groups.zone,features.fare,features.payment\n"
               "17,2020-01-31 10:00:00,m,0.25,6,12.5,\"ca,rd\"\n");
    load_one(config, false, "fare,payment", columns, COUNT, values, &decoder, &set);
    assert_text(&values[ID], "17");
    assert_int_equal(values[TIME].as.integer, 1580464800000);
    assert_text(&values[MODEL], "m");
    assert_close(values[SCORE].as.real, 0.25, 0);
    assert_int_equal(values[VALUE].kind, VALUE_MISSING);
    assert_text(&values[ZONE], "6");
    assert_close(values[FARE].as.real, 12.5, 0);
    assert_text(&values[PAYMENT], "ca,rd");
    assert_int_equal(values[NONE].kind, VALUE_MISSING);
    decoder_destroy(decoder);
    schema_set_destroy(set);
    config_destroy(config);
}

TEST(a_label_reads_back_from_the_topic) {
    static const struct column_path columns[] = {
        {"$.id", false}, {"$.label_time", true}, {"$.label", false}, {"$.prediction_time", true}};
    struct value values[COUNT_OF(columns)];
    struct decoder *decoder = NULL;
    struct schema_set *set = NULL;
    struct config *config = good(CONFIG("feedback: {prediction.time: $.prediction_time}", ""));
    write_file(".jsonl", "{\"id\": \"a\", \"label_time\": 5000, \"label\": true, "
                         "\"prediction_time\": 4000}\n");
    load_one(config, true, NULL, columns, COUNT_OF(columns), values, &decoder, &set);
    assert_text(&values[0], "a");
    assert_int_equal(values[1].as.integer, 5000);
    assert_close(number_of(&values[2]), 1, 0);
    assert_int_equal(values[3].as.integer, 4000);
    decoder_destroy(decoder);
    schema_set_destroy(set);
    config_destroy(config);
}

#define JSON_INPUTS "predictions: {format: json, id: $.k, time: $.at}"

/* The keys of the file's records in the order in which they would be sent. */
static void assert_keys(bool keep_order, int64_t from_ms, const char *expected) {
    char keys[64] = "";
    struct error err = {0};
    struct config *config = good(CONFIG(JSON_INPUTS, ", score: $.s"));
    struct record_writer *writer = open_writer(config, false, NULL);
    struct load_source *source = open_source(writer, keep_order, from_ms);
    for (const struct load_record *record; (record = load_source_peek(source));) {
        size_t used = strlen(keys);
        (void)snprintf(keys + used, sizeof keys - used, "%.*s", (int)record->key.size,
                       record->key.data);
        assert_ok(load_source_advance(source, &err));
    }
    assert_string_equal(keys, expected);
    load_source_close(source);
    record_writer_destroy(writer);
    config_destroy(config);
}

TEST(a_file_out_of_order_is_sorted_unless_told_otherwise) {
    write_file(".csv", "k,at,s\na,30,.5\nb,10,.5\nc,20,.5\nd,10,.5\n");
    assert_keys(false, INT64_MIN, "bdca");
    assert_keys(true, INT64_MIN, "abcd");
    assert_keys(false, 20, "ca");
    assert_int_equal(remove(path), 0);
}

TEST(a_file_in_order_is_streamed_as_it_is) {
    write_file(".csv", "k,at,s\nb,10,.5\nd,10,.5\nc,20,.5\na,30,.5\n");
    assert_keys(false, INT64_MIN, "bdca");
    assert_keys(false, 31, "");
    assert_int_equal(remove(path), 0);
}

TEST(a_table_becomes_json_objects) {
    struct config *config =
        good(CONFIG(JSON_INPUTS, ", score: $.o.s, groups: [$.g.zone, $.g.deep.b, $.g.c]"));
    struct record_writer *writer = open_writer(config, false, NULL);
    write_file(".csv", "k,at,o.s,g.zone,g.deep.b,g.c\n\"a\"\"\",10,0.5,x\\y,7,\n");
    struct load_source *source = open_source(writer, false, INT64_MIN);
    struct slice value = present_value(source);
    char *text = alloc_copy(value);
    assert_string_equal(text,
                        "{\"k\":\"a\\\"\",\"at\":10,\"o\":{\"s\":0.5},\"g\":{\"zone\":\"x\\\\y\","
                        "\"deep\":{\"b\":7}}}");
    free(text);
    load_source_close(source);
    record_writer_destroy(writer);
    config_destroy(config);
    assert_int_equal(remove(path), 0);
}

TEST(a_line_of_json_goes_as_it_is) {
    static const char line[] = "{\"extra\": [1, 2],  \"k\": \"a\", \"at\": 10, \"s\": 0.5}";
    char text[100];
    struct config *config = good(CONFIG(JSON_INPUTS, ", score: $.s"));
    struct record_writer *writer = open_writer(config, false, NULL);
    (void)snprintf(text, sizeof text, "%s\n", line);
    write_file(".jsonl", text);
    struct load_source *source = open_source(writer, false, INT64_MIN);
    assert_true(slice_equal(present_value(source), slice_from(line)));
    load_source_close(source);
    record_writer_destroy(writer);
    config_destroy(config);
    assert_int_equal(remove(path), 0);
}

TEST(a_bad_row_stops_the_load_with_its_line_or_is_counted) {
    struct error err = {0};
    struct load_source *source = NULL;
    struct config *config = good(CONFIG(JSON_INPUTS, ", score: $.s"));
    struct record_writer *writer = open_writer(config, false, NULL);
    write_file(".csv", "k,at,s\na,10,.5\n,20,.5\nc,30,.5\n");
    struct load_source_options options = {.path = path, .writer = writer, .from_ms = INT64_MIN};
    assert_int_equal(load_source_open(&options, &source, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, ":3: the row has no id or no time"));
    options.skip_bad = true;
    assert_ok(load_source_open(&options, &source, &err));
    ASSERT(source != NULL);
    struct load_span span;
    load_source_span(source, &span);
    assert_int_equal(span.count, 2);
    assert_int_equal(span.bad, 1);
    assert_int_equal(span.first_ms, 10);
    assert_int_equal(span.last_ms, 30);
    load_source_close(source);
    record_writer_destroy(writer);
    config_destroy(config);
    assert_int_equal(remove(path), 0);
}

TEST(a_path_that_the_contract_lacks_is_refused) {
    struct error err = {0};
    struct record_writer *writer = NULL;
    struct config *config = good(CONFIG("", ", score: $.score"));
    assert_int_equal(record_writer_create(config, false, NULL, &writer, &err), STATUS_CONFIG);
    assert_string_equal(err.text, "topic predictions: $.score is not in the contract that load "
                                  "writes; use format: json, or a path of prediction.1.avsc");
    config_destroy(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_prediction_of_a_table_reads_back_from_the_topic),
        CASE(a_label_reads_back_from_the_topic),
        CASE(a_file_out_of_order_is_sorted_unless_told_otherwise),
        CASE(a_file_in_order_is_streamed_as_it_is),
        CASE(a_table_becomes_json_objects),
        CASE(a_line_of_json_goes_as_it_is),
        CASE(a_bad_row_stops_the_load_with_its_line_or_is_counted),
        CASE(a_path_that_the_contract_lacks_is_refused),
    };
    return cmocka_run_group_tests_name("commands_load", tests, NULL, NULL);
}

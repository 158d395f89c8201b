/* JSON records and the texts of times.  SPDX-License-Identifier: Apache-2.0 */
#include "schemas/json_record.h"

#include <time.h>

#include "schemas/time_text.h"
#include "tests/lib/test.h"

enum { COLUMNS = 6 };

static const struct column_path columns[COLUMNS] = {{"$.id", false},     {"$.at", true},
                                                    {"$.a.b[1]", false}, {"$['x.y']", false},
                                                    {"$.flag", false},   {"$.id", false}};

static enum refusal read_text(struct slice text, struct value *out_values,
                              struct json_record *record) {
    struct path_tree paths;
    assert_ok(path_tree_init(&paths, columns, COLUMNS, NULL));
    enum refusal refusal = json_record_read(record, &paths, text, out_values);
    path_tree_release(&paths);
    return refusal;
}

TEST(each_json_type_becomes_a_value) {
    struct json_record record = {0};
    struct value values[COLUMNS];
    struct slice text = SLICE("{\"id\":\"a\\u0000b\",\"at\":\"1970-01-01 00:00:02.5\",\"a\":{\"b\":"
                              "[1,-0.5]},\"x.y\":9007199254740993,\"flag\":true,\"more\":[{}]}");
    assert_int_equal(read_text(text, values, &record), REFUSAL_NONE);
    assert_true(slice_equal(values[0].as.string, SLICE("a\0b")));
    assert_int_equal(values[1].as.integer, 2500);
    assert_int_equal(values[2].kind, VALUE_DOUBLE);
    assert_close(values[2].as.real, -0.5, 0);
    assert_int_equal(values[3].as.integer, 9007199254740993);
    assert_int_equal(values[4].kind, VALUE_LONG);
    assert_int_equal(values[4].as.integer, 1);
    assert_true(slice_equal(values[5].as.string, SLICE("a\0b")));
    json_record_release(&record);
}

TEST(what_is_absent_or_null_or_of_another_shape_is_missing) {
    struct json_record record = {0};
    struct value values[COLUMNS];
    assert_int_equal(read_text(SLICE("{\"id\":null,\"a\":[1]}"), values, &record), REFUSAL_NONE);
    for (size_t i = 0; i < COLUMNS; i++)
        assert_int_equal(values[i].kind, VALUE_MISSING);
    json_record_release(&record);
}

TEST(a_bad_text_or_type_is_refused) {
    static const struct {
        const char *text;
        enum refusal refusal;
    } cases[] = {
        {"", REFUSAL_UNDECODABLE},
        {"7", REFUSAL_UNDECODABLE},
        {"{\"id\":1", REFUSAL_UNDECODABLE},
        {"{\"id\":1}{}", REFUSAL_UNDECODABLE},
        {"{\"id\":1,\"id\":2}", REFUSAL_UNDECODABLE},
        {"{\"id\":99999999999999999999}", REFUSAL_UNDECODABLE},
        {"{\"id\":1e999}", REFUSAL_UNDECODABLE},
        {"{\"id\":NaN}", REFUSAL_UNDECODABLE},
        {"{\"id\":\"\xff\"}", REFUSAL_UNDECODABLE},
        {"{\"id\":{}}", REFUSAL_BAD_TYPE},
        {"{\"at\":true}", REFUSAL_BAD_TYPE},
        {"{\"at\":\"soon\"}", REFUSAL_BAD_TYPE},
        {"{\"at\":1.5}", REFUSAL_NONE},
    };
    struct json_record record = {0};
    struct value values[COLUMNS];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(read_text(slice_from(cases[i].text), values, &record), cases[i].refusal);
    json_record_release(&record);
}

TEST(deep_nesting_is_refused_and_does_not_overflow_the_stack) {
    enum { DEPTH = 1000000 };
    char *text = malloc(DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    struct json_record record = {0};
    struct value values[COLUMNS];
    assert_int_equal(read_text((struct slice){text, DEPTH}, values, &record), REFUSAL_UNDECODABLE);
    free(text);
}

TEST(a_time_may_be_written_in_these_ways) {
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00", 0},
        {"2020-01-31T10:00:00Z", 1580464800000},
        {"2020-01-31 10:00:00", 1580464800000},
        {"2020-01-31 10:00:00.123456", 1580464800123},
        {"2020-01-31t10:00:00,1z", 1580464800100},
        {"2020-01-31T10:00:00+01:30", 1580459400000},
        {"2020-01-31T10:00:00-0130", 1580470200000},
        {"2020-01-31T10:00:00+02", 1580457600000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2000-02-29", 951782400000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"0001-01-01", -62135596800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 42;
        assert_true(time_text_parse(slice_from(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

TEST(what_is_no_time_is_refused) {
    static const char *const cases[] = {
        "",
        "2020",
        "2020-1-1",
        "2020-13-01",
        "2020-00-01",
        "2021-02-29",
        "1900-02-29",
        "2020-01-32",
        "0000-01-01",
        "2020-01-01T",
        "2020-01-01T24:00",
        "2020-01-01T10",
        "2020-01-01T10:60",
        "2020-01-01T10:00:61",
        "2020-01-01T10:00:00.",
        "2020-01-01T10:00:00.1234567890",
        "2020-01-01  10:00:00",
        "2020-01-01T10:00:00+1",
        "2020-01-01T10:00:00+01:",
        "2020-01-01T10:00:00Z ",
        " 2020-01-01",
        "2020-01-01Z",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 42;
        assert_false(time_text_parse(slice_from(cases[i]), &ms));
        assert_int_equal(ms, 42);
    }
}

/* The C library's calendar, which time_text does not use. */
TEST(every_time_is_written_as_the_c_library_does_and_read_back) {
    uint64_t bits = test_seed(7) * 2 + 1;
    for (int i = 0; i < 100000; i++) {
        bits = bits * 6364136223846793005U + 1442695040888963407U;
        int64_t ms = (int64_t)((bits >> 8) % 315537897600000U) - 62135596800000;
        time_t seconds = (time_t)((ms - ((ms % 1000) + 1000) % 1000) / 1000);
        struct tm calendar;
        char expected[64], text[TIME_TEXT_BYTES + 1];
        assert_non_null(gmtime_r(&seconds, &calendar));
        (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       calendar.tm_year + 1900, calendar.tm_mon + 1, calendar.tm_mday,
                       calendar.tm_hour, calendar.tm_min, calendar.tm_sec,
                       (int)(((ms % 1000) + 1000) % 1000));
        time_text_format(ms, text);
        assert_string_equal(text, expected);
        int64_t back;
        assert_true(time_text_parse(slice_from(text), &back));
        assert_int_equal(back, ms);
    }
}

TEST(times_out_of_range_are_written_as_the_nearest_in_it) {
    char text[TIME_TEXT_BYTES + 1];
    time_text_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    time_text_format(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_json_type_becomes_a_value),
        CASE(what_is_absent_or_null_or_of_another_shape_is_missing),
        CASE(a_bad_text_or_type_is_refused),
        CASE(deep_nesting_is_refused_and_does_not_overflow_the_stack),
        CASE(a_time_may_be_written_in_these_ways),
        CASE(what_is_no_time_is_refused),
        CASE(every_time_is_written_as_the_c_library_does_and_read_back),
        CASE(times_out_of_range_are_written_as_the_nearest_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Projections against bytes written by hand.  SPDX-License-Identifier: Apache-2.0 */
#include "schemas/projection.h"

#include "base/varint.h"
#include "tests/lib/test.h"

enum { COLUMNS_MAX = 8, PAYLOAD_MAX = 1 << 16 };

struct fixture {
    struct path_tree paths;
    struct projection *projection;
    struct value values[COLUMNS_MAX];
    struct buffer payload;
};

static void open_fixture(struct fixture *f, const char *schema, const struct column_path *columns,
                         size_t count) {
    struct error err = {""};
    *f = (struct fixture){0};
    buffer_init(&f->payload, PAYLOAD_MAX);
    assert_ok(path_tree_init(&f->paths, columns, count, &err));
    enum status status = projection_create(slice_from(schema), &f->paths, &f->projection, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.text);
    assert_ok(status);
}

static void close_fixture(struct fixture *f) {
    buffer_release(&f->payload);
    projection_destroy(f->projection);
    path_tree_release(&f->paths);
}

static enum refusal read_payload(struct fixture *f) {
    return projection_read(f->projection, buffer_slice(&f->payload), f->values);
}

static void assert_text(const struct value *value, const char *expected) {
    assert_int_equal(value->kind, VALUE_STRING);
    assert_true(slice_equal(value->as.string, slice_from(expected)));
}

static void assert_long(const struct value *value, int64_t expected) {
    assert_int_equal(value->kind, VALUE_LONG);
    assert_int_equal(value->as.integer, expected);
}

TEST(every_scalar_type_is_read_as_its_value) {
    struct fixture f;
    open_fixture(&f,
                 "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                 "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},"
                 "{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},"
                 "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"s\",\"type\":\"string\"},"
                 "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":3}},"
                 "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\","
                 "\"BB\"]}}]}",
                 (struct column_path[]){{"$.b", false},
                                        {"$.i", false},
                                        {"$.l", false},
                                        {"$.f", false},
                                        {"$.d", false},
                                        {"$.s", false},
                                        {"$.x", false},
                                        {"$.e", false}},
                 8);
    float single = 0.5F;
    buffer_append(&f.payload, "\x01", 1);
    write_long(&f.payload, -7);
    write_long(&f.payload, INT64_MIN);
    buffer_append(&f.payload, &single, 4);
    write_double(&f.payload, -2.25);
    write_bytes(&f.payload, SLICE("h\0i"));
    buffer_append(&f.payload, "xyz", 3);
    write_long(&f.payload, 1);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_long(&f.values[0], 1);
    assert_long(&f.values[1], -7);
    assert_long(&f.values[2], INT64_MIN);
    assert_close(f.values[3].as.real, 0.5, 0);
    assert_close(f.values[4].as.real, -2.25, 0);
    assert_true(slice_equal(f.values[5].as.string, SLICE("h\0i")));
    assert_text(&f.values[6], "xyz");
    assert_text(&f.values[7], "BB");
    close_fixture(&f);
}

TEST(null_may_stand_first_or_last_in_a_union) {
    static const char *const schemas[] = {
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\","
        "\"string\"]}]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"string\","
        "\"null\"]}]}"};
    for (int null_branch = 0; null_branch < 2; null_branch++) {
        struct fixture f;
        open_fixture(&f, schemas[null_branch], &(struct column_path){"$.a", false}, 1);
        write_long(&f.payload, null_branch);
        assert_int_equal(read_payload(&f), REFUSAL_NONE);
        assert_int_equal(f.values[0].kind, VALUE_MISSING);
        buffer_reset(&f.payload);
        write_long(&f.payload, 1 - null_branch);
        write_bytes(&f.payload, SLICE("text"));
        assert_int_equal(read_payload(&f), REFUSAL_NONE);
        assert_text(&f.values[0], "text");
        buffer_reset(&f.payload);
        write_long(&f.payload, 2);
        assert_int_equal(read_payload(&f), REFUSAL_UNDECODABLE);
        close_fixture(&f);
    }
}

static const char *const list_schema =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"list\",\"type\":{\"type\":"
    "\"array\",\"items\":\"string\"}},{\"name\":\"map\",\"type\":{\"type\":\"map\",\"values\":["
    "\"null\",\"long\"]}},{\"name\":\"end\",\"type\":\"long\"}]}";

TEST(elements_are_counted_through_blocks_with_and_without_a_size) {
    struct fixture f;
    open_fixture(
        &f, list_schema,
        (struct column_path[]){
            {"$.list[2]", false}, {"$.list[0]", false}, {"$.list[9]", false}, {"$.end", false}},
        4);
    write_long(&f.payload, 1);
    write_bytes(&f.payload, SLICE("zero"));
    write_long(&f.payload, -2);
    write_long(&f.payload, 8);
    write_bytes(&f.payload, SLICE("one"));
    write_bytes(&f.payload, SLICE("two"));
    write_long(&f.payload, 0);
    write_long(&f.payload, 0);
    write_long(&f.payload, 77);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_text(&f.values[0], "two");
    assert_text(&f.values[1], "zero");
    assert_int_equal(f.values[2].kind, VALUE_MISSING);
    assert_long(&f.values[3], 77);
    close_fixture(&f);
}

TEST(the_last_of_two_equal_keys_counts_even_when_it_is_null) {
    struct fixture f;
    open_fixture(&f, list_schema,
                 (struct column_path[]){{"$.map.k", false}, {"$.map['k.x']", false}}, 2);
    write_long(&f.payload, 0);
    write_long(&f.payload, 3);
    write_bytes(&f.payload, SLICE("k"));
    write_long(&f.payload, 1);
    write_long(&f.payload, 5);
    write_bytes(&f.payload, SLICE("k.x"));
    write_long(&f.payload, 1);
    write_long(&f.payload, 6);
    write_bytes(&f.payload, SLICE("k"));
    write_long(&f.payload, 0);
    write_long(&f.payload, 0);
    write_long(&f.payload, 1);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].kind, VALUE_MISSING);
    assert_long(&f.values[1], 6);
    close_fixture(&f);
}

TEST(one_path_serves_several_columns) {
    struct fixture f;
    open_fixture(&f, "\"string\"", (struct column_path[]){{"$", false}, {"$", true}, {"$", false}},
                 3);
    write_bytes(&f.payload, SLICE("1970-01-01T00:00:01Z"));
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_text(&f.values[0], "1970-01-01T00:00:01Z");
    assert_long(&f.values[1], 1000);
    assert_text(&f.values[2], "1970-01-01T00:00:01Z");
    close_fixture(&f);
}

TEST(each_logical_type_of_a_time_becomes_milliseconds) {
    static const struct {
        const char *schema;
        int64_t written, expected;
        enum refusal refusal;
    } cases[] = {
        {"\"long\"", 1500, 1500, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", -3, -3, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", 1999, 1, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", -1, -1, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", 4, 4, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", 4000, 4, REFUSAL_NONE},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", 2000000, 2, REFUSAL_NONE},
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", 2, 172800000, REFUSAL_NONE},
        {"{\"type\":\"int\",\"logicalType\":\"time-millis\"}", 2, 0, REFUSAL_BAD_TYPE},
        {"[\"null\",\"long\"]", 0, 0, REFUSAL_NONE},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", 0, 0, REFUSAL_BAD_TYPE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        open_fixture(&f, cases[i].schema, &(struct column_path){"$", true}, 1);
        write_long(&f.payload, cases[i].written);
        assert_int_equal(read_payload(&f), cases[i].refusal);
        if (cases[i].refusal == REFUSAL_NONE && f.values[0].kind != VALUE_MISSING)
            assert_long(&f.values[0], cases[i].expected);
        close_fixture(&f);
    }
}

TEST(a_real_number_is_a_time_unless_it_is_not_finite) {
    struct fixture f;
    open_fixture(&f, "\"double\"", &(struct column_path){"$", true}, 1);
    write_double(&f.payload, -0.5);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_long(&f.values[0], -1);
    buffer_reset(&f.payload);
    write_double(&f.payload, (double)INFINITY);
    assert_int_equal(read_payload(&f), REFUSAL_BAD_TYPE);
    close_fixture(&f);
}

static const char *const chain_schema =
    "{\"type\":\"record\",\"name\":\"Link\",\"fields\":[{\"name\":\"v\",\"type\":\"long\"},{"
    "\"name\":\"next\",\"type\":[\"null\",\"Link\"]}]}";

static void write_chain(struct buffer *out, int length) {
    for (int i = 0; i < length; i++) {
        write_long(out, i);
        write_long(out, i + 1 < length);
    }
}

TEST(a_path_leads_into_a_recursive_record_and_its_depth_is_bounded) {
    struct fixture f;
    open_fixture(&f, chain_schema, (struct column_path[]){{"$.next.next.v", false}, {"$.v", false}},
                 2);
    write_chain(&f.payload, 20);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_long(&f.values[0], 2);
    buffer_reset(&f.payload);
    write_chain(&f.payload, 1);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].kind, VALUE_MISSING);
    buffer_reset(&f.payload);
    write_chain(&f.payload, 1000);
    assert_int_equal(read_payload(&f), REFUSAL_UNDECODABLE);
    close_fixture(&f);
}

TEST(lengths_and_counts_that_lie_are_refused_at_once) {
    static const char longs[] = "{\"type\":\"array\",\"items\":\"long\"}";
    static const char doubles[] = "{\"type\":\"array\",\"items\":\"double\"}";
    static const char symbols[] = "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}";
    static const struct {
        const char *schema, *path, *bytes;
        size_t size;
    } cases[] = {
        {"\"string\"", "$", "\x01", 1},                                       /* length -1 */
        {"\"string\"", "$", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},  /* 2^63 - 1 */
        {"\"string\"", "$", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02z", 11}, /* overlong */
        {"\"long\"", "$", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11},
        {"\"long\"", "$.x", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11},
        {"\"boolean\"", "$", "\x02", 1},
        {"\"int\"", "$", "\x80\x80\x80\x80\x20", 5}, /* 2^32 */
        {symbols, "$", "\x02", 1},
        {symbols, "$", "\x01", 1},
        {doubles, "$.x", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, /* 2^63 - 1 items */
        {doubles, "$[1]", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {longs, "$.x", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02", 11},
        {longs, "$[1]", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02", 11},
        {longs, "$.x", "\x01\x01", 2},      /* size -1 */
        {longs, "$[1]", "\x01\x08\x02", 3}, /* size beyond the end */
        {"\"null\"", "$", "\x00", 1},       /* a byte left over */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        open_fixture(&f, cases[i].schema, &(struct column_path){cases[i].path, false}, 1);
        buffer_append(&f.payload, cases[i].bytes, cases[i].size);
        assert_int_equal(read_payload(&f), REFUSAL_UNDECODABLE);
        close_fixture(&f);
    }
}

TEST(items_of_no_width_cost_nothing_however_many_are_claimed) {
    struct fixture f;
    open_fixture(&f, "{\"type\":\"array\",\"items\":\"null\"}",
                 (struct column_path[]){{"$[1]", false}, {"$.x", false}}, 2);
    write_long(&f.payload, INT64_MAX);
    write_long(&f.payload, 0);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].kind, VALUE_MISSING);
    close_fixture(&f);
}

TEST(what_the_schema_lacks_is_missing_and_not_found) {
    struct fixture f;
    open_fixture(
        &f, list_schema,
        (struct column_path[]){
            {"$.nothing", false}, {"$.end", false}, {"$.end.deeper", false}, {"$.map.any", false}},
        4);
    assert_int_equal(projection_found(f.projection), 2);
    write_long(&f.payload, 0);
    write_long(&f.payload, 0);
    write_long(&f.payload, 1);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].kind, VALUE_MISSING);
    assert_long(&f.values[1], 1);
    assert_int_equal(f.values[2].kind, VALUE_MISSING);
    close_fixture(&f);
}

TEST(a_record_where_one_value_is_wanted_is_a_bad_type) {
    struct fixture f;
    open_fixture(&f, list_schema, &(struct column_path){"$.list", false}, 1);
    write_long(&f.payload, 0);
    write_long(&f.payload, 0);
    write_long(&f.payload, 1);
    assert_int_equal(read_payload(&f), REFUSAL_BAD_TYPE);
    close_fixture(&f);
}

TEST(a_schema_or_path_that_does_not_parse_is_named) {
    static const char *const schemas[] = {
        "",
        "{",
        "\"strange\"",
        "[]",
        "17",
        "[[\"null\"]]",
        "{\"type\":\"record\",\"name\":\"R\"}",
        "{\"type\":\"record\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"R\"}]}",
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}",
        "{\"type\":\"array\"}",
    };
    static const char *const bad_paths[] = {"",     "a",   "$a",    "$.",         "$.a[",
                                            "$[x]", "$[1", "$['a]", "$[99999999]"};
    struct path_tree paths;
    struct projection *projection;
    assert_ok(path_tree_init(&paths, &(struct column_path){"$.a", false}, 1, NULL));
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        struct error err = {""};
        assert_int_equal(projection_create(slice_from(schemas[i]), &paths, &projection, &err),
                         STATUS_CONFIG);
        assert_true(err.text[0] != '\0');
    }
    path_tree_release(&paths);
    for (size_t i = 0; i < COUNT_OF(bad_paths); i++)
        assert_int_equal(
            path_tree_init(&paths, &(struct column_path){bad_paths[i], false}, 1, NULL),
            STATUS_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_scalar_type_is_read_as_its_value),
        CASE(null_may_stand_first_or_last_in_a_union),
        CASE(elements_are_counted_through_blocks_with_and_without_a_size),
        CASE(the_last_of_two_equal_keys_counts_even_when_it_is_null),
        CASE(one_path_serves_several_columns),
        CASE(each_logical_type_of_a_time_becomes_milliseconds),
        CASE(a_real_number_is_a_time_unless_it_is_not_finite),
        CASE(a_path_leads_into_a_recursive_record_and_its_depth_is_bounded),
        CASE(lengths_and_counts_that_lie_are_refused_at_once),
        CASE(items_of_no_width_cost_nothing_however_many_are_claimed),
        CASE(what_the_schema_lacks_is_missing_and_not_found),
        CASE(a_record_where_one_value_is_wanted_is_a_bad_type),
        CASE(a_schema_or_path_that_does_not_parse_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

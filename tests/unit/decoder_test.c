/* Frames, writer schemas side by side, refusals.  SPDX-License-Identifier: Apache-2.0 */
#include "schemas/decoder.h"

#include "base/varint.h"
#include "schemas/schema_set.h"
#include "tests/lib/test.h"

/* Counts allocations, unless a sanitizer has its own allocator. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_ALLOCATOR
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_ALLOCATOR
#endif
static size_t allocations;
#ifndef HAS_OWN_ALLOCATOR
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_malloc(size_t size);

/* The parameters are named as in stdlib.h: clang-tidy compares them. */
void *calloc(size_t __nmemb, size_t __size) {
    allocations++;
    return __libc_calloc(__nmemb, __size);
}

void *realloc(void *__ptr, size_t __size) {
    allocations++;
    return __libc_realloc(__ptr, __size);
}

void *malloc(size_t __size) {
    allocations++;
    return __libc_malloc(__size);
}
#endif

enum { COLUMNS = 7, PAYLOAD_MAX = 4096 };

static const struct column_path columns[COLUMNS] = {
    {"$.id", false},           {"$.event_time", true},   {"$.output.score", false},
    {"$.output.class", false}, {"$.features.f0", false}, {"$.features.zone", false},
    {"$.groups.vendor", false}};

struct fixture {
    struct schema_set *set;
    struct decoder *decoder;
    struct buffer payload;
    struct value values[COLUMNS];
};

static void open_fixture(struct fixture *f, enum payload_format format, const char *schema) {
    *f = (struct fixture){0};
    buffer_init(&f->payload, PAYLOAD_MAX);
    assert_ok(schema_set_load("schemas", &f->set, NULL));
    struct decoder_options options = {format, f->set, schema, columns, COLUMNS};
    assert_ok(decoder_create(&options, &f->decoder, NULL));
}

static void close_fixture(struct fixture *f) {
    decoder_destroy(f->decoder);
    schema_set_destroy(f->set);
    buffer_release(&f->payload);
}

static enum refusal read_payload(struct fixture *f) {
    return decoder_read(f->decoder, buffer_slice(&f->payload), f->values);
}

static void write_frame(struct buffer *out, unsigned char id) {
    const unsigned char frame[5] = {0, 0, 0, 0, id};
    buffer_append(out, frame, sizeof frame);
}

static void write_prediction(struct buffer *out) {
    write_bytes(out, SLICE("trip-1"));
    write_long(out, 1700000000000);
    write_bytes(out, SLICE("tips"));
    write_bytes(out, SLICE("v7"));
    write_long(out, 1);
    write_double(out, .25);
    write_long(out, 0);
    write_long(out, 0);
    write_long(out, 0);
    write_long(out, 2);
    write_bytes(out, SLICE("zone"));
    write_long(out, 2);
    write_bytes(out, SLICE("JFK"));
    write_bytes(out, SLICE("f0"));
    write_long(out, 1);
    write_double(out, -1.5);
    write_long(out, 0);
    write_long(out, 1);
    write_bytes(out, SLICE("vendor"));
    write_bytes(out, SLICE("2"));
    write_long(out, 0);
}

TEST(a_prediction_of_the_contract_is_read_from_its_frame) {
    struct fixture f;
    open_fixture(&f, FORMAT_CONFLUENT, NULL);
    write_frame(&f.payload, 1);
    write_prediction(&f.payload);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_true(slice_equal(f.values[0].as.string, SLICE("trip-1")));
    assert_int_equal(f.values[1].as.integer, 1700000000000);
    assert_close(f.values[2].as.real, .25, 0);
    assert_int_equal(f.values[3].kind, VALUE_MISSING);
    assert_close(f.values[4].as.real, -1.5, 0);
    assert_true(slice_equal(f.values[5].as.string, SLICE("JFK")));
    assert_true(slice_equal(f.values[6].as.string, SLICE("2")));
    close_fixture(&f);
}

TEST(a_record_that_cannot_be_read_is_refused_for_its_reason) {
    static const struct {
        const char *bytes;
        size_t size;
        enum refusal refusal;
    } cases[] = {
        {"", 0, REFUSAL_BAD_FRAME},
        {"\0\0\0\0", 4, REFUSAL_BAD_FRAME},
        {"\1\0\0\0\1x", 6, REFUSAL_BAD_FRAME},
        {"\0\0\0\0\x63x", 6, REFUSAL_UNKNOWN_SCHEMA},
        {"\0\xff\xff\xff\xff", 5, REFUSAL_UNKNOWN_SCHEMA},
        {"\0\0\0\0\1", 5, REFUSAL_UNDECODABLE},
        {"\0\0\0\0\6", 5, REFUSAL_UNMAPPED_SCHEMA},
    };
    struct fixture f;
    open_fixture(&f, FORMAT_CONFLUENT, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(
            decoder_read(f.decoder, (struct slice){cases[i].bytes, cases[i].size}, f.values),
            cases[i].refusal);
    close_fixture(&f);
}

TEST(writer_schemas_may_alternate) {
    struct fixture f;
    open_fixture(&f, FORMAT_CONFLUENT, NULL);
    for (int i = 0; i < 6; i++) {
        buffer_reset(&f.payload);
        write_frame(&f.payload, i % 2 ? 1 : 2);
        if (i % 2) {
            write_prediction(&f.payload);
        } else {
            write_bytes(&f.payload, SLICE("label-1"));
            write_long(&f.payload, 5);
            write_long(&f.payload, 2);
            buffer_append(&f.payload, "\1", 1);
            write_long(&f.payload, 0);
        }
        assert_int_equal(read_payload(&f), REFUSAL_NONE);
        assert_true(slice_equal(f.values[0].as.string, i % 2 ? SLICE("trip-1") : SLICE("label-1")));
        assert_int_equal(f.values[4].kind, i % 2 ? VALUE_DOUBLE : VALUE_MISSING);
    }
    close_fixture(&f);
}

TEST(bare_avro_and_json_yield_the_same_columns) {
    struct fixture f;
    open_fixture(
        &f, FORMAT_AVRO,
        "{\"type\":\"record\",\"name\":\"P\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"}"
        ",{\"name\":\"event_time\",\"type\":\"string\"}]}");
    write_long(&f.payload, 12);
    write_bytes(&f.payload, SLICE("1970-01-02"));
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].as.integer, 12);
    assert_int_equal(f.values[1].as.integer, 86400000);
    close_fixture(&f);
    open_fixture(&f, FORMAT_JSON, NULL);
    struct slice text = SLICE("{\"id\":12,\"event_time\":\"1970-01-02\"}");
    buffer_append(&f.payload, text.data, text.size);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    assert_int_equal(f.values[0].as.integer, 12);
    assert_int_equal(f.values[1].as.integer, 86400000);
    close_fixture(&f);
}

TEST(a_path_or_schema_that_does_not_parse_is_a_configuration_error) {
    struct decoder *decoder;
    struct error err = {""};
    struct column_path column = {"id", false};
    struct decoder_options options = {FORMAT_JSON, NULL, NULL, &column, 1};
    assert_int_equal(decoder_create(&options, &decoder, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.text, "\"id\""));
    column.path = "$.id";
    options.format = FORMAT_AVRO;
    options.schema_json = "{\"type\":\"record\"}";
    assert_int_equal(decoder_create(&options, &decoder, &err), STATUS_CONFIG);
}

TEST(reading_avro_allocates_nothing_once_the_schema_is_known) {
    struct fixture f;
    open_fixture(&f, FORMAT_CONFLUENT, NULL);
    write_frame(&f.payload, 1);
    write_prediction(&f.payload);
    assert_int_equal(read_payload(&f), REFUSAL_NONE);
    size_t before = allocations;
    for (int i = 0; i < 100; i++)
        (void)read_payload(&f);
    assert_int_equal(allocations, before);
#ifndef HAS_OWN_ALLOCATOR
    assert_true(before > 0); /* the counter works: opening allocated */
#endif
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_prediction_of_the_contract_is_read_from_its_frame),
        CASE(a_record_that_cannot_be_read_is_refused_for_its_reason),
        CASE(writer_schemas_may_alternate),
        CASE(bare_avro_and_json_yield_the_same_columns),
        CASE(a_path_or_schema_that_does_not_parse_is_a_configuration_error),
        CASE(reading_avro_allocates_nothing_once_the_schema_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

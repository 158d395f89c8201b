/* Files of records: CSV, JSON lines, Avro containers.  SPDX-License-Identifier: Apache-2.0 */
#include "schemas/record_file.h"

#include <avro.h>
#include <unistd.h>

#include "schemas/csv.h"
#include "tests/lib/test.h"

enum { COLUMNS = 4 };

static const struct column_path columns[COLUMNS] = {
    {"$.id", false}, {"$.at", true}, {"$.score", false}, {"$.nowhere", false}};

struct fixture {
    char directory[64], path[128];
    struct record_file *file;
    struct value values[COLUMNS];
    struct error err;
};

static void open_directory(struct fixture *f, const char *name) {
    *f = (struct fixture){.directory = "/tmp/slipstream-records-XXXXXX"};
    assert_non_null(mkdtemp(f->directory));
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", f->directory, name);
    memcpy(f->path, path, sizeof path);
}

static void write_text(struct fixture *f, struct slice text) {
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
}

static void open_text(struct fixture *f, const char *name, struct slice text) {
    open_directory(f, name);
    write_text(f, text);
    assert_ok(record_file_open(f->path, columns, COLUMNS, &f->file, &f->err));
}

static void close_fixture(struct fixture *f) {
    record_file_close(f->file);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
}

static void next_row(struct fixture *f, size_t line, const char *raw) {
    bool is_end = true;
    f->err.text[0] = '\0';
    enum status status = record_file_next(f->file, f->values, &is_end, &f->err);
    assert_string_equal(f->err.text, "");
    assert_ok(status);
    assert_false(is_end);
    assert_int_equal(record_file_line(f->file), line);
    if (raw)
        assert_true(slice_equal(record_file_raw(f->file), slice_from(raw)));
}

static void next_trouble(struct fixture *f, const char *expected) {
    bool is_end = false;
    f->err.text[0] = '\0';
    assert_int_equal(record_file_next(f->file, f->values, &is_end, &f->err), STATUS_CORRUPT);
    assert_non_null(strstr(f->err.text, expected));
}

static void next_end(struct fixture *f) {
    for (int i = 0; i < 2; i++) {
        bool is_end = false;
        assert_ok(record_file_next(f->file, f->values, &is_end, &f->err));
        assert_true(is_end);
    }
}

static void assert_text(const struct value *value, const char *expected) {
    assert_int_equal(value->kind, VALUE_STRING);
    assert_true(slice_equal(value->as.string, slice_from(expected)));
}

TEST(csv_rows_are_read_by_the_names_in_the_header) {
    struct fixture f;
    open_text(&f, "a.csv",
              SLICE("\xef\xbb\xbfother,score,\"id\",at\r\n1,0.25,\"a,\"\"b\"\"\nc\",1970-01-01\r\n"
                    "\r\n,,7,12\n\"\",-1e3,\"\",\"1970-01-01 00:00:01\""));
    assert_int_equal(record_file_format(f.file), -1);
    next_row(&f, 2, "1,0.25,\"a,\"\"b\"\"\nc\",1970-01-01");
    assert_text(&f.values[0], "a,\"b\"\nc");
    assert_int_equal(f.values[1].as.integer, 0);
    assert_close(f.values[2].as.real, .25, 0);
    assert_int_equal(f.values[3].kind, VALUE_MISSING);
    next_row(&f, 5, ",,7,12");
    assert_int_equal(f.values[0].as.integer, 7);
    assert_int_equal(f.values[1].as.integer, 12);
    assert_int_equal(f.values[2].kind, VALUE_MISSING);
    next_row(&f, 6, NULL);
    assert_int_equal(f.values[0].kind, VALUE_MISSING);
    assert_int_equal(f.values[1].as.integer, 1000);
    assert_close(f.values[2].as.real, -1000, 0);
    next_end(&f);
    close_fixture(&f);
}

TEST(a_bad_row_is_named_and_the_next_one_is_read) {
    struct fixture f;
    open_text(&f, "a.csv", SLICE("id,at\nx\"y,1\nb,soon\nc,1,2\n\"d\"e,1\ng,4\n\"open,5\nz,1\n"));
    next_trouble(&f, "a.csv:2: a quote");
    next_trouble(&f, "a.csv:3: field 2 is no time");
    next_trouble(&f, "a.csv:4: 3 fields, but 2 in the header");
    next_trouble(&f, "a.csv:5: a quote");
    next_row(&f, 6, "g,4");
    next_trouble(&f, "a.csv:7: a quote");
    next_row(&f, 8, "z,1");
    next_end(&f);
    close_fixture(&f);
}

TEST(only_numbers_in_their_usual_form_are_numbers) {
    static const char *const texts[] = {
        "007",   "+1",  "1.", ".5", " 1", "1 ", "0x10", "1e", "-", "nan", "9223372036854775808",
        "1_000", "00.5"};
    static const struct {
        const char *text;
        int64_t expected;
    } wholes[] = {{"0", 0},
                  {"-0", 0},
                  {"12", 12},
                  {"9223372036854775807", INT64_MAX},
                  {"-9223372036854775808", INT64_MIN}};
    static const struct {
        const char *text;
        double expected;
    } reals[] = {{"0.5", .5}, {"-12.25", -12.25}, {"1e3", 1000}, {"2.5E-1", .25}, {"1e+2", 100}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct value value = csv_value(slice_from(texts[i]));
        assert_text(&value, texts[i]);
    }
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        struct value value = csv_value(slice_from(wholes[i].text));
        assert_int_equal(value.kind, VALUE_LONG);
        assert_int_equal(value.as.integer, wholes[i].expected);
    }
    for (size_t i = 0; i < COUNT_OF(reals); i++) {
        struct value value = csv_value(slice_from(reals[i].text));
        assert_int_equal(value.kind, VALUE_DOUBLE);
        assert_close(value.as.real, reals[i].expected, 0);
    }
}

TEST(rows_longer_than_the_window_are_read_whole) {
    enum { ROWS = 5, LONG = 300000 };
    struct fixture f;
    struct buffer text;
    buffer_init(&text, 1 << 24);
    buffer_append(&text, "id,at,score\n", 12);
    for (int i = 0; i < ROWS; i++) {
        buffer_append(&text, "\"", 1);
        for (int k = 0; k < LONG; k++)
            buffer_append(&text, k % 100 == 0 ? "\"\"" : k % 7 ? "xx" : "\n\n", 2);
        buffer_append(&text, "\",5,1\n", 6);
    }
    open_text(&f, "a.csv", buffer_slice(&text));
    for (int i = 0; i < ROWS; i++) {
        bool is_end = true;
        assert_ok(record_file_next(f.file, f.values, &is_end, &f.err));
        assert_false(is_end);
        assert_int_equal(f.values[0].as.string.size, 2 * LONG - LONG / 100);
        assert_int_equal(f.values[2].as.integer, 1);
    }
    next_end(&f);
    close_fixture(&f);
    buffer_release(&text);
}

/* Writes fields at random, quotes them where it must and sometimes where it need not, and cuts
 * them again, with every prefix of the record asking for more. */
TEST(random_fields_are_cut_as_they_were_written) {
    uint64_t bits = test_seed(11) * 2 + 1;
    for (int round = 0; round < 3000; round++) {
        char fields[6][16], text[256];
        size_t sizes[6], count = 1 + (size_t)(round % 6), size = 0;
        for (size_t i = 0; i < count; i++) {
            bits = bits * 6364136223846793005U + 1442695040888963407U;
            sizes[i] = (bits >> 60) % 12;
            bool must_quote = (bits >> 59) % 2;
            for (size_t k = 0; k < sizes[i]; k++) {
                fields[i][k] = ",\"\r\nabc"[(bits >> (3 * k)) % 7];
                must_quote |= fields[i][k] < 'a';
            }
            text[size] = ',';
            size += i > 0;
            text[size] = '"';
            size += must_quote;
            for (size_t k = 0; k < sizes[i]; k++) {
                text[size] = '"';
                size += fields[i][k] == '"';
                text[size++] = fields[i][k];
            }
            text[size] = '"';
            size += must_quote;
        }
        text[size++] = '\n';
        struct csv_record record = {0};
        for (size_t prefix = 0; prefix < size; prefix++)
            assert_int_equal(csv_cut((struct slice){text, prefix}, false, &record), CSV_MORE);
        assert_int_equal(csv_cut((struct slice){text, size}, round % 2, &record), CSV_RECORD);
        assert_int_equal(record.size, size);
        assert_int_equal(record.count, count);
        for (size_t i = 0; i < count; i++)
            assert_true(slice_equal(record.fields[i], (struct slice){fields[i], sizes[i]}));
        csv_record_release(&record);
    }
}

TEST(json_lines_are_read_one_by_one) {
    struct fixture f;
    open_text(&f, "a.jsonl",
              SLICE("{\"id\":\"a\",\"at\":\"1970-01-01T00:00:03Z\"}\r\n\n  \nnonsense\n"
                    "{\"id\":{}}\n{\"id\":2,\"score\":0.5}"));
    assert_int_equal(record_file_format(f.file), FORMAT_JSON);
    next_row(&f, 1, "{\"id\":\"a\",\"at\":\"1970-01-01T00:00:03Z\"}");
    assert_text(&f.values[0], "a");
    assert_int_equal(f.values[1].as.integer, 3000);
    next_trouble(&f, "a.jsonl:4: not one JSON object");
    next_trouble(&f, "a.jsonl:5: ");
    next_row(&f, 6, "{\"id\":2,\"score\":0.5}");
    assert_int_equal(f.values[0].as.integer, 2);
    assert_close(f.values[2].as.real, .5, 0);
    next_end(&f);
    close_fixture(&f);
}

static const char *const container_json =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{"
    "\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}]}";

static void write_container(const char *path, const char *codec, int rows) {
    avro_schema_t schema;
    avro_file_writer_t writer;
    avro_value_t value = {0}, field = {0};
    assert_int_equal(avro_schema_from_json_length(container_json, strlen(container_json), &schema),
                     0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    ASSERT(avro_generic_value_new(class, &value) == 0);
    assert_int_equal(avro_file_writer_create_with_codec(path, schema, &writer, codec, 4096), 0);
    for (int i = 0; i < rows; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "row %d", i);
        ASSERT(avro_value_get_by_index(&value, 0, &field, NULL) == 0);
        assert_int_equal(avro_value_set_string(&field, id), 0);
        ASSERT(avro_value_get_by_index(&value, 1, &field, NULL) == 0);
        assert_int_equal(avro_value_set_long(&field, 1000 * i), 0);
        assert_int_equal(avro_file_writer_append_value(writer, &value), 0);
    }
    assert_int_equal(avro_file_writer_close(writer), 0);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
}

/* avro-c writes the schema without its logical types, so the time stays a plain long here. */
TEST(containers_are_read_whatever_their_codec) {
    static const char *const codecs[] = {"null", "deflate"};
    for (size_t codec = 0; codec < COUNT_OF(codecs); codec++) {
        struct fixture f;
        open_directory(&f, "a.avro");
        write_container(f.path, codecs[codec], 1000);
        assert_ok(record_file_open(f.path, columns, COLUMNS, &f.file, &f.err));
        assert_int_equal(record_file_format(f.file), FORMAT_AVRO);
        assert_true(record_file_schema(f.file).size > 0);
        for (int i = 0; i < 1000; i++) {
            char id[16];
            (void)snprintf(id, sizeof id, "row %d", i);
            next_row(&f, (size_t)i + 1, NULL);
            assert_text(&f.values[0], id);
            assert_int_equal(f.values[1].as.integer, 1000 * i);
            assert_int_equal(f.values[2].kind, VALUE_MISSING);
            assert_int_equal(record_file_raw(f.file).data[0], 2 * (int)strlen(id));
        }
        next_end(&f);
        close_fixture(&f);
    }
}

TEST(logical_types_are_taken_from_the_containers_header) {
    /* By hand: header with codec null, a block of one row, sync markers of 16 bytes. */
    struct fixture f;
    struct buffer text;
    size_t schema_size = strlen(container_json);
    buffer_init(&text, 4096);
    buffer_append(&text,
                  "Obj\x01\x02\x16"
                  "avro.schema",
                  17);
    unsigned char size[2] = {(unsigned char)(2 * schema_size | 0x80),
                             (unsigned char)(2 * schema_size >> 7)};
    buffer_append(&text, size, 2);
    buffer_append(&text, container_json, schema_size);
    buffer_append(&text, "\0", 1);
    buffer_append(&text, "0123456789abcdef", 16);
    buffer_append(&text, "\x02\x08\x02z\xd0\x0f", 6);
    buffer_append(&text, "0123456789abcdef", 16);
    open_text(&f, "a.avro", buffer_slice(&text));
    next_row(&f, 1, "\x02z\xd0\x0f");
    assert_int_equal(f.values[1].as.integer, 1);
    next_end(&f);
    close_fixture(&f);
    buffer_release(&text);
}

TEST(a_file_that_cannot_be_used_says_why) {
    static const struct {
        const char *name, *text, *expected;
        enum status status;
    } cases[] = {
        {"a.txt", "id\n", "a.txt: the extension", STATUS_CONFIG},
        {"a.csv", "", "a.csv: the file has no header", STATUS_CONFIG},
        {"a.csv", "x,y\n1,2\n", "none of the configured columns", STATUS_CONFIG},
        {"a.csv", "id,id\n", "twice", STATUS_CONFIG},
        {"a.csv", "\"id\n", "a.csv: a quote", STATUS_CONFIG},
        {"a.avro", "id\n", "a.avro: not an Avro object container", STATUS_CONFIG},
        {"a.avro", "Obj\x01", "a.avro: not an Avro object container", STATUS_CONFIG},
        {"a.jsonl", NULL, "a.jsonl: No such file", STATUS_IO},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        open_directory(&f, cases[i].name);
        if (cases[i].text)
            write_text(&f, slice_from(cases[i].text));
        assert_int_equal(record_file_open(f.path, columns, COLUMNS, &f.file, &f.err),
                         cases[i].status);
        assert_non_null(strstr(f.err.text, cases[i].expected));
        close_fixture(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(csv_rows_are_read_by_the_names_in_the_header),
        CASE(a_bad_row_is_named_and_the_next_one_is_read),
        CASE(only_numbers_in_their_usual_form_are_numbers),
        CASE(rows_longer_than_the_window_are_read_whole),
        CASE(random_fields_are_cut_as_they_were_written),
        CASE(json_lines_are_read_one_by_one),
        CASE(containers_are_read_whatever_their_codec),
        CASE(logical_types_are_taken_from_the_containers_header),
        CASE(a_file_that_cannot_be_used_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

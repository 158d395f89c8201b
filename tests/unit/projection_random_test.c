/* Random schemas and records: projections against avro-c, which encodes them and knows every value.
 * SPDX-License-Identifier: Apache-2.0 */
#include <avro.h>

#include "base/error.h"
#include "base/varint.h"
#include "schemas/projection.h"
#include "tests/lib/test.h"

enum {
    ROUNDS = 3000,
    SCHEMA_BYTES = 1 << 15,
    PAYLOAD_BYTES = 1 << 20,
    LEAVES_MAX = 512,
    COLUMNS_MAX = 12,
    PATH_BYTES = 256
};

static uint64_t random_state;

static uint64_t random_next(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static unsigned random_below(unsigned bound) {
    return (unsigned)((random_next() >> 20) % bound);
}

/* The schema as text. */
static char schema[SCHEMA_BYTES];
static size_t schema_size;
static unsigned names;

static void say(const char *format, ...) PRINTF_LIKE(1, 2);
static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(schema + schema_size, SCHEMA_BYTES - schema_size, format, args);
    va_end(args);
    assert_true(size >= 0 && (size_t)size < SCHEMA_BYTES - schema_size);
    schema_size += (size_t)size;
}

static void say_type(int depth);

static void say_scalar(void) {
    static const char *const scalars[] = {"boolean", "int",    "long",  "float",
                                          "double",  "string", "bytes", "double"};
    unsigned pick = random_below(10);
    if (pick < COUNT_OF(scalars))
        say("\"%s\"", scalars[pick]);
    else if (pick == 8)
        say("{\"type\":\"fixed\",\"name\":\"F%u\",\"size\":%u}", names++, 1 + random_below(9));
    else
        say("{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"A\",\"BB\",\"CCC\"]}", names++);
}

static void say_record(int depth) {
    unsigned own = names++, fields = 1 + random_below(5);
    say("{\"type\":\"record\",\"name\":\"R%u\",\"fields\":[", own);
    for (unsigned i = 0; i < fields; i++) {
        say("%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
        if (random_below(12) == 0)
            say(random_below(2) ? "[\"null\",\"R%u\"]" : "[\"double\",\"null\",\"R%u\"]", own);
        else
            say_type(depth - 1);
        say("}");
    }
    say("]}");
}

static void say_union(int depth) {
    static const char *const forms[] = {"[\"null\",", "[\"int\",\"null\",", "["};
    say("%s", forms[random_below(3)]);
    if (random_below(2))
        say_record(depth - 1);
    else
        say("{\"type\":\"array\",\"items\":\"double\"}");
    say("%s", random_below(2) ? "]" : ",\"string\"]");
}

static void say_type(int depth) {
    unsigned pick = depth > 0 ? random_below(9) : 0;
    if (pick < 4) {
        say_scalar();
    } else if (pick == 4) {
        say("[\"null\",");
        say_scalar();
        say("]");
    } else if (pick == 5) {
        say("{\"type\":\"array\",\"items\":");
        say_type(depth - 1);
        say("}");
    } else if (pick == 6) {
        say("{\"type\":\"map\",\"values\":");
        say_type(depth - 1);
        say("}");
    } else if (pick == 7) {
        say_union(depth);
    } else {
        say_record(depth);
    }
}

/* Fills a value of avro-c at random. */
static void fill(avro_value_t *value, int depth);

static void fill_text(avro_value_t *value, bool is_bytes) {
    char text[200];
    size_t size = random_below(random_below(4) ? 12 : 180);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + random_below(26));
    text[size] = '\0';
    if (is_bytes)
        assert_int_equal(avro_value_set_bytes(value, text, size), 0);
    else
        assert_int_equal(avro_value_set_string(value, text), 0);
}

static void fill_scalar(avro_value_t *value) {
    char bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)random_next();
    int64_t number = (int64_t)random_next() >> random_below(64);
    avro_type_t type = avro_value_get_type(value);
    if (type == AVRO_BOOLEAN)
        (void)avro_value_set_boolean(value, (int)random_below(2));
    else if (type == AVRO_INT32)
        (void)avro_value_set_int(value, (int32_t)number);
    else if (type == AVRO_INT64)
        (void)avro_value_set_long(value, number);
    else if (type == AVRO_FLOAT)
        (void)avro_value_set_float(value, (float)number / 3);
    else if (type == AVRO_DOUBLE)
        (void)avro_value_set_double(value, (double)number / 7);
    else if (type == AVRO_ENUM)
        (void)avro_value_set_enum(value, (int)random_below(3));
    else if (type == AVRO_FIXED)
        (void)avro_value_set_fixed(value, bytes,
                                   (size_t)avro_schema_fixed_size(avro_value_get_schema(value)));
    else if (type == AVRO_NULL)
        (void)avro_value_set_null(value);
    else
        fill_text(value, type == AVRO_BYTES);
}

static void fill_items(avro_value_t *value, int depth) {
    unsigned count = random_below(random_below(8) ? 4 : 30);
    for (unsigned i = 0; i < count; i++) {
        avro_value_t item = {0};
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", random_below(12));
        if (avro_value_get_type(value) == AVRO_ARRAY)
            ASSERT(avro_value_append(value, &item, NULL) == 0);
        else
            ASSERT(avro_value_add(value, key, &item, NULL, NULL) == 0);
        fill(&item, depth + 1);
    }
}

static void fill_union(avro_value_t *value, int depth) {
    avro_schema_t branches = avro_value_get_schema(value);
    size_t count = avro_schema_union_size(branches);
    /* Deep down the first branch: it is never the recursive one. */
    int pick = depth > 8 ? 0 : (int)random_below((unsigned)count);
    avro_value_t branch = {0};
    ASSERT(avro_value_set_branch(value, pick, &branch) == 0);
    fill(&branch, depth + 1);
}

static void fill(avro_value_t *value, int depth) {
    avro_type_t type = avro_value_get_type(value);
    size_t count = 0;
    if (type == AVRO_RECORD) {
        (void)avro_value_get_size(value, &count);
        for (size_t i = 0; i < count; i++) {
            avro_value_t field = {0};
            ASSERT(avro_value_get_by_index(value, i, &field, NULL) == 0);
            fill(&field, depth + 1);
        }
    } else if (type == AVRO_UNION) {
        fill_union(value, depth);
    } else if (type == AVRO_ARRAY || type == AVRO_MAP) {
        if (depth < 12)
            fill_items(value, depth);
    } else {
        fill_scalar(value);
    }
}

/* Every leaf of the value with its path. */
static struct {
    char path[PATH_BYTES];
    avro_value_t value;
} leaves[LEAVES_MAX];
static size_t leaf_count;

static void collect(avro_value_t *value, const char *path) {
    avro_type_t type = avro_value_get_type(value);
    size_t count = 0;
    avro_value_t inner = {0};
    if (type == AVRO_UNION) {
        ASSERT(avro_value_get_current_branch(value, &inner) == 0);
        collect(&inner, path);
        return;
    }
    if (type != AVRO_RECORD && type != AVRO_ARRAY && type != AVRO_MAP) {
        if (leaf_count < LEAVES_MAX && strlen(path) < PATH_BYTES) {
            (void)snprintf(leaves[leaf_count].path, PATH_BYTES, "%s", path);
            leaves[leaf_count++].value = *value;
        }
        return;
    }
    (void)avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        char longer[PATH_BYTES * 2];
        ASSERT(avro_value_get_by_index(value, i, &inner, &name) == 0);
        if (type == AVRO_ARRAY)
            (void)snprintf(longer, sizeof longer, "%s[%zu]", path, i);
        else if (random_below(2))
            (void)snprintf(longer, sizeof longer, "%s['%s']", path, name);
        else
            (void)snprintf(longer, sizeof longer, "%s.%s", path, name);
        if (strlen(longer) < PATH_BYTES)
            collect(&inner, longer);
    }
}

static size_t count_steps(const char *path) {
    size_t steps = 0;
    for (; *path; path++)
        steps += *path == '.' || *path == '[';
    return steps;
}

/* Another valid encoding of the same value: arrays and maps in blocks, with and without sizes. */
static void encode(avro_value_t *value, struct buffer *out);

static void encode_items(avro_value_t *value, struct buffer *out) {
    size_t count = 0;
    (void)avro_value_get_size(value, &count);
    for (size_t i = 0; i < count;) {
        size_t block = 1 + random_below((unsigned)(count - i));
        struct buffer items;
        buffer_init(&items, PAYLOAD_BYTES);
        for (size_t end = i + block; i < end; i++) {
            avro_value_t item = {0};
            const char *key = NULL;
            ASSERT(avro_value_get_by_index(value, i, &item, &key) == 0);
            if (avro_value_get_type(value) == AVRO_MAP)
                write_bytes(&items, slice_from(key));
            encode(&item, &items);
        }
        bool has_size = random_below(2);
        write_long(out, has_size ? -(int64_t)block : (int64_t)block);
        if (has_size)
            write_long(out, (int64_t)items.size);
        buffer_append(out, items.data, items.size);
        buffer_release(&items);
    }
    write_long(out, 0);
}

static void encode_plainly(avro_value_t *value, struct buffer *out) {
    size_t size = 0;
    assert_int_equal(avro_value_sizeof(value, &size), 0);
    avro_writer_t writer = avro_writer_memory(buffer_reserve(out, size), (int64_t)size);
    assert_int_equal(avro_value_write(writer, value), 0);
    out->size += size;
    avro_writer_free(writer);
}

static void encode(avro_value_t *value, struct buffer *out) {
    avro_type_t type = avro_value_get_type(value);
    avro_value_t inner = {0};
    if (type == AVRO_RECORD) {
        size_t count = 0;
        (void)avro_value_get_size(value, &count);
        for (size_t i = 0; i < count; i++) {
            ASSERT(avro_value_get_by_index(value, i, &inner, NULL) == 0);
            encode(&inner, out);
        }
    } else if (type == AVRO_UNION) {
        int branch = 0;
        ASSERT(avro_value_get_discriminant(value, &branch) == 0);
        ASSERT(avro_value_get_current_branch(value, &inner) == 0);
        write_long(out, branch);
        encode(&inner, out);
    } else if (type == AVRO_ARRAY || type == AVRO_MAP) {
        encode_items(value, out);
    } else {
        encode_plainly(value, out);
    }
}

static bool is_text(const struct value *value, const void *text, size_t size) {
    return value->kind == VALUE_STRING && slice_equal(value->as.string, (struct slice){text, size});
}

/* The same bits: NaN counts as equal to itself. */
static bool is_real(const struct value *value, double expected) {
    uint64_t bits[2];
    memcpy(&bits[0], &value->as.real, 8);
    memcpy(&bits[1], &expected, 8);
    return value->kind == VALUE_DOUBLE && bits[0] == bits[1];
}

static bool is_equal(avro_value_t *leaf, const struct value *value) {
    avro_type_t type = avro_value_get_type(leaf);
    const void *text = "";
    const char *string = "";
    size_t size = 0;
    int32_t small = 0;
    int64_t number = 0;
    float single = 0;
    double real = 0;
    int choice = 0;
    if (type == AVRO_NULL)
        return value->kind == VALUE_MISSING;
    if (type == AVRO_BOOLEAN && avro_value_get_boolean(leaf, &choice) == 0)
        return value->kind == VALUE_LONG && value->as.integer == choice;
    if (type == AVRO_INT32 && avro_value_get_int(leaf, &small) == 0)
        return value->kind == VALUE_LONG && value->as.integer == small;
    if (type == AVRO_INT64 && avro_value_get_long(leaf, &number) == 0)
        return value->kind == VALUE_LONG && value->as.integer == number;
    if (type == AVRO_FLOAT && avro_value_get_float(leaf, &single) == 0)
        return is_real(value, (double)single);
    if (type == AVRO_DOUBLE && avro_value_get_double(leaf, &real) == 0)
        return is_real(value, real);
    if (type == AVRO_STRING && avro_value_get_string(leaf, &string, &size) == 0)
        return is_text(value, string, size - 1);
    if (type == AVRO_BYTES && avro_value_get_bytes(leaf, &text, &size) == 0)
        return is_text(value, text, size);
    if (type == AVRO_FIXED && avro_value_get_fixed(leaf, &text, &size) == 0)
        return is_text(value, text, size);
    static const char *const symbols[] = {"A", "BB", "CCC"};
    assert_int_equal(avro_value_get_enum(leaf, &choice), 0);
    return is_text(value, symbols[choice], strlen(symbols[choice]));
}

struct choice {
    struct column_path columns[COLUMNS_MAX];
    size_t leaf[COLUMNS_MAX], count;
};

static void choose(struct choice *out) {
    *out = (struct choice){0};
    size_t wanted = 1 + random_below(COLUMNS_MAX);
    for (size_t i = 0; i < wanted && leaf_count > 0; i++) {
        size_t leaf = random_below((unsigned)leaf_count);
        if (count_steps(leaves[leaf].path) > PATH_STEPS_MAX)
            continue;
        out->columns[out->count].path = leaves[leaf].path;
        out->leaf[out->count++] = leaf;
    }
}

/* In memory of its exact size, so that a sanitizer sees one byte too many. */
static enum refusal read_exactly(const struct projection *projection, const char *bytes,
                                 size_t size, struct value *values, char **out_copy) {
    *out_copy = malloc(size ? size : 1);
    assert_non_null(*out_copy);
    memcpy(*out_copy, bytes, size);
    return projection_read(projection, (struct slice){*out_copy, size}, values);
}

static void check_values(const struct projection *projection, struct slice payload,
                         const struct choice *choice) {
    struct value values[COLUMNS_MAX];
    char *copy;
    assert_int_equal(read_exactly(projection, payload.data, payload.size, values, &copy),
                     REFUSAL_NONE);
    for (size_t i = 0; i < choice->count; i++)
        if (!is_equal(&leaves[choice->leaf[i]].value, &values[i])) {
            print_error("%s of %s\n", choice->columns[i].path, schema);
            fail();
        }
    free(copy);
}

/* No proper prefix of a record is a record, and none has a byte to spare. */
static void check_other_sizes(const struct projection *projection, const struct buffer *payload) {
    struct value values[COLUMNS_MAX];
    size_t step = 1 + payload->size / 40;
    for (size_t size = 0; size < payload->size; size += step) {
        char *copy;
        assert_int_equal(read_exactly(projection, payload->data, size, values, &copy),
                         REFUSAL_UNDECODABLE);
        free(copy);
    }
    struct buffer extended;
    buffer_init(&extended, PAYLOAD_BYTES);
    buffer_append(&extended, payload->data, payload->size);
    buffer_append(&extended, "", 1);
    assert_int_equal(projection_read(projection, buffer_slice(&extended), values),
                     REFUSAL_UNDECODABLE);
    buffer_release(&extended);
}

static void check_record(avro_value_t *value) {
    struct choice choice;
    struct path_tree paths;
    struct projection *projection;
    struct error err = {""};
    leaf_count = 0;
    collect(value, "$");
    choose(&choice);
    assert_ok(path_tree_init(&paths, choice.columns, choice.count, &err));
    if (projection_create(slice_from(schema), &paths, &projection, &err) != STATUS_OK) {
        print_error("%s: %s\n", err.text, schema);
        fail();
    }
    struct buffer plain, blocks;
    buffer_init(&plain, PAYLOAD_BYTES);
    buffer_init(&blocks, PAYLOAD_BYTES);
    encode_plainly(value, &plain);
    encode(value, &blocks);
    check_values(projection, buffer_slice(&plain), &choice);
    check_values(projection, buffer_slice(&blocks), &choice);
    check_other_sizes(projection, &plain);
    check_other_sizes(projection, &blocks);
    buffer_release(&plain);
    buffer_release(&blocks);
    projection_destroy(projection);
    path_tree_release(&paths);
}

TEST(random_records_are_read_as_avro_c_wrote_them) {
    random_state = test_seed(20260102) * 2 + 1;
    for (int round = 0; round < ROUNDS; round++) {
        schema_size = 0;
        names = 0;
        say_record(4);
        avro_schema_t parsed;
        assert_int_equal(avro_schema_from_json_length(schema, schema_size, &parsed), 0);
        avro_value_iface_t *class = avro_generic_class_from_schema(parsed);
        avro_value_t value = {0};
        ASSERT(avro_generic_value_new(class, &value) == 0);
        fill(&value, 0);
        check_record(&value);
        avro_value_decref(&value);
        avro_value_iface_decref(class);
        avro_schema_decref(parsed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {CASE(random_records_are_read_as_avro_c_wrote_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Any bytes as Avro binary of a few writer schemas, against avro-c.
 *
 * The first byte chooses the schema and whether the columns are times.  What avro-c reads to the
 * end is written by it again in its plain form; the projection must read that and yield avro-c's
 * values.  (The bytes as they came only must do no harm: a block's size may lie, and then avro-c,
 * which ignores it, reads on where a projection jumps.)
 *
 * avro-c gets its memory from a block that is forgotten after each input, since it loses memory
 * when it fails, and asks for whatever length the bytes claim. SPDX-License-Identifier: Apache-2.0
 */
#include <avro.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schemas/projection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS_MAX = 8, SCHEMAS = 4, BLOCK_BYTES = 1 << 24, TEXT_BYTES = 1 << 16 };

static const struct {
    const char *json;
    const char *paths[COLUMNS_MAX];
} cases[SCHEMAS] = {
    {"{\"type\":\"record\",\"name\":\"P\",\"fields\":["
     "{\"name\":\"id\",\"type\":\"string\"},"
     "{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
     "{\"name\":\"output\",\"type\":{\"type\":\"record\",\"name\":\"O\",\"fields\":["
     "{\"name\":\"score\",\"type\":[\"null\",\"double\"]},"
     "{\"name\":\"all\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"double\"}]}]}},"
     "{\"name\":\"features\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"double\","
     "\"string\"]}},"
     "{\"name\":\"groups\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]}",
     {"$.id", "$.at", "$.output.score", "$.output.all.a", "$.features.f", "$.features.g",
      "$.groups.z"}},
    {"{\"type\":\"record\",\"name\":\"S\",\"fields\":["
     "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},"
     "{\"name\":\"f\",\"type\":[\"float\",\"null\"]},"
     "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":3}},"
     "{\"name\":\"skip\",\"type\":[\"X\",\"boolean\",\"string\",\"bytes\"]},"
     "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
     "{\"name\":\"many\",\"type\":{\"type\":\"array\",\"items\":\"double\"}},"
     "{\"name\":\"y\",\"type\":\"bytes\"},{\"name\":\"end\",\"type\":\"long\"}]}",
     {"$.b", "$.i", "$.f", "$.x", "$.e", "$.many[1]", "$.y", "$.end"}},
    {"{\"type\":\"record\",\"name\":\"C\",\"fields\":[{\"name\":\"v\",\"type\":\"long\"},"
     "{\"name\":\"next\",\"type\":[\"null\",\"C\",\"int\"]},"
     "{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"C\"}}]}",
     {"$.v", "$.next.v", "$.next.next.v", "$.kids[0].v", "$.kids[1].next.v",
      "$.kids[2].kids[0].v"}},
    {"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":["
     "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":"
     "\"int\"}}},{\"name\":\"s\",\"type\":[\"string\",\"null\"]}]}}",
     {"$[0].m.a[0]", "$[0].s", "$[2].m.b[1]", "$[1].s"}},
};

static struct {
    struct projection *plain, *times;
    avro_value_iface_t *class;
    size_t count;
} readers[SCHEMAS];

static char *block;
static size_t block_used;
static bool uses_block;

static void *allocate(void *unused, void *memory, size_t old_size, size_t size) {
    (void)unused;
    if (!uses_block) {
        if (size > 0)
            return realloc(memory, size);
        free(memory);
        return NULL;
    }
    if (size == 0 || size > BLOCK_BYTES || block_used > BLOCK_BYTES - size - 16)
        return NULL;
    char *made = block + block_used;
    block_used += (size + 15) / 16 * 16;
    if (memory)
        memcpy(made, memory, old_size < size ? old_size : size);
    return made;
}

static struct projection *compile(size_t i, bool is_time, size_t *out_count) {
    struct column_path columns[COLUMNS_MAX];
    struct path_tree paths;
    struct projection *projection;
    size_t count = 0;
    for (; count < COLUMNS_MAX && cases[i].paths[count]; count++)
        columns[count] = (struct column_path){cases[i].paths[count], is_time};
    ASSERT(path_tree_init(&paths, columns, count, NULL) == STATUS_OK);
    ASSERT(projection_create(slice_from(cases[i].json), &paths, &projection, NULL) == STATUS_OK);
    path_tree_release(&paths);
    *out_count = count;
    return projection;
}

static void prepare(void) {
    block = malloc(BLOCK_BYTES);
    ASSERT(block != NULL);
    avro_set_allocator(allocate, NULL);
    avro_set_error("%s", "its buffer is made here, outside of the block");
    for (size_t i = 0; i < SCHEMAS; i++) {
        avro_schema_t schema;
        ASSERT(avro_schema_from_json_length(cases[i].json, strlen(cases[i].json), &schema) == 0);
        readers[i].class = avro_generic_class_from_schema(schema);
        readers[i].plain = compile(i, false, &readers[i].count);
        readers[i].times = compile(i, true, &readers[i].count);
    }
}

static bool through_union(avro_value_t *value) {
    avro_value_t branch;
    if (avro_value_get_type(value) != AVRO_UNION)
        return true;
    if (avro_value_get_current_branch(value, &branch) != 0)
        return false;
    *value = branch;
    return true;
}

/* Follows "$.name[2]" in avro-c's value; false when it does not lead to a leaf. */
static bool follow(avro_value_t *value, const char *path) {
    avro_value_t inner;
    char name[32];
    for (path++; *path;) {
        bool is_index = *path == '[';
        size_t size = strcspn(path + 1, is_index ? "]" : ".["), length = 0;
        memcpy(name, path + 1, size);
        name[size] = '\0';
        path += 1 + size + is_index;
        if (!through_union(value))
            return false;
        avro_type_t type = avro_value_get_type(value);
        if (is_index) {
            size_t index = strtoul(name, NULL, 10);
            if (type != AVRO_ARRAY || avro_value_get_size(value, &length) != 0 || index >= length ||
                avro_value_get_by_index(value, index, &inner, NULL) != 0)
                return false;
        } else if ((type != AVRO_RECORD && type != AVRO_MAP) ||
                   avro_value_get_by_name(value, name, &inner, NULL) != 0) {
            return false;
        }
        *value = inner;
    }
    return through_union(value) && avro_value_get_type(value) != AVRO_NULL;
}

static bool is_same_text(const struct value *value, const void *text, size_t size) {
    return value->kind == VALUE_STRING && slice_equal(value->as.string, (struct slice){text, size});
}

static bool is_same(avro_value_t *leaf, const struct value *value) {
    const void *bytes = NULL;
    const char *text = NULL;
    size_t size = 0;
    int64_t number = 0;
    int32_t small = 0;
    double real = 0;
    float single = 0;
    int choice = 0;
    avro_type_t type = avro_value_get_type(leaf);
    if (type == AVRO_STRING && avro_value_get_string(leaf, &text, &size) == 0)
        return is_same_text(value, text, size - 1);
    if (type == AVRO_BYTES && avro_value_get_bytes(leaf, &bytes, &size) == 0)
        return is_same_text(value, bytes, size);
    if (type == AVRO_FIXED && avro_value_get_fixed(leaf, &bytes, &size) == 0)
        return is_same_text(value, bytes, size);
    if (type == AVRO_ENUM && avro_value_get_enum(leaf, &choice) == 0)
        return is_same_text(value, choice ? "B" : "A", 1);
    if (type == AVRO_BOOLEAN && avro_value_get_boolean(leaf, &choice) == 0)
        number = choice;
    else if (type == AVRO_INT32 && avro_value_get_int(leaf, &small) == 0)
        number = small;
    else if (type != AVRO_INT64 || avro_value_get_long(leaf, &number) != 0) {
        if (type == AVRO_FLOAT && avro_value_get_float(leaf, &single) == 0)
            real = (double)single;
        else
            ASSERT(avro_value_get_double(leaf, &real) == 0);
        return value->kind == VALUE_DOUBLE &&
               (value->as.real == real || (isnan(real) && isnan(value->as.real)));
    }
    return value->kind == VALUE_LONG && value->as.integer == number;
}

/* avro-c recurses as deeply as the bytes say; the projection refuses beyond its bound. */
static int depth_of(avro_value_t *value) {
    avro_value_t inner;
    size_t count = 0;
    int deepest = 0;
    if (!through_union(value))
        return 0;
    avro_type_t type = avro_value_get_type(value);
    if (type == AVRO_RECORD || type == AVRO_ARRAY || type == AVRO_MAP)
        (void)avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++)
        if (avro_value_get_by_index(value, i, &inner, NULL) == 0) {
            int depth = depth_of(&inner);
            deepest = depth > deepest ? depth : deepest;
        }
    return deepest + 1;
}

/* avro-c takes any byte for a boolean and any number for a symbol; the projection does not. */
static bool is_strange(const avro_value_t *root, const char *path) {
    avro_value_t leaf = *root;
    int choice = 0;
    if (!follow(&leaf, path))
        return false;
    avro_type_t type = avro_value_get_type(&leaf);
    return (type == AVRO_BOOLEAN && avro_value_get_boolean(&leaf, &choice) == 0 &&
            (choice < 0 || choice > 1)) ||
           (type == AVRO_ENUM && avro_value_get_enum(&leaf, &choice) == 0 &&
            (choice < 0 || choice > 1));
}

static void check(size_t i, avro_value_t *value) {
    static char text[TEXT_BYTES];
    struct value values[COLUMNS_MAX];
    size_t size = 0;
    avro_value_t root = *value;
    if (depth_of(&root) > 30 || avro_value_sizeof(value, &size) != 0 || size > TEXT_BYTES)
        return;
    for (size_t k = 0; k < readers[i].count; k++)
        if (is_strange(value, cases[i].paths[k]))
            return;
    avro_writer_t writer = avro_writer_memory(text, TEXT_BYTES);
    ASSERT(avro_value_write(writer, value) == 0);
    ASSERT(projection_read(readers[i].plain, (struct slice){text, size}, values) == REFUSAL_NONE);
    for (size_t k = 0; k < readers[i].count; k++) {
        avro_value_t leaf = *value;
        if (follow(&leaf, cases[i].paths[k]))
            ASSERT(is_same(&leaf, &values[k]));
        else
            ASSERT(values[k].kind == VALUE_MISSING);
    }
}

static void compare(size_t i, const char *bytes, size_t size) {
    avro_value_t value;
    char more;
    uses_block = true;
    block_used = 0;
    avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
    ASSERT(avro_generic_value_new(readers[i].class, &value) == 0);
    if (avro_value_read(reader, &value) == 0 && avro_read(reader, &more, 1) != 0)
        check(i, &value);
    uses_block = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct value values[COLUMNS_MAX];
    if (!block)
        prepare();
    if (size == 0 || size > TEXT_BYTES / 4)
        return 0;
    size_t i = data[0] % SCHEMAS;
    struct slice bytes = {(const char *)data + 1, size - 1};
    bool is_time = data[0] & 0x80;
    enum refusal refusal =
        projection_read(is_time ? readers[i].times : readers[i].plain, bytes, values);
    for (size_t k = 0; k < readers[i].count && refusal == REFUSAL_NONE; k++)
        ASSERT(values[k].kind != VALUE_STRING || values[k].as.string.size < size ||
               values[k].as.string.size == 1);
    if (!is_time)
        compare(i, bytes.data, bytes.size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/container.h"

#include <avro.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "schemas/projection.h"

enum { HEADER_BYTES_MAX = 16 * 1024 * 1024, RECORD_BYTES_MAX = 64 * 1024 * 1024 };

struct container {
    char *schema;
    struct projection *projection;
    avro_file_reader_t reader;
    avro_value_iface_t *class;
    avro_value_t value;
    bool has_reader, has_value, is_ended;
    char *raw; /* the last record, encoded again */
    size_t raw_capacity;
};

static enum status trouble(struct error *err, enum status status) {
    return error_set(err, status, "%s", avro_strerror());
}

/* avro-c forgets the logical types of a schema, so its text is taken from the header here. */
static char *find_schema(struct slice header) {
    struct reader reader = reader_from(header);
    char *schema = NULL;
    if (header.size < 4 || memcmp(header.data, "Obj\x01", 4) != 0)
        return NULL;
    reader.at += 4;
    for (;;) {
        int64_t count = read_long(&reader);
        if (count < 0)
            (void)read_long(&reader); /* the block's size in bytes */
        if (reader.failed || count == 0 || count == INT64_MIN)
            return schema;
        for (count = count < 0 ? -count : count; count > 0 && !reader.failed; count--) {
            struct slice key = read_bytes(&reader), value = read_bytes(&reader);
            if (!schema && !reader.failed && slice_equal(key, SLICE("avro.schema")))
                schema = alloc_copy(value);
        }
    }
}

static enum status read_schema(const char *path, char **out_schema, struct error *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, STATUS_IO, "%s", strerror(errno));
    char *header = alloc_zero(HEADER_BYTES_MAX, 1);
    size_t size = fread(header, 1, HEADER_BYTES_MAX, file);
    (void)fclose(file);
    *out_schema = find_schema((struct slice){header, size});
    free(header);
    if (!*out_schema)
        return error_set(err, STATUS_CONFIG, "not an Avro object container");
    return STATUS_OK;
}

static enum status open_reader(struct container *container, const char *path, struct error *err) {
    if (avro_file_reader(path, &container->reader) != 0)
        return trouble(err, STATUS_CONFIG);
    container->has_reader = true;
    avro_schema_t schema = avro_file_reader_get_writer_schema(container->reader);
    container->class = avro_generic_class_from_schema(schema);
    avro_schema_decref(schema);
    if (!container->class || avro_generic_value_new(container->class, &container->value) != 0)
        return trouble(err, STATUS_CONFIG);
    container->has_value = true;
    return STATUS_OK;
}

static enum status open_parts(struct container *container, const char *path,
                              const struct path_tree *paths, struct error *err) {
    TRY(read_schema(path, &container->schema, err));
    TRY(projection_create(slice_from(container->schema), paths, &container->projection, err));
    if (paths->slot_count > 0 && projection_found(container->projection) == 0)
        return error_set(err, STATUS_CONFIG, "none of the configured columns is in its schema");
    return open_reader(container, path, err);
}

enum status container_open(const char *path, const struct path_tree *paths,
                           struct container **out_container, struct error *err) {
    struct container *container = alloc_zero(1, sizeof *container);
    enum status status = open_parts(container, path, paths, err);
    if (status == STATUS_OK)
        *out_container = container;
    else
        container_close(container);
    return status;
}

void container_close(struct container *container) {
    if (!container)
        return;
    if (container->has_value)
        avro_value_decref(&container->value);
    if (container->class)
        avro_value_iface_decref(container->class);
    if (container->has_reader)
        (void)avro_file_reader_close(container->reader);
    projection_destroy(container->projection);
    free(container->schema);
    free(container->raw);
    free(container);
}

static enum status encode_again(struct container *container, size_t *out_size, struct error *err) {
    if (avro_value_sizeof(&container->value, out_size) != 0)
        return trouble(err, STATUS_CORRUPT);
    if (*out_size > RECORD_BYTES_MAX)
        return error_set(err, STATUS_CORRUPT, "a record of more than 64 MB");
    if (*out_size > container->raw_capacity) {
        container->raw = alloc_resize(container->raw, *out_size, 1);
        container->raw_capacity = *out_size;
    }
    avro_writer_t writer = avro_writer_memory(container->raw, (int64_t)*out_size);
    int failed = avro_value_write(writer, &container->value);
    avro_writer_free(writer);
    return failed ? trouble(err, STATUS_CORRUPT) : STATUS_OK;
}

enum status container_next(struct container *container, struct value *out_values,
                           struct slice *out_raw, bool *out_end, struct error *err) {
    *out_end = container->is_ended;
    if (container->is_ended)
        return STATUS_OK;
    int failed = avro_file_reader_read_value(container->reader, &container->value);
    container->is_ended = failed != 0;
    *out_end = failed == EOF;
    if (failed)
        return failed == EOF ? STATUS_OK : trouble(err, STATUS_CORRUPT);
    size_t size;
    TRY(encode_again(container, &size, err));
    *out_raw = (struct slice){container->raw ? container->raw : "", size};
    enum refusal refusal = projection_read(container->projection, *out_raw, out_values);
    if (refusal == REFUSAL_NONE)
        return STATUS_OK;
    return error_set(err, STATUS_CORRUPT, "%s", refusal_remedy(refusal));
}

struct slice container_schema(const struct container *container) {
    return slice_from(container->schema);
}

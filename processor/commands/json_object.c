/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/json_object.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "config/problem.h"
#include "config/quantity.h"

static void write_text(struct slice text, struct buffer *out) {
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < ' ')
            text_add(out, "\\u%04x", (unsigned)byte);
        else if (byte == '"' || byte == '\\')
            text_add(out, "\\%c", (int)byte);
        else
            buffer_append(out, &text.data[i], 1);
    }
    buffer_append(out, "\"", 1);
}

static void write_value(const struct value *value, struct buffer *out) {
    char scratch[QUANTITY_BYTES];
    if (value->kind == VALUE_LONG)
        text_add(out, "%" PRId64, value->as.integer);
    else if (value->kind == VALUE_DOUBLE)
        text_add(out, "%s", format_number(scratch, value->as.real));
    else
        write_text(value->as.string, out);
}

static bool is_written(const struct column_path *column, const struct value *value) {
    return value->kind != VALUE_MISSING && !strchr(column->path, '[') &&
           (value->kind != VALUE_DOUBLE || isfinite(value->as.real));
}

/* Whether some column before i has the same first size bytes, with a dot behind them. */
static bool is_repeated(const struct column_path *columns, const struct value *values, size_t i,
                        size_t size) {
    for (size_t k = 0; k < i; k++)
        if (is_written(&columns[k], &values[k]) &&
            strncmp(columns[k].path, columns[i].path, size) == 0 && columns[k].path[size] == '.')
            return true;
    return false;
}

/* The members below the path that columns[of].path begins with, size bytes of it. */
static void write_members(const struct column_path *columns, const struct value *values,
                          size_t count, size_t of, size_t size, struct buffer *out) {
    const char *comma = "";
    buffer_append(out, "{", 1);
    for (size_t i = 0; i < count; i++) {
        const char *path = columns[i].path;
        if (!is_written(&columns[i], &values[i]) || strncmp(path, columns[of].path, size) != 0 ||
            path[size] != '.')
            continue;
        size_t step = strcspn(path + size + 1, "."), below = size + 1 + step;
        bool is_object = path[below] == '.';
        if (is_object && is_repeated(columns, values, i, below))
            continue;
        text_add(out, "%s", comma);
        write_text((struct slice){path + size + 1, step}, out);
        buffer_append(out, ":", 1);
        if (is_object)
            write_members(columns, values, count, i, below, out);
        else
            write_value(&values[i], out);
        comma = ",";
    }
    buffer_append(out, "}", 1);
}

void json_object_write(const struct column_path *columns, const struct value *values, size_t count,
                       struct buffer *out) {
    write_members(columns, values, count, 0, 1, out);
}

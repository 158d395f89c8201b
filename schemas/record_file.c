/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/record_file.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/container.h"
#include "schemas/csv.h"
#include "schemas/json_record.h"
#include "schemas/path_tree.h"
#include "schemas/text_file.h"

enum kind { KIND_CSV, KIND_JSON, KIND_AVRO };

static const size_t ABSENT = SIZE_MAX;

struct record_file {
    enum kind kind;
    char *path;
    struct path_tree columns;
    struct text_file text; /* CSV, JSON */
    size_t pending;        /* bytes of the last row, still in the window */
    struct csv_record csv;
    size_t *fields;     /* CSV: the field of each column, or ABSENT */
    size_t field_count; /* CSV: as the header has */
    struct json_record json;
    struct container *container; /* Avro */
    struct slice raw;
    size_t line;
};

/* Puts "file: " or "file:line: " before the error. */
static enum status at_file(const struct record_file *file, enum status status, struct error *err) {
    if (status == STATUS_OK || !err)
        return status;
    if (file->line == 0)
        return error_wrap(err, status, "%s", file->path);
    return error_wrap(err, status, "%s:%zu", file->path, file->line);
}

static bool ends_with(const char *path, const char *extension) {
    size_t size = strlen(path), wanted = strlen(extension);
    return size > wanted && strcmp(path + size - wanted, extension) == 0;
}

static bool kind_of(const char *path, enum kind *out_kind) {
    bool is_json = ends_with(path, ".jsonl") || ends_with(path, ".json");
    *out_kind = is_json ? KIND_JSON : ends_with(path, ".csv") ? KIND_CSV : KIND_AVRO;
    return *out_kind != KIND_AVRO || ends_with(path, ".avro");
}

static void skip_pending(struct record_file *file) {
    text_file_skip(&file->text, file->pending);
    file->pending = 0;
}

/* Cuts the next record of the window; *out_end: there is none. */
static enum status cut_csv(struct record_file *file, bool *out_end, struct error *err) {
    for (;;) {
        skip_pending(file);
        struct slice window = text_file_window(&file->text);
        *out_end = window.size == 0 && file->text.is_last;
        file->line = *out_end ? file->line : file->text.line;
        if (*out_end)
            return STATUS_OK;
        enum csv_cut cut =
            window.size == 0 ? CSV_MORE : csv_cut(window, file->text.is_last, &file->csv);
        if (cut == CSV_MORE) {
            TRY(text_file_more(&file->text, err));
            continue;
        }
        file->pending = file->csv.size;
        file->raw = file->csv.raw;
        if (cut == CSV_BAD)
            return error_set(err, STATUS_CORRUPT, "a quote is where RFC 4180 allows none");
        if (file->raw.size > 0) /* else a blank line */
            return STATUS_OK;
    }
}

static size_t find_field(const struct csv_record *header, const char *path) {
    size_t found = ABSENT;
    for (size_t i = 0; i < header->count; i++)
        if (strncmp(path, "$.", 2) == 0 && slice_equal(header->fields[i], slice_from(path + 2)))
            found = i;
    return found;
}

static bool has_doubles(const struct csv_record *header) {
    for (size_t i = 0; i < header->count; i++)
        for (size_t k = 0; k < i; k++)
            if (slice_equal(header->fields[i], header->fields[k]))
                return true;
    return false;
}

static enum status read_header(struct record_file *file, const struct column_path *columns,
                               size_t count, struct error *err) {
    bool is_end;
    TRY(cut_csv(file, &is_end, err));
    if (is_end)
        return error_set(err, STATUS_CONFIG, "the file has no header line");
    if (has_doubles(&file->csv))
        return error_set(err, STATUS_CONFIG, "the header names a column twice");
    file->fields = alloc_zero(count, sizeof *file->fields);
    file->field_count = file->csv.count;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        file->fields[i] = find_field(&file->csv, columns[i].path);
        found += file->fields[i] != ABSENT;
    }
    if (count > 0 && found == 0)
        return error_set(err, STATUS_CONFIG, "none of the configured columns is in the header");
    file->line = 0;
    return STATUS_OK;
}

static enum status open_kind(struct record_file *file, const struct column_path *columns,
                             size_t count, struct error *err) {
    if (!kind_of(file->path, &file->kind))
        return error_set(err, STATUS_CONFIG, "the extension is not .csv, .json, .jsonl or .avro");
    TRY(path_tree_init(&file->columns, columns, count, err));
    if (file->kind == KIND_AVRO)
        return container_open(file->path, &file->columns, &file->container, err);
    TRY(text_file_open(&file->text, file->path, err));
    return file->kind == KIND_CSV ? read_header(file, columns, count, err) : STATUS_OK;
}

enum status record_file_open(const char *path, const struct column_path *columns, size_t count,
                             struct record_file **out_file, struct error *err) {
    struct record_file *file = alloc_zero(1, sizeof *file);
    file->path = alloc_copy(slice_from(path));
    enum status status = open_kind(file, columns, count, err);
    if (status == STATUS_OK) {
        *out_file = file;
        return STATUS_OK;
    }
    file->line = 0;
    (void)at_file(file, status, err);
    record_file_close(file);
    return status == STATUS_CORRUPT ? STATUS_CONFIG : status;
}

void record_file_close(struct record_file *file) {
    if (!file)
        return;
    container_close(file->container);
    json_record_release(&file->json);
    csv_record_release(&file->csv);
    text_file_release(&file->text);
    path_tree_release(&file->columns);
    free(file->fields);
    free(file->path);
    free(file);
}

static enum status next_csv(struct record_file *file, struct value *out_values, bool *out_end,
                            struct error *err) {
    TRY(cut_csv(file, out_end, err));
    if (*out_end)
        return STATUS_OK;
    if (file->csv.count != file->field_count)
        return error_set(err, STATUS_CORRUPT, "%zu fields, but %zu in the header", file->csv.count,
                         file->field_count);
    for (size_t i = 0; i < file->columns.slot_count; i++) {
        struct slice field = {"", 0};
        if (file->fields[i] != ABSENT)
            field = file->csv.fields[file->fields[i]];
        if (!file->columns.is_time[i])
            out_values[i] = csv_value(field);
        else if (!csv_time(field, &out_values[i]))
            return error_set(err, STATUS_CORRUPT, "field %zu is no time", file->fields[i] + 1);
    }
    return STATUS_OK;
}

static bool is_blank(struct slice line) {
    size_t i = 0;
    while (i < line.size && strchr(" \t\r", line.data[i]) && line.data[i])
        i++;
    return i == line.size;
}

/* Finds the next line that is not blank. */
static enum status cut_line(struct record_file *file, bool *out_end, struct error *err) {
    for (;;) {
        skip_pending(file);
        struct slice window = text_file_window(&file->text);
        *out_end = window.size == 0 && file->text.is_last;
        if (*out_end)
            return STATUS_OK;
        const char *end = window.size ? memchr(window.data, '\n', window.size) : NULL;
        if (!end && !file->text.is_last) {
            TRY(text_file_more(&file->text, err));
            continue;
        }
        size_t size = end ? (size_t)(end - window.data) : window.size;
        file->line = file->text.line;
        file->pending = size + (end != NULL);
        file->raw = (struct slice){window.data, size};
        if (size > 0 && window.data[size - 1] == '\r')
            file->raw.size--;
        if (!is_blank(file->raw))
            return STATUS_OK;
    }
}

static enum status next_json(struct record_file *file, struct value *out_values, bool *out_end,
                             struct error *err) {
    TRY(cut_line(file, out_end, err));
    if (*out_end)
        return STATUS_OK;
    enum refusal refusal = json_record_read(&file->json, &file->columns, file->raw, out_values);
    if (refusal == REFUSAL_UNDECODABLE)
        return error_set(err, STATUS_CORRUPT, "not one JSON object");
    if (refusal != REFUSAL_NONE)
        return error_set(err, STATUS_CORRUPT, "%s", refusal_remedy(refusal));
    return STATUS_OK;
}

static enum status next_avro(struct record_file *file, struct value *out_values, bool *out_end,
                             struct error *err) {
    file->line++;
    enum status status = container_next(file->container, out_values, &file->raw, out_end, err);
    file->line -= status == STATUS_OK && *out_end;
    return status;
}

enum status record_file_next(struct record_file *file, struct value *out_values, bool *out_end,
                             struct error *err) {
    *out_end = false;
    enum status status = file->kind == KIND_CSV    ? next_csv(file, out_values, out_end, err)
                         : file->kind == KIND_JSON ? next_json(file, out_values, out_end, err)
                                                   : next_avro(file, out_values, out_end, err);
    return at_file(file, status, err);
}

struct slice record_file_raw(const struct record_file *file) {
    return file->raw;
}

int record_file_format(const struct record_file *file) {
    return file->kind == KIND_JSON ? FORMAT_JSON : file->kind == KIND_AVRO ? FORMAT_AVRO : -1;
}

struct slice record_file_schema(const struct record_file *file) {
    return file->kind == KIND_AVRO ? container_schema(file->container) : (struct slice){"", 0};
}

size_t record_file_line(const struct record_file *file) {
    return file->line;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/load_record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "commands/json_object.h"
#include "config/document.h"
#include "config/quantity.h"
#include "schemas/record_file.h"
#include "schemas/schema_set.h"

enum { RECORD_BYTES_MAX = 80 << 20, SCHEMA_BYTES_MAX = 1 << 20 };

/* Where a path of the configuration stands in the contract. */
enum place {
    PLACE_ID,
    PLACE_TIME,
    PLACE_MODEL,
    PLACE_MODEL_VERSION,
    PLACE_SCORE,
    PLACE_CLASS,
    PLACE_VALUE,
    PLACE_LABEL,
    PLACE_PREDICTION_TIME,
    PLACE_FEATURE,
    PLACE_GROUP,
    PLACE_COUNT,
    PLACE_NONE = -1,
};

struct record_writer {
    const struct topic_definition *topic;
    bool is_feedback;
    int32_t schema_id;
    struct arena arena; /* paths, the schema */
    struct slice schema;
    struct column_path columns[LOAD_COLUMNS_MAX];
    enum place places[LOAD_COLUMNS_MAX];
    size_t column_count;
    int singles[PLACE_COUNT]; /* column of each place that holds one; -1: none */
    struct buffer key, value;
};

static enum place place_of(const char *path, bool is_feedback) {
    static const struct {
        const char *path;
        enum place place;
    } predictions[] = {{"$.id", PLACE_ID},
                       {"$.event_time", PLACE_TIME},
                       {"$.model", PLACE_MODEL},
                       {"$.model_version", PLACE_MODEL_VERSION},
                       {"$.output.score", PLACE_SCORE},
                       {"$.output.class", PLACE_CLASS},
                       {"$.output.value", PLACE_VALUE}},
      feedback[] = {{"$.id", PLACE_ID},
                    {"$.label_time", PLACE_TIME},
                    {"$.label", PLACE_LABEL},
                    {"$.prediction_time", PLACE_PREDICTION_TIME}};
    for (size_t i = 0; is_feedback && i < COUNT_OF(feedback); i++)
        if (strcmp(path, feedback[i].path) == 0)
            return feedback[i].place;
    for (size_t i = 0; !is_feedback && i < COUNT_OF(predictions); i++)
        if (strcmp(path, predictions[i].path) == 0)
            return predictions[i].place;
    if (!is_feedback && strncmp(path, "$.features.", 11) == 0)
        return PLACE_FEATURE;
    return !is_feedback && strncmp(path, "$.groups.", 9) == 0 ? PLACE_GROUP : PLACE_NONE;
}

static void add_column(struct record_writer *writer, const char *path, bool is_time) {
    for (size_t i = 0; i < writer->column_count; i++)
        if (strcmp(writer->columns[i].path, path) == 0)
            return;
    if (writer->column_count == LOAD_COLUMNS_MAX)
        return;
    size_t i = writer->column_count++;
    writer->columns[i] = (struct column_path){.path = path, .is_time = is_time};
    writer->places[i] = place_of(path, writer->is_feedback);
    if (writer->places[i] >= 0 && writer->singles[writer->places[i]] < 0)
        writer->singles[writer->places[i]] = (int)i;
}

static void add_features(struct record_writer *writer, const char *features) {
    for (const char *at = features; *at;) {
        size_t size = strcspn(at, ",");
        char *path = arena_take(&writer->arena, size + 12);
        (void)snprintf(path, size + 12, "$.features.%.*s", (int)size, at);
        if (size > 0)
            add_column(writer, path, false);
        at += size + (at[size] == ',');
    }
}

/* Id and time stand first; a path that is read both as a time and as it is counts as a time. */
static void add_columns(struct record_writer *writer, const char *features) {
    const struct topic_definition *topic = writer->topic;
    for (int i = 0; i < PLACE_COUNT; i++)
        writer->singles[i] = -1;
    add_column(writer, topic->columns[topic->id_column].path, false);
    add_column(writer, topic->columns[topic->time_column].path, true);
    for (int is_time = 1; is_time >= 0; is_time--)
        for (int i = 0; i < topic->column_count; i++)
            if (topic->columns[i].is_time == (is_time != 0))
                add_column(writer, topic->columns[i].path, is_time != 0);
    if (!writer->is_feedback) {
        add_column(writer, "$.model", false);
        add_column(writer, "$.model_version", false);
        add_features(writer, features ? features : "");
    }
}

static enum status check_contract(const struct record_writer *writer, struct error *err) {
    for (size_t i = 0; i < writer->column_count; i++)
        if (writer->places[i] == PLACE_NONE)
            return error_set(err, STATUS_CONFIG,
                             "topic %s: %.100s is not in the contract that load writes; use "
                             "format: json, or a path of %s",
                             writer->topic->topic, writer->columns[i].path,
                             writer->is_feedback ? "feedback.2.avsc" : "prediction.1.avsc");
    return STATUS_OK;
}

static enum status find_schema(struct record_writer *writer, const struct config *config,
                               struct error *err) {
    struct schema_set *set = NULL;
    TRY(check_contract(writer, err));
    TRY(schema_set_load(config->schema_directory, &set, err));
    const char *name = writer->is_feedback ? "feedback" : "prediction";
    writer->schema_id = schema_set_find(set, name);
    schema_set_destroy(set);
    if (writer->schema_id >= 0)
        return STATUS_OK;
    return error_set(err, STATUS_CONFIG, "%.200s has no %s.ID.avsc (schemas.directory)",
                     config->schema_directory, name);
}

static enum status prepare(struct record_writer *writer, const struct config *config,
                           struct error *err) {
    if (writer->topic->format == FORMAT_CONFLUENT)
        return find_schema(writer, config, err);
    if (writer->topic->format != FORMAT_AVRO)
        return STATUS_OK;
    writer->schema = file_read(writer->topic->schema_file, SCHEMA_BYTES_MAX, &writer->arena, err);
    return writer->schema.data ? STATUS_OK : STATUS_CONFIG;
}

enum status record_writer_create(const struct config *config, bool is_feedback,
                                 const char *features, struct record_writer **out_writer,
                                 struct error *err) {
    struct record_writer *writer = alloc_zero(1, sizeof *writer);
    writer->topic = is_feedback ? &config->feedback : &config->predictions;
    writer->is_feedback = is_feedback;
    arena_init(&writer->arena);
    buffer_init(&writer->key, RECORD_BYTES_MAX);
    buffer_init(&writer->value, RECORD_BYTES_MAX);
    add_columns(writer, features);
    enum status status = prepare(writer, config, err);
    if (status != STATUS_OK) {
        record_writer_destroy(writer);
        return status;
    }
    *out_writer = writer;
    return STATUS_OK;
}

void record_writer_destroy(struct record_writer *writer) {
    if (!writer)
        return;
    arena_release(&writer->arena);
    buffer_release(&writer->key);
    buffer_release(&writer->value);
    free(writer);
}

const struct column_path *record_writer_columns(const struct record_writer *writer,
                                                size_t *out_count) {
    *out_count = writer->column_count;
    return writer->columns;
}

const char *record_writer_topic(const struct record_writer *writer) {
    return writer->topic->topic;
}

/* The same but for white space. */
static bool same_schema(struct slice a, struct slice b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.size && isspace((unsigned char)a.data[i]))
            i++;
        while (k < b.size && isspace((unsigned char)b.data[k]))
            k++;
        if (i == a.size || k == b.size)
            return i == a.size && k == b.size;
        if (a.data[i++] != b.data[k++])
            return false;
    }
}

enum status record_writer_accepts(const struct record_writer *writer,
                                  const struct record_file *file, struct error *err) {
    if (writer->topic->format != FORMAT_AVRO)
        return STATUS_OK;
    if (record_file_format(file) != FORMAT_AVRO)
        return error_set(err, STATUS_CONFIG, "topic %s has format avro: only .avro files go there",
                         writer->topic->topic);
    if (same_schema(record_file_schema(file), writer->schema))
        return STATUS_OK;
    return error_set(err, STATUS_CONFIG, "topic %s: the file's schema is not that of %.200s",
                     writer->topic->topic, writer->topic->schema_file);
}

static const struct value *value_at(const struct record_writer *writer, const struct value *values,
                                    enum place place) {
    static const struct value missing = {.kind = VALUE_MISSING};
    return writer->singles[place] < 0 ? &missing : &values[writer->singles[place]];
}

/* Numbers as text: a CSV file does not say which of its digits are names. */
static struct slice text_of(const struct value *value, char scratch[QUANTITY_BYTES]) {
    if (value->kind == VALUE_STRING)
        return value->as.string;
    if (value->kind == VALUE_DOUBLE)
        return slice_from(format_number(scratch, value->as.real));
    if (value->kind == VALUE_LONG)
        (void)snprintf(scratch, QUANTITY_BYTES, "%" PRId64, value->as.integer);
    return slice_from(value->kind == VALUE_LONG ? scratch : "");
}

static void write_text_of(struct buffer *out, const struct value *value) {
    char scratch[QUANTITY_BYTES];
    write_bytes(out, text_of(value, scratch));
}

static bool is_number(const struct value *value) {
    return value->kind == VALUE_LONG || value->kind == VALUE_DOUBLE;
}

static double number_of(const struct value *value) {
    return value->kind == VALUE_LONG ? (double)value->as.integer : value->as.real;
}

/* ["null", "double"] and ["null", "string"]. */
static void write_number_or_null(struct buffer *out, const struct value *value) {
    write_long(out, is_number(value));
    if (is_number(value))
        write_double(out, number_of(value));
}

static void write_text_or_null(struct buffer *out, const struct value *value) {
    write_long(out, value->kind != VALUE_MISSING);
    if (value->kind != VALUE_MISSING)
        write_text_of(out, value);
}

static void write_map(const struct record_writer *writer, const struct value *values,
                      enum place place, struct buffer *out) {
    int64_t count = 0;
    size_t prefix = strlen(place == PLACE_FEATURE ? "$.features." : "$.groups.");
    for (size_t i = 0; i < writer->column_count; i++)
        count += writer->places[i] == place && values[i].kind != VALUE_MISSING;
    if (count > 0)
        write_long(out, count);
    for (size_t i = 0; i < writer->column_count; i++) {
        if (writer->places[i] != place || values[i].kind == VALUE_MISSING)
            continue;
        write_bytes(out, slice_from(writer->columns[i].path + prefix));
        if (place == PLACE_FEATURE) /* ["null", "double", "string"] */
            write_long(out, is_number(&values[i]) ? 1 : 2);
        if (place == PLACE_FEATURE && is_number(&values[i]))
            write_double(out, number_of(&values[i]));
        else
            write_text_of(out, &values[i]);
    }
    write_long(out, 0);
}

/* The fields in the order of prediction.1.avsc. */
static void write_prediction(struct record_writer *writer, const struct value *values) {
    struct buffer *out = &writer->value;
    write_bytes(out, buffer_slice(&writer->key));
    write_long(out, value_at(writer, values, PLACE_TIME)->as.integer);
    write_text_of(out, value_at(writer, values, PLACE_MODEL));
    write_text_of(out, value_at(writer, values, PLACE_MODEL_VERSION));
    write_number_or_null(out, value_at(writer, values, PLACE_SCORE));
    write_text_or_null(out, value_at(writer, values, PLACE_CLASS));
    write_number_or_null(out, value_at(writer, values, PLACE_VALUE));
    write_long(out, 0); /* probabilities: null */
    write_map(writer, values, PLACE_FEATURE, out);
    write_map(writer, values, PLACE_GROUP, out);
}

/* The fields in the order of feedback.2.avsc. */
static void write_feedback(struct record_writer *writer, const struct value *values) {
    struct buffer *out = &writer->value;
    const struct value *label = value_at(writer, values, PLACE_LABEL);
    const struct value *time = value_at(writer, values, PLACE_PREDICTION_TIME);
    write_bytes(out, buffer_slice(&writer->key));
    write_long(out, value_at(writer, values, PLACE_TIME)->as.integer);
    write_long(out, is_number(label) ? 0 : 1); /* ["double", "string", "boolean"] */
    if (is_number(label))
        write_double(out, number_of(label));
    else
        write_text_of(out, label);
    write_long(out, time->kind == VALUE_LONG);
    if (time->kind == VALUE_LONG)
        write_long(out, time->as.integer);
}

static void write_confluent(struct record_writer *writer, const struct value *values) {
    unsigned char header[5] = {0};
    for (int i = 0; i < 4; i++)
        header[4 - i] = (unsigned char)((uint32_t)writer->schema_id >> (8 * i));
    buffer_append(&writer->value, header, sizeof header);
    if (writer->is_feedback)
        write_feedback(writer, values);
    else
        write_prediction(writer, values);
}

bool record_writer_write(struct record_writer *writer, const struct record_file *file,
                         const struct value *values, struct load_record *out_record) {
    enum { ID = 0, TIME = 1 };
    char scratch[QUANTITY_BYTES];
    if (values[ID].kind == VALUE_MISSING || values[TIME].kind != VALUE_LONG)
        return false;
    struct slice id = text_of(&values[ID], scratch);
    buffer_reset(&writer->key);
    buffer_reset(&writer->value);
    buffer_append(&writer->key, id.data, id.size);
    out_record->time_ms = values[TIME].as.integer;
    out_record->key = buffer_slice(&writer->key);
    bool is_raw = writer->topic->format == record_file_format(file);
    if (writer->topic->format == FORMAT_CONFLUENT)
        write_confluent(writer, values);
    else if (!is_raw)
        json_object_write(writer->columns, values, writer->column_count, &writer->value);
    out_record->value = is_raw ? record_file_raw(file) : buffer_slice(&writer->value);
    return true;
}

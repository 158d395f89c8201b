/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/decoder.h"

enum { ID_BYTES_MAX = 1024 };

static const int64_t time_ms_max = INT64_C(7258118400000); /* 2200-01-01 */

struct decode {
    const struct topic_definition *topic;
    struct decoder *decoder;
    size_t record_bytes_max;
    enum log_side log;
};

static enum status read_file(const char *path, char **out_text, struct error *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, STATUS_CONFIG, "cannot read schema file %s", path);
    struct buffer buffer;
    buffer_init(&buffer, 1 << 22);
    size_t got;
    while (buffer.size < (1 << 21) &&
           (got = fread(buffer_reserve(&buffer, 4096), 1, 4096, file)) > 0)
        buffer.size += got;
    (void)fclose(file);
    *out_text = alloc_copy(buffer_slice(&buffer));
    buffer_release(&buffer);
    return STATUS_OK;
}

bool decode_needs_schemas(const struct config *config) {
    return config->predictions.format == FORMAT_CONFLUENT ||
           config->feedback.format == FORMAT_CONFLUENT;
}

enum status decode_create(const struct config *config, enum log_side log,
                          const struct schema_set *schemas, struct decode **out_decode,
                          struct error *err) {
    const struct topic_definition *topic =
        log == LOG_PREDICTIONS ? &config->predictions : &config->feedback;
    char *schema = NULL;
    if (topic->format == FORMAT_AVRO)
        TRY(read_file(topic->schema_file, &schema, err));
    struct decode *decode = alloc_zero(1, sizeof *decode);
    *decode =
        (struct decode){.topic = topic, .record_bytes_max = config->record_bytes_max, .log = log};
    struct column_path *paths = alloc_zero((size_t)topic->column_count, sizeof *paths);
    for (int i = 0; i < topic->column_count; i++)
        paths[i] = (struct column_path){topic->columns[i].path, topic->columns[i].is_time};
    const struct decoder_options options = {.format = (enum payload_format)topic->format,
                                            .schemas = schemas,
                                            .schema_json = schema,
                                            .columns = paths,
                                            .column_count = (size_t)topic->column_count};
    enum status status = decoder_create(&options, &decode->decoder, err);
    free(paths);
    free(schema);
    if (status != STATUS_OK) {
        free(decode);
        return status;
    }
    *out_decode = decode;
    return STATUS_OK;
}

void decode_destroy(struct decode *decode) {
    if (!decode)
        return;
    decoder_destroy(decode->decoder);
    free(decode);
}

static enum refusal id_of(const struct value *value, struct arena *arena, struct slice *out_id) {
    char number[32];
    if (value->kind == VALUE_MISSING)
        return REFUSAL_MISSING_FIELD;
    if (value->kind == VALUE_LONG) {
        (void)snprintf(number, sizeof number, "%" PRId64, value->as.integer);
        *out_id = arena_copy(arena, slice_from(number));
        return REFUSAL_NONE;
    }
    if (value->kind != VALUE_STRING)
        return REFUSAL_BAD_TYPE;
    *out_id = value->as.string;
    if (out_id->size == 0)
        return REFUSAL_ID_EMPTY;
    return out_id->size > ID_BYTES_MAX ? REFUSAL_ID_TOO_LONG : REFUSAL_NONE;
}

static enum refusal time_of(const struct value *value, int64_t *out_time_ms) {
    if (value->kind == VALUE_MISSING)
        return REFUSAL_MISSING_FIELD;
    if (value->kind != VALUE_LONG)
        return REFUSAL_BAD_TYPE;
    *out_time_ms = value->as.integer;
    return value->as.integer < 0 || value->as.integer > time_ms_max ? REFUSAL_TIME_RANGE
                                                                    : REFUSAL_NONE;
}

static enum refusal roles(const struct decode *decode, struct arena *arena, struct event *event) {
    const struct topic_definition *topic = decode->topic;
    enum refusal refusal = id_of(&event->columns[topic->id_column], arena, &event->id);
    if (refusal == REFUSAL_NONE)
        refusal = time_of(&event->columns[topic->time_column], &event->time_ms);
    if (refusal != REFUSAL_NONE || decode->log == LOG_PREDICTIONS ||
        topic->prediction_time_column < 0)
        return refusal;
    const struct value *prediction = &event->columns[topic->prediction_time_column];
    return prediction->kind == VALUE_MISSING ? REFUSAL_NONE
                                             : time_of(prediction, &event->prediction_ms);
}

void decode_columns(const struct decode *decode, struct value *columns, struct arena *arena,
                    struct event *event) {
    event->log = decode->log;
    event->prediction_ms = TIME_NONE;
    event->columns = columns;
    event->refusal = roles(decode, arena, event);
}

/* A decoder's own strings live until its next record only; those in the payload live as long as it
 * does. */
static void keep_strings(struct value *columns, int count, struct slice payload,
                         struct arena *arena) {
    for (int i = 0; i < count; i++) {
        struct slice *text = &columns[i].as.string;
        if (columns[i].kind == VALUE_STRING && text->size > 0 &&
            ((uintptr_t)text->data < (uintptr_t)payload.data ||
             (uintptr_t)text->data >= (uintptr_t)payload.data + payload.size))
            *text = arena_copy(arena, *text);
    }
}

void decode_event(struct decode *decode, const struct raw_record *record, struct arena *arena,
                  struct event *out_event) {
    *out_event = (struct event){.log = decode->log,
                                .offset = record->offset,
                                .record_ms = record->record_ms,
                                .prediction_ms = TIME_NONE,
                                .raw_key = record->key,
                                .raw_value = record->value};
    int count = decode->topic->column_count;
    struct value *columns = arena_take(arena, (size_t)count * sizeof *columns);
    if (!record->value.data) {
        out_event->refusal =
            REFUSAL_MISSING_FIELD; /* a tombstone says nothing about a prediction */
        return;
    }
    if (record->value.size > decode->record_bytes_max) {
        out_event->refusal = REFUSAL_OVERSIZED;
        return;
    }
    out_event->refusal = decoder_read(decode->decoder, record->value, columns);
    if (out_event->refusal != REFUSAL_NONE)
        return;
    keep_strings(columns, count, record->value, arena);
    decode_columns(decode, columns, arena, out_event);
}

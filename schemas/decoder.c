/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/decoder.h"

#include <stdlib.h>

#include "schemas/json_record.h"
#include "schemas/projection.h"
#include "schemas/schema_set.h"

enum { FRAME_BYTES = 5 }; /* 0x00 and the schema's id, int32 big-endian */

/* What is known of one writer schema. */
struct writer {
    int32_t id;
    struct projection *projection; /* NULL: refused, see refusal */
    enum refusal refusal;
};

struct decoder {
    enum payload_format format;
    const struct schema_set *schemas;
    struct path_tree paths;
    struct json_record json;
    struct writer *writers; /* only ids of the schema set, so it is bounded; FORMAT_AVRO: one */
    size_t writer_count, last;
};

static struct writer *add_writer(struct decoder *decoder, int32_t id,
                                 struct projection *projection) {
    decoder->writers =
        alloc_resize(decoder->writers, decoder->writer_count + 1, sizeof *decoder->writers);
    struct writer *writer = &decoder->writers[decoder->writer_count++];
    *writer = (struct writer){.id = id, .projection = projection};
    if (!projection || (decoder->paths.slot_count > 0 && projection_found(projection) == 0))
        writer->refusal = REFUSAL_UNMAPPED_SCHEMA;
    return writer;
}

enum status decoder_create(const struct decoder_options *options, struct decoder **out_decoder,
                           struct error *err) {
    struct decoder *decoder = alloc_zero(1, sizeof *decoder);
    decoder->format = options->format;
    decoder->schemas = options->schemas;
    enum status status =
        path_tree_init(&decoder->paths, options->columns, options->column_count, err);
    if (status == STATUS_OK && options->format == FORMAT_AVRO) {
        struct projection *projection;
        status =
            projection_create(slice_from(options->schema_json), &decoder->paths, &projection, err);
        if (status == STATUS_OK)
            (void)add_writer(decoder, 0, projection);
    }
    if (status == STATUS_OK)
        *out_decoder = decoder;
    else
        decoder_destroy(decoder);
    return status;
}

void decoder_destroy(struct decoder *decoder) {
    if (!decoder)
        return;
    for (size_t i = 0; i < decoder->writer_count; i++)
        projection_destroy(decoder->writers[i].projection);
    free(decoder->writers);
    json_record_release(&decoder->json);
    path_tree_release(&decoder->paths);
    free(decoder);
}

/* The schema set was parsed when it was loaded; what still fails here is too large, and then no
 * record of it can be mapped. */
static struct writer *compile_writer(struct decoder *decoder, int32_t id) {
    struct slice json = schema_set_json(decoder->schemas, id);
    struct projection *projection = NULL;
    if (json.size == 0)
        return NULL;
    if (projection_create(json, &decoder->paths, &projection, NULL) != STATUS_OK)
        projection = NULL;
    return add_writer(decoder, id, projection);
}

static struct writer *find_writer(struct decoder *decoder, int32_t id) {
    if (decoder->last < decoder->writer_count && decoder->writers[decoder->last].id == id)
        return &decoder->writers[decoder->last];
    size_t i = 0;
    while (i < decoder->writer_count && decoder->writers[i].id != id)
        i++;
    if (i == decoder->writer_count && !compile_writer(decoder, id))
        return NULL;
    decoder->last = i;
    return &decoder->writers[i];
}

static enum refusal read_avro(const struct writer *writer, struct slice payload,
                              struct value *out_values) {
    if (writer->refusal != REFUSAL_NONE)
        return writer->refusal;
    return projection_read(writer->projection, payload, out_values);
}

static enum refusal read_framed(struct decoder *decoder, struct slice payload,
                                struct value *out_values) {
    const unsigned char *frame = (const unsigned char *)payload.data;
    if (payload.size < FRAME_BYTES || frame[0] != 0)
        return REFUSAL_BAD_FRAME;
    uint32_t id = (uint32_t)frame[1] << 24 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 8 |
                  (uint32_t)frame[4];
    const struct writer *writer = find_writer(decoder, (int32_t)id);
    if (!writer)
        return REFUSAL_UNKNOWN_SCHEMA;
    struct slice body = {payload.data + FRAME_BYTES, payload.size - FRAME_BYTES};
    return read_avro(writer, body, out_values);
}

enum refusal decoder_read(struct decoder *decoder, struct slice payload, struct value *out_values) {
    switch (decoder->format) {
    case FORMAT_CONFLUENT:
        return read_framed(decoder, payload, out_values);
    case FORMAT_AVRO:
        return read_avro(&decoder->writers[0], payload, out_values);
    case FORMAT_JSON:
        return json_record_read(&decoder->json, &decoder->paths, payload, out_values);
    }
    return REFUSAL_UNDECODABLE;
}

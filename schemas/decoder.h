/* decoder.h -- payload in, the configured columns out.
 *
 * A decoder serves one topic.  It knows the paths that somebody asked for ("$.trip.uuid",
 * "$.features[3]",
 * "$.features.f0" through records and maps) and fills one value a path; everything else in the
 * record is skipped.  Avro goes through a projection compiled from the writer schema (old and new
 * writer schemas side by side, by id); JSON through jansson.  Unions with null yield VALUE_MISSING
 * for null.
 *
 * Times   a path with is_time yields VALUE_LONG in Unix milliseconds from: Avro timestamp-millis,
 * -micros, local-timestamp-*, a plain long (milliseconds), a double (milliseconds), an ISO 8601
 * string
 *         ("2020-01-31T10:00:00Z", "2020-01-31 10:00:00", a date alone); anything else is
 * REFUSAL_BAD_TYPE. Missing an absent field is VALUE_MISSING, not an error here: the caller knows
 * which are required. Safety  hostile bytes give a refusal; never a read outside the payload, never
 * an allocation by a length that the payload claims. Cost    about 20 ns a field of the writer
 * schema; no allocation after warm-up for Avro. SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_DECODER_H
#define SLIPSTREAM_SCHEMAS_DECODER_H

#include "base/error.h"
#include "schemas/refusal.h"
#include "schemas/value.h"

struct schema_set;

enum payload_format {
    FORMAT_CONFLUENT, /* 0x00, schema id int32 big-endian, Avro binary */
    FORMAT_AVRO,      /* Avro binary of one fixed writer schema */
    FORMAT_JSON,
};

struct column_path {
    const char *path; /* "$.a.b[2]" */
    bool is_time;
};

struct decoder_options {
    enum payload_format format;
    const struct schema_set *schemas; /* FORMAT_CONFLUENT: borrowed; outlives the decoder */
    const char *schema_json;          /* FORMAT_AVRO: the writer schema's text */
    const struct column_path *columns;
    size_t column_count;
};

struct decoder;

/* Errors: CONFIG (a path that does not parse, a schema that does not). */
enum status decoder_create(const struct decoder_options *options, struct decoder **out_decoder,
                           struct error *err) MUST_CHECK;
void decoder_destroy(struct decoder *decoder);

/* Fills out_values[column_count].  Values borrow from payload or the decoder. */
enum refusal decoder_read(struct decoder *decoder, struct slice payload, struct value *out_values);

#endif

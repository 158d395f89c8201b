/* decode.h -- records of an input log as events: id, times and columns by the topic's mapping.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_DECODE_H
#define SLIPSTREAM_PARTITION_DECODE_H

#include "base/arena.h"
#include "base/error.h"
#include "config/definition.h"
#include "partition/event.h"
#include "schemas/schema_set.h"

struct decode; /* one input log's; not thread safe */

struct raw_record {
    int64_t offset, record_ms; /* record_ms: TIME_NONE when the record has no timestamp */
    struct slice key, value;   /* outlive the event */
};

/* Whether an input is FORMAT_CONFLUENT, whose writer schemas come from schemas.directory. */
bool decode_needs_schemas(const struct config *config);
/* schemas: needed for FORMAT_CONFLUENT, else NULL.  Errors: CONFIG. */
enum status decode_create(const struct config *config, enum log_side log,
                          const struct schema_set *schemas, struct decode **out_decode,
                          struct error *err) MUST_CHECK;
void decode_destroy(struct decode *decode);

/* Fills the event; what it needs beyond the record's own bytes goes into arena. */
void decode_event(struct decode *decode, const struct raw_record *record, struct arena *arena,
                  struct event *out_event);
/* The same from columns that are decoded already (files): values in the topic's column order. */
void decode_columns(const struct decode *decode, struct value *columns, struct arena *arena,
                    struct event *event);

#endif

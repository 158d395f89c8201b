/* partial.h -- what travels from stage 1 to stage 2, on the partials topic.
 *
 * A partial is the cumulative state of one (task, epoch, pane, group) in one source partition: an
 * upsert with a version, so that reading one twice, or only the last, comes to the same.  A clock
 * is the word of a source partition about time: it travels with or after the partials that it lets
 * stage 2 finish.
 *
 * Keys     Avro: family string ("counts", "clock"), task, epoch long, group string, pane_start
 * long, partition int: equal keys are the same upsert, for compaction. Values   0x00, schema id
 * big-endian, Avro binary: schemas/partial.4.avsc, schemas/clock.7.avsc. Version  (predictions,
 * labels): the greatest offsets of the records that touched it; componentwise growing; the same
 * version means the same bytes. Groups   "all"; "zone=JFK"; "zone,vendor=JFK,2"; "zone~other" past
 * groups.max; "zone~missing".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTIAL_H
#define SLIPSTREAM_PARTIAL_H

#include "base/varint.h"

enum {
    SCHEMA_SLI = 3,
    SCHEMA_PARTIAL = 4,
    SCHEMA_CHECKPOINT = 5,
    SCHEMA_CLOCK = 7,
    SCHEMA_HISTORY = 8,
    SCHEMA_WINDOW = 9,
    SCHEMA_POSITION = 10
};
enum { FRAME_BYTES = 5 };

enum partial_family { PARTIAL_COUNTS, PARTIAL_CLOCK };

struct partial_key {
    enum partial_family family;
    struct slice task;
    int64_t epoch;
    struct slice group; /* empty for a clock */
    int64_t pane_ms;    /* start; 0 for a clock */
    int32_t partition;  /* source partition */
};

struct partial {
    struct partial_key key; /* family PARTIAL_COUNTS */
    int64_t pane_end_ms;
    int64_t version_predictions, version_labels; /* offsets; -1: none */
    int64_t late;                                /* predictions that came after the pane's seal */
    struct slice tables;                         /* metrics/tables.h, encoded */
};

struct clock_partial {
    struct partial_key key;    /* family PARTIAL_CLOCK */
    int64_t from_ms, until_ms; /* event times that this epoch covers in this partition */
    int64_t sealed_before_ms;  /* panes that end at or before it are sealed */
    int64_t final_before_ms;   /* panes that end at or before it are locally final */
    int64_t prediction_clock_ms, feedback_clock_ms;
    int64_t position_predictions, position_feedback;
};

void write_frame(struct buffer *out, int32_t schema_id);
/* The bytes after the frame, or false when it is not schema_id's. */
bool read_frame(struct slice value, int32_t schema_id, struct slice *out_body);

void partial_write_key(const struct partial_key *key, struct buffer *out);
bool partial_read_key(struct slice bytes, struct partial_key *out_key);
void partial_write(const struct partial *partial, struct buffer *out);
bool partial_read(struct slice value, struct partial *out_partial); /* borrows from value */
void clock_partial_write(const struct clock_partial *clock, struct buffer *out);
bool clock_partial_read(struct slice value, struct clock_partial *out_clock);

/* The partials partition of a task: all of a task in one. */
int32_t partial_partition(struct slice task, int32_t partition_count);

#endif

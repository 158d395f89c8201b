/* load_record.h -- a row of a user's file as the bytes of a record on an input topic.
 *
 * By the topic's format
 *   confluent  the header and Avro of our contract (prediction.1.avsc, feedback.2.avsc), so every
 *              path that the configuration reads must be one of the contract
 *   avro       an .avro file's own bytes; its schema must be the topic's
 *   json       a .jsonl file's own line; else an object made of the columns
 * The key is the id as text.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_LOAD_RECORD_H
#define SLIPSTREAM_COMMANDS_LOAD_RECORD_H

#include "base/error.h"
#include "config/definition.h"
#include "schemas/decoder.h"
#include "schemas/value.h"

struct record_file;
struct record_writer;

enum { LOAD_COLUMNS_MAX = 192 };

/* features: more columns to take along, "a,b" for $.features.a and $.features.b; NULL: none.
 * config is borrowed.  Errors: CONFIG (a path that the format cannot carry, no schema). */
enum status record_writer_create(const struct config *config, bool is_feedback,
                                 const char *features, struct record_writer **out_writer,
                                 struct error *err) MUST_CHECK;
void record_writer_destroy(struct record_writer *writer); /* accepts NULL */

/* The columns to open the file with; id and time are among them. */
const struct column_path *record_writer_columns(const struct record_writer *writer,
                                                size_t *out_count);
const char *record_writer_topic(const struct record_writer *writer);
/* Whether the file can be written in the topic's format.  Errors: CONFIG. */
enum status record_writer_accepts(const struct record_writer *writer,
                                  const struct record_file *file, struct error *err) MUST_CHECK;

struct load_record {
    int64_t time_ms;
    struct slice key, value; /* borrowed from the writer until its next record */
};

/* The file's present row.  false: it lacks its id or time. */
bool record_writer_write(struct record_writer *writer, const struct record_file *file,
                         const struct value *values, struct load_record *out_record);

#endif

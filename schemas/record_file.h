/* record_file.h -- a user's file of records, read row by row: for `load` and `local`.
 *
 * Kinds, by extension
 *   .csv            RFC 4180, UTF-8, with a header line; the path "$.name" is the column `name`
 *                   ("$.a.b" is the column "a.b").  An empty field is VALUE_MISSING; a whole number
 *                   or decimal in its usual form is VALUE_LONG or VALUE_DOUBLE; all else, also
 *                   "007" and whole numbers beyond 64 bits, is VALUE_STRING
 *   .jsonl, .json   one JSON object a line; blank lines are passed over
 *   .avro           an Avro object container
 *
 * Times   as in decoder.h.  Missing   as in decoder.h: an absent field is VALUE_MISSING.
 * Limits  a row has at most 64 MB.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_RECORD_FILE_H
#define SLIPSTREAM_SCHEMAS_RECORD_FILE_H

#include "base/error.h"
#include "schemas/decoder.h"
#include "schemas/value.h"

struct record_file;

/* columns are copied.  Errors: CONFIG (the extension, a path, the header or schema, or none of the
 * columns is in the file; err names the file), IO (it cannot be opened). */
enum status record_file_open(const char *path, const struct column_path *columns, size_t count,
                             struct record_file **out_file, struct error *err) MUST_CHECK;
void record_file_close(struct record_file *file);

/* The next row: fills out_values[count] and sets *out_end to false; at the end of the file sets it
 * to true and leaves out_values alone.  Values and the raw row are valid until the next call.
 * Errors, with file and line in err: CORRUPT (this row is unusable; the next call goes on behind
 * it, of an .avro file with its end), IO (reading failed). */
enum status record_file_next(struct record_file *file, struct value *out_values, bool *out_end,
                             struct error *err) MUST_CHECK;

/* The row as it was read: the line without its end (CSV, JSON), or the Avro binary of the record
 * in the file's own writer schema. */
struct slice record_file_raw(const struct record_file *file);
/* How a decoder would read the raw row: FORMAT_AVRO, FORMAT_JSON, or -1 for CSV. */
int record_file_format(const struct record_file *file);
/* The writer schema's JSON text of an .avro file; empty for the others. */
struct slice record_file_schema(const struct record_file *file);
/* Where the last row began: line (CSV, JSON) or record number (.avro), from 1; 0 before the first
 * row. */
size_t record_file_line(const struct record_file *file);

#endif

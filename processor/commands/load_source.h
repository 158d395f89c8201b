/* load_source.h -- a file's rows as records, in order of time.
 *
 * A file in order is streamed; one that is not is held in memory, up to LOAD_BYTES_MAX, and
 * sorted, unless its own order is to be kept.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_LOAD_SOURCE_H
#define SLIPSTREAM_COMMANDS_LOAD_SOURCE_H

#include "commands/load_record.h"

#define LOAD_BYTES_MAX ((size_t)4 << 30)

struct load_source;

struct load_source_options {
    const char *path;
    struct record_writer *writer; /* borrowed */
    int64_t from_ms;              /* earlier records are passed over */
    bool keep_order, skip_bad;
};

/* Reads the file once to learn its order, span and size.  Errors: CONFIG, CORRUPT (a bad row, with
 * its line, unless skip_bad), IO. */
enum status load_source_open(const struct load_source_options *options,
                             struct load_source **out_source, struct error *err) MUST_CHECK;
void load_source_close(struct load_source *source); /* accepts NULL */

/* The present record, NULL at the end. */
const struct load_record *load_source_peek(const struct load_source *source);
enum status load_source_advance(struct load_source *source, struct error *err) MUST_CHECK;

struct load_span {
    uint64_t count, bad;
    uint64_t bytes;            /* keys and values */
    int64_t first_ms, last_ms; /* least and greatest; 0 when count is 0 */
};
void load_source_span(const struct load_source *source, struct load_span *out_span);

#endif

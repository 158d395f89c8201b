/* csv.h -- comma-separated values: one record cut out of a text, and what a field means.
 *
 * Source   RFC 4180: fields by commas, lines by CR LF; a quoted field may hold commas, line ends
 *          and, doubled, quotes.  Also taken: a bare LF as line end, a last line without an end.
 *          Refused: a quote inside an unquoted field, text behind a closing quote, an open quote
 *          at the end.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_SCHEMAS_CSV_H
#define SLIPSTREAM_SCHEMAS_CSV_H

#include "schemas/value.h"

enum csv_cut {
    CSV_RECORD,
    CSV_MORE, /* the record does not end in this text, and more may follow */
    CSV_BAD,
};

/* The fields of the last record; memory is kept from one record to the next.  Starts as {0}. */
struct csv_record {
    struct slice *fields; /* without quotes; they borrow from the text or from scratch */
    size_t count, capacity;
    char *scratch; /* fields with doubled quotes */
    size_t scratch_capacity;
    struct slice raw; /* the record without its line end */
    size_t size;      /* with it: where the next one begins.  CSV_BAD: behind the line's end */
};

void csv_record_release(struct csv_record *record);

/* Cuts the first record off text.  is_last: nothing follows text, so its end ends the record.
 * An empty text is one record with one empty field. */
enum csv_cut csv_cut(struct slice text, bool is_last, struct csv_record *out_record);

/* Empty: missing; a whole number or decimal in its usual form: a number; else the text itself.
 * Usual: -?(0|[1-9][0-9]*) within 64 bits, and then a fraction or exponent for a VALUE_DOUBLE. */
struct value csv_value(struct slice field);
/* Milliseconds or ISO 8601 as VALUE_LONG, empty as VALUE_MISSING; false for all else. */
bool csv_time(struct slice field, struct value *out_value);

#endif

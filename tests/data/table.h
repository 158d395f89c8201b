/* table.h -- a CSV file in memory, by column name.  For fields without quoted commas, as the data
 * has them: quotes are dropped.  A line with the header's text again is left out, so that files may
 * be put end to end.  What goes wrong ends the program with a line that says what.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_DATA_TABLE_H
#define SLIPSTREAM_TESTS_DATA_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { TIME_BYTES = 80 };

struct table {
    char *text;          /* owned; fields point into it */
    const char **fields; /* rows x columns, the header first */
    size_t rows;         /* without the header */
    size_t columns;
};

void table_read(const char *path, struct table *out_table);
void table_release(struct table *table);
size_t table_column(const struct table *table, const char *name); /* must be there */
const char *table_field(const struct table *table, size_t row, size_t column);
/* An empty field, or one that is no number, is 0. */
double table_number(const struct table *table, size_t row, size_t column);

/* 2020-02-29 07:00:00 or 2020-02-29T07:00:00Z, as UTC, in ms; the time of day may be missing. */
int64_t time_from(const char *text);
/* With the month after the day's number of months: day 1 is the first. */
int64_t time_of_day(int64_t year, int64_t month, int64_t day);
/* 2020-02-29T07:00:00Z */
void time_to(int64_t time_ms, char out[TIME_BYTES]);

/* A seeded order of 0 .. count - 1 (Fisher-Yates); seed 0 leaves them as they are.  To be freed. */
size_t *shuffled(size_t count, uint64_t seed);

void *take(size_t count, size_t size); /* zeroed; ends the program when there is no memory */
_Noreturn void fail(const char *what, const char *name);

#endif

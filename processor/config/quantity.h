/* quantity.h -- durations, sizes, numbers and times as people write them.
 *
 *   duration  250ms 10s 5m 24h 7d 2w     a whole number and a unit; 0 needs no unit
 *   size      512B 64kB 64MB 1GB         powers of 1024; KiB, MiB and GiB mean the same
 *   count     262144                     decimal
 *   time      2020-01-31, 2020-01-31T10:00:00Z, or Unix milliseconds
 *
 * The parsers take the whole text or return false and leave the output alone.  The formatters write
 * the shortest exact form, which the parsers read back.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_QUANTITY_H
#define SLIPSTREAM_CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum { QUANTITY_BYTES = 32 };

bool parse_duration(const char *text, int64_t *out_ms);
bool parse_size(const char *text, int64_t *out_bytes);
bool parse_count(const char *text, int64_t *out_count);
bool parse_number(const char *text, double *out_number); /* finite */
bool parse_time(const char *text, int64_t *out_ms);      /* Unix milliseconds, UTC */

/* All return scratch. */
const char *format_duration(char scratch[QUANTITY_BYTES], int64_t ms);
const char *format_size(char scratch[QUANTITY_BYTES], int64_t bytes);
const char *format_number(char scratch[QUANTITY_BYTES], double number);
const char *format_time(char scratch[QUANTITY_BYTES], int64_t ms);

#endif

/* time_text.h -- ISO 8601 instants as Unix milliseconds, in UTC arithmetic without the C library's
 * clock, locale or time zone.
 *
 * Read     YYYY-MM-DD, or with 'T' or one blank and hh:mm, hh:mm:ss or hh:mm:ss.fff (one to nine
 *          digits, cut to ms; ',' for '.'), then nothing or Z (UTC), +hh, +hhmm or +hh:mm.
 *          Without a zone it is UTC.  Second 60 is the next minute's first.
 * Range    years 0001 to 9999, Gregorian
 * Source   ISO 8601-1:2019; days of a date after Hinnant, "chrono-compatible low-level date
 *          algorithms", days_from_civil and civil_from_days.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef SLIPSTREAM_SCHEMAS_TIME_TEXT_H
#define SLIPSTREAM_SCHEMAS_TIME_TEXT_H

#include "base/slice.h"

enum { TIME_TEXT_BYTES = 24 }; /* "2020-01-31T10:00:00.000Z" */

/* False, and nothing written, when text is anything else. */
bool time_text_parse(struct slice text, int64_t *out_ms);
/* Milliseconds as a real number, cut to whole ones towards the past; false when not finite or out
 * of int64. */
bool time_from_real(double ms, int64_t *out_ms);
/* Writes TIME_TEXT_BYTES characters and a NUL.  ms outside the range is moved to its edge. */
void time_text_format(int64_t ms, char out_text[TIME_TEXT_BYTES + 1]);

#endif

/* key.h -- the order of families and rows, and the names of families.
 *
 * Families are ordered by kind, instance, slice; rows by family, then key bytes as memcmp.
 * Names are what a database calls a family: "default" (meta), "panes", "orphans",
 * "rows/INSTANCE/SLICE", "marks/INSTANCE/SLICE", both numbers in decimal.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_KEY_H
#define SLIPSTREAM_STATE_KEY_H

#include "state/store.h"

enum { FAMILY_NAME_BYTES = 48 }; /* with the closing NUL */

/* Negative, 0, positive. */
int family_compare(struct family a, struct family b);
int row_compare(const struct store_row *a, const struct store_row *b);

/* Writes the name into scratch; returns scratch. */
const char *family_name(struct family family, char scratch[FAMILY_NAME_BYTES]);
/* False, and nothing written, when name is not exactly what family_name writes. */
bool family_parse(const char *name, struct family *out_family);

#endif

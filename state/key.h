/* key.h -- the order of families and rows, and the prefix that tells families apart which share a
 * table.
 *
 * Families are ordered by kind, instance, slice; rows by family, then key bytes as memcmp.
 * A prefix is INSTANCE, 4 bytes, then SLICE, 8 bytes with the sign bit flipped, both big-endian: so
 * prefixes of one kind sort as their families do.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_KEY_H
#define SLIPSTREAM_STATE_KEY_H

#include "state/store.h"

enum { FAMILY_KINDS = FAMILY_MARKS + 1, PREFIX_BYTES = 12 };

/* ROWS or MARKS: of many families, told apart by instance and slice. */
bool family_is_sliced(enum family_kind kind);
/* Negative, 0, positive. */
int family_compare(struct family a, struct family b);
int row_compare(const struct store_row *a, const struct store_row *b);

/* Writes the prefix of a sliced family into scratch; returns it. */
struct slice family_prefix(struct family family, char scratch[PREFIX_BYTES]);
/* The first key behind all that begin with prefix; false when there is none. */
bool prefix_end(const char prefix[PREFIX_BYTES], char out_end[PREFIX_BYTES]);
/* The family of kind whose prefix key begins with; false when key is shorter than a prefix. */
bool family_parse(enum family_kind kind, struct slice key, struct family *out_family);

#endif

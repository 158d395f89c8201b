/* key.h -- the order of families and rows, and the prefix that tells the runs of families apart
 * which share a table.
 *
 * Families are ordered by kind, instance, slice; rows by family, then key bytes as memcmp.
 * A prefix is KIND, 1 byte, INSTANCE, 4 bytes, SLICE, 8 bytes with the sign bit flipped, then the
 * run's NUMBER, 8 bytes, all big-endian: so prefixes sort as families and, within one, as their
 * runs' ages do.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_KEY_H
#define SLIPSTREAM_STATE_KEY_H

#include "state/store.h"

enum { PREFIX_BYTES = 21 };

/* ROWS or MARKS: of many families, told apart by instance and slice. */
bool family_is_sliced(enum family_kind kind);
/* Negative, 0, positive. */
int family_compare(struct family a, struct family b);

/* The first 8 bytes as a big-endian number, zeros behind a short key: it orders as the keys do,
 * where two of them differ. */
uint64_t key_head(struct slice key);

/* Writes the prefix of a run of a sliced family into scratch; returns it. */
struct slice run_prefix(struct family family, uint64_t number, char scratch[PREFIX_BYTES]);
/* The run whose prefix key begins with; false when it begins with none. */
bool run_parse(struct slice key, struct family *out_family, uint64_t *out_number);

#endif

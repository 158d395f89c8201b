/* locator.h -- in which stored segment is an id, and may it have a label mark?  A hint of 3 bytes a
 * slot, so that a label without the prediction's time need not ask every segment, nor a prediction
 * its filters, nor a row that is found all files of marks.
 *
 * A slot holds an 11-bit fingerprint of the key, whether a mark may be stored, and the segment's
 * number modulo 4096.  It may name a segment that has not the key (about 4 in a thousand look-ups a
 * full generation, whose filter then says no), or a mark that is not there; it never misses one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_LOCATOR_H
#define SLIPSTREAM_PARTITION_LOCATOR_H

#include "base/hash.h"

enum { LOCATOR_FOUND_MAX = 64, LOCATOR_SEGMENT_BITS = 12 };

struct locator_table;

/* Segments, by their code (number modulo 4096). */
struct locator_codes {
    uint64_t words[(1 << LOCATOR_SEGMENT_BITS) / 64];
};

struct locator {
    struct locator_table *newest;
    size_t bytes, bytes_max;
};

void locator_init(struct locator *locator, size_t bytes_max);
void locator_release(struct locator *locator);
/* Room for count more rows, all of them; false: no room, nothing is to be added. */
bool locator_reserve(struct locator *locator, size_t count);
/* Drops the generations with the oldest segments, until a quarter of bytes_max is free, or what
 * count rows take; adds the segments that lost rows by it to dropped. */
void locator_drop_oldest(struct locator *locator, size_t count, struct locator_codes *dropped);
bool locator_codes_have(const struct locator_codes *codes, int64_t segment);
void locator_add(struct locator *locator, const struct hash128 *key, int64_t segment,
                 bool may_have_mark);
/* The row, if it is here, may have a mark from now on. */
void locator_mark(struct locator *locator, const struct hash128 *key, int64_t segment);
/* Starts to bring what looking for this key will read into the cache. */
void locator_prefetch(const struct locator *locator, const struct hash128 *key);
/* The same of what asking for one segment will read. */
void locator_prefetch_in(const struct locator *locator, const struct hash128 *key, int64_t segment);
/* May this segment hold the key?  False is certain. */
bool locator_has(const struct locator *locator, const struct hash128 *key, int64_t segment);
/* May this row, which is here, have a mark?  False is certain. */
bool locator_has_mark(const struct locator *locator, const struct hash128 *key, int64_t segment);
/* Codes (segment modulo 4096) of the segments that may hold the key.  LOCATOR_FOUND_MAX: there may
 * be more, an id that is used over and over; ask all segments. */
size_t locator_find(const struct locator *locator, const struct hash128 *key,
                    uint32_t out_codes[LOCATOR_FOUND_MAX]);
uint32_t locator_code(int64_t segment);
/* Frees generations all of whose segments are below first_segment; true when there was one. */
bool locator_expire(struct locator *locator, int64_t first_segment);

#endif

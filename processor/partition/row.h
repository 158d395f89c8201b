/* row.h -- join rows and label marks as bytes.
 *
 * Row    key: 12 bytes of the keyed hash of the id.  Value: time within its segment, offset,
 * output, groups, and the label if it was known when the row was flushed. Mark   of a label that
 * came or changed after that: the last word.  Key: hash, then the segment as 4 bytes big-endian
 * (marks of several segments share a family).  Value: label time minus prediction time, offset,
 * label.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_PARTITION_ROW_H
#define SLIPSTREAM_PARTITION_ROW_H

#include "partition/delta.h"

enum { MARK_KEY_BYTES = 16 };

/* The key of an id, and the one whose bytes are stored. */
struct hash128 row_key(const struct hash_key *key, struct slice id);
struct hash128 row_key_read(const void *bytes);

struct row_layout {
    enum task_kind kind;
    int64_t segment_ms;
    int grouping_count;
};

void row_write(const struct delta *delta, const struct delta_entry *entry,
               const struct row_layout *layout, struct buffer *out);
/* Inserts a row of this instance and segment.  False: malformed. */
bool row_read(struct delta *delta, const struct hash128 *key, uint16_t instance, int64_t segment,
              const struct row_layout *layout, struct slice value);

/* The slice of marks that a segment belongs to, and the first segment behind a slice. */
int64_t mark_slice(int64_t segment);
int64_t mark_slice_end(int64_t slice);
void mark_write_key(const unsigned char key[ROW_KEY_BYTES], int64_t segment,
                    char out_key[MARK_KEY_BYTES]);
/* Of an entry that has its label. */
void mark_write(const struct delta *delta, const struct delta_entry *entry,
                const struct row_layout *layout, struct buffer *out);
/* Sets the label of an entry whose row is filled. */
bool mark_read(struct delta *delta, struct delta_entry *entry, const struct row_layout *layout,
               struct slice value);

/* Division that rounds towards minus infinity: slices of time before 1970 too. */
int64_t floor_divide(int64_t a, int64_t b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/row.h"

#include <string.h>

#include "base/error.h"
#include "base/varint.h"

/* Few files of marks a flush, and not much kept beyond its time. */
enum { SEGMENTS_PER_MARK_SLICE = 6 };

int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Classes and binary labels are small integers; scores and values need all their bits. */
static void write_number(struct buffer *out, bool is_small, double number) {
    if (is_small)
        write_long(out, (int64_t)number);
    else
        write_double(out, number);
}

static double read_number(struct reader *reader, bool is_small) {
    return is_small ? (double)read_long(reader) : read_double(reader);
}

void row_write(const struct delta_entry *entry, const struct row_layout *layout,
               struct buffer *out) {
    write_long(out, entry->time_ms - entry->segment * layout->segment_ms);
    write_long(out, entry->offset);
    write_number(out, layout->kind == TASK_MULTICLASS, entry->output);
    for (int i = 1; i <= layout->grouping_count; i++)
        write_long(out, entry->groups[i]);
    if (entry->flags & DELTA_LABELLED)
        mark_write(entry, layout, out);
}

bool row_read(struct delta_entry *entry, const struct row_layout *layout, struct slice value) {
    struct reader reader = reader_from(value);
    entry->time_ms = read_long(&reader) + entry->segment * layout->segment_ms;
    entry->offset = read_long(&reader);
    entry->output = read_number(&reader, layout->kind == TASK_MULTICLASS);
    for (int i = 1; i <= layout->grouping_count; i++)
        entry->groups[i] = (uint16_t)read_long(&reader);
    if (reader.failed || reader_done(&reader))
        return !reader.failed;
    return mark_read(entry, layout,
                     (struct slice){(const char *)reader.at, (size_t)(reader.end - reader.at)});
}

int64_t mark_slice(int64_t segment) {
    return floor_divide(segment, SEGMENTS_PER_MARK_SLICE);
}

int64_t mark_slice_end(int64_t slice) {
    return (slice + 1) * SEGMENTS_PER_MARK_SLICE;
}

struct hash128 row_key_read(const void *bytes) {
    struct hash128 key = {{0}};
    memcpy(key.bytes, bytes, ROW_KEY_BYTES);
    return key;
}

struct hash128 row_key(const struct hash_key *key, struct slice id) {
    struct hash128 whole = hash128_keyed(key, id);
    return row_key_read(whole.bytes);
}

void mark_write_key(const struct hash128 *key, int64_t segment, char out_key[MARK_KEY_BYTES]) {
    ASSERT(segment >= INT32_MIN && segment <= INT32_MAX);
    uint32_t number = (uint32_t)(int32_t)segment;
    const unsigned char suffix[4] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                     (unsigned char)(number >> 8), (unsigned char)number};
    memcpy(out_key, key->bytes, ROW_KEY_BYTES);
    memcpy(out_key + ROW_KEY_BYTES, suffix, sizeof suffix);
}

void mark_write(const struct delta_entry *entry, const struct row_layout *layout,
                struct buffer *out) {
    write_long(out, entry->label_ms - entry->time_ms);
    write_long(out, entry->label_offset);
    write_number(out, layout->kind != TASK_REGRESSION, entry->label);
}

bool mark_read(struct delta_entry *entry, const struct row_layout *layout, struct slice value) {
    struct reader reader = reader_from(value);
    entry->label_ms = entry->time_ms + read_long(&reader);
    entry->label_offset = read_long(&reader);
    entry->label = read_number(&reader, layout->kind != TASK_REGRESSION);
    entry->flags |= DELTA_LABELLED;
    return reader_done(&reader);
}

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

void row_write(const struct delta *delta, const struct delta_entry *entry,
               const struct row_layout *layout, struct buffer *out) {
    const struct cohort *cohort = delta_cohort(delta, entry);
    write_long(out, entry->time_ms - cohort->segment * layout->segment_ms);
    write_long(out, entry->offset);
    write_number(out, layout->kind == TASK_MULTICLASS, entry->output);
    for (int i = 0; i < layout->grouping_count; i++)
        write_long(out, cohort->groups[i]);
    if (entry->label != DELTA_NONE)
        mark_write(delta, entry, layout, out);
}

bool row_read(struct delta *delta, const struct hash128 *key, uint16_t instance, int64_t segment,
              const struct row_layout *layout, struct slice value) {
    struct reader reader = reader_from(value);
    struct cohort cohort = {.instance = instance, .segment = segment};
    int64_t time_ms = read_long(&reader) + segment * layout->segment_ms;
    int64_t offset = read_long(&reader);
    double output = read_number(&reader, layout->kind == TASK_MULTICLASS);
    for (int i = 0; i < layout->grouping_count; i++)
        cohort.groups[i] = (uint16_t)read_long(&reader);
    if (reader.failed)
        return false;
    struct delta_entry *entry = delta_insert(delta, key, &cohort);
    entry->time_ms = time_ms;
    entry->offset = offset;
    entry->output = output;
    return reader_done(&reader) ||
           mark_read(delta, entry, layout,
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

void mark_write_key(const unsigned char key[ROW_KEY_BYTES], int64_t segment,
                    char out_key[MARK_KEY_BYTES]) {
    ASSERT(segment >= INT32_MIN && segment <= INT32_MAX);
    uint32_t number = (uint32_t)(int32_t)segment;
    const unsigned char suffix[4] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                     (unsigned char)(number >> 8), (unsigned char)number};
    memcpy(out_key, key, ROW_KEY_BYTES);
    memcpy(out_key + ROW_KEY_BYTES, suffix, sizeof suffix);
}

void mark_write(const struct delta *delta, const struct delta_entry *entry,
                const struct row_layout *layout, struct buffer *out) {
    const struct delta_label *label = delta_label(delta, entry);
    ASSERT(label);
    write_long(out, label->time_ms - entry->time_ms);
    write_long(out, label->offset);
    write_number(out, layout->kind != TASK_REGRESSION, label->value);
}

bool mark_read(struct delta *delta, struct delta_entry *entry, const struct row_layout *layout,
               struct slice value) {
    struct reader reader = reader_from(value);
    struct delta_label label = {.time_ms = entry->time_ms + read_long(&reader)};
    label.offset = read_long(&reader);
    label.value = read_number(&reader, layout->kind != TASK_REGRESSION);
    delta_set_label(delta, entry, label);
    return reader_done(&reader);
}

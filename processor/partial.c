/* SPDX-License-Identifier: Apache-2.0 */
#include "partial.h"

#include "base/error.h"
#include "base/hash.h"

static const char *const family_names[] = {"counts", "clock"};

void write_frame(struct buffer *out, int32_t schema_id) {
    uint32_t id = (uint32_t)schema_id;
    const unsigned char frame[FRAME_BYTES] = {0, (unsigned char)(id >> 24),
                                              (unsigned char)(id >> 16), (unsigned char)(id >> 8),
                                              (unsigned char)id};
    buffer_append(out, frame, sizeof frame);
}

bool read_frame(struct slice value, int32_t schema_id, struct slice *out_body) {
    if (value.size < FRAME_BYTES || value.data[0] != 0)
        return false;
    const unsigned char *at = (const unsigned char *)value.data;
    uint32_t id = (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
    *out_body = (struct slice){value.data + FRAME_BYTES, value.size - FRAME_BYTES};
    return id == (uint32_t)schema_id;
}

void partial_write_key(const struct partial_key *key, struct buffer *out) {
    write_bytes(out, slice_from(family_names[key->family]));
    write_bytes(out, key->task);
    write_long(out, key->epoch);
    write_bytes(out, key->group);
    write_long(out, key->pane_ms);
    write_long(out, key->partition);
}

static bool read_family(struct reader *reader, enum partial_family *out_family) {
    struct slice name = read_bytes(reader);
    for (size_t i = 0; i < COUNT_OF(family_names); i++) {
        if (slice_equal(name, slice_from(family_names[i]))) {
            *out_family = (enum partial_family)i;
            return true;
        }
    }
    return false;
}

static bool read_partition(struct reader *reader, int32_t *out_partition) {
    int64_t partition = read_long(reader);
    *out_partition = (int32_t)partition;
    return partition >= 0 && partition <= INT32_MAX;
}

bool partial_read_key(struct slice bytes, struct partial_key *out_key) {
    struct reader reader = reader_from(bytes);
    if (!read_family(&reader, &out_key->family))
        return false;
    out_key->task = read_bytes(&reader);
    out_key->epoch = read_long(&reader);
    out_key->group = read_bytes(&reader);
    out_key->pane_ms = read_long(&reader);
    return read_partition(&reader, &out_key->partition) && reader_done(&reader);
}

void partial_write(const struct partial *partial, struct buffer *out) {
    const struct partial_key *key = &partial->key;
    write_frame(out, SCHEMA_PARTIAL);
    write_bytes(out, key->task);
    write_long(out, key->epoch);
    write_long(out, key->pane_ms);
    write_long(out, partial->pane_end_ms);
    write_bytes(out, key->group);
    write_long(out, key->partition);
    write_bytes(out, slice_from(family_names[key->family]));
    write_long(out, partial->version_predictions);
    write_long(out, partial->version_labels);
    write_long(out, partial->late);
    buffer_append(out, partial->tables.data, partial->tables.size);
}

bool partial_read(struct slice value, struct partial *out_partial) {
    struct slice body;
    if (!read_frame(value, SCHEMA_PARTIAL, &body))
        return false;
    struct reader reader = reader_from(body);
    struct partial_key *key = &out_partial->key;
    key->task = read_bytes(&reader);
    key->epoch = read_long(&reader);
    key->pane_ms = read_long(&reader);
    out_partial->pane_end_ms = read_long(&reader);
    key->group = read_bytes(&reader);
    if (!read_partition(&reader, &key->partition) || !read_family(&reader, &key->family))
        return false;
    out_partial->version_predictions = read_long(&reader);
    out_partial->version_labels = read_long(&reader);
    out_partial->late = read_long(&reader);
    out_partial->tables = (struct slice){(const char *)reader.at, (size_t)(reader.end - reader.at)};
    return !reader.failed && key->family == PARTIAL_COUNTS;
}

void clock_partial_write(const struct clock_partial *clock, struct buffer *out) {
    write_frame(out, SCHEMA_CLOCK);
    write_bytes(out, clock->key.task);
    write_long(out, clock->key.epoch);
    write_long(out, clock->key.partition);
    const int64_t fields[] = {clock->from_ms,
                              clock->until_ms,
                              clock->sealed_before_ms,
                              clock->final_before_ms,
                              clock->prediction_clock_ms,
                              clock->feedback_clock_ms,
                              clock->position_predictions,
                              clock->position_feedback};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        write_long(out, fields[i]);
}

bool clock_partial_read(struct slice value, struct clock_partial *out_clock) {
    struct slice body;
    if (!read_frame(value, SCHEMA_CLOCK, &body))
        return false;
    struct reader reader = reader_from(body);
    *out_clock = (struct clock_partial){.key = {.family = PARTIAL_CLOCK}};
    out_clock->key.task = read_bytes(&reader);
    out_clock->key.epoch = read_long(&reader);
    if (!read_partition(&reader, &out_clock->key.partition))
        return false;
    int64_t *const fields[] = {&out_clock->from_ms,
                               &out_clock->until_ms,
                               &out_clock->sealed_before_ms,
                               &out_clock->final_before_ms,
                               &out_clock->prediction_clock_ms,
                               &out_clock->feedback_clock_ms,
                               &out_clock->position_predictions,
                               &out_clock->position_feedback};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        *fields[i] = read_long(&reader);
    return reader_done(&reader);
}

int32_t partial_partition(struct slice task, int32_t partition_count) {
    ASSERT(partition_count > 0);
    return (int32_t)(hash64(task) % (uint64_t)partition_count);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/latest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    OFFSETS_FIRST = 2000,
    POLL_MS = 2, /* between looks at an empty queue: these readings are rare and short */
    BATCH = 500,
};

struct reading {
    struct log_reader *reader;
    int timeout_ms;
    int64_t deadline_us;
    enum status (*visit)(void *owner, const struct kafka_record *record, struct error *err);
    void *owner;
};

static int64_t deadline_in(int timeout_ms) {
    return clock_monotonic_us() + INT64_C(1000) * timeout_ms;
}

static enum status visit_batch(struct reading *reading, size_t *out_count, struct error *err) {
    struct kafka_record records[BATCH];
    size_t count = 0;
    TRY(log_reader_poll(reading->reader, records, BATCH, &count, err));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = reading->visit(reading->owner, &records[i], err);
    records_release(records, count);
    *out_count = count;
    return status;
}

/* Until the end as it is now; what is written meanwhile may be visited too. */
static enum status visit_all(struct reading *reading, struct error *err) {
    struct wake pause;
    TRY(wake_init(&pause, err));
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !log_reader_at_end(reading->reader)) {
        size_t count = 0;
        status = visit_batch(reading, &count, err);
        if (count > 0)
            reading->deadline_us = deadline_in(reading->timeout_ms);
        else if (status == STATUS_OK && clock_monotonic_us() >= reading->deadline_us)
            status = error_set(
                err, STATUS_BROKER, "no end after %d ms at offset %lld (is a transaction open?)",
                reading->timeout_ms, (long long)log_reader_position(reading->reader));
        else if (status == STATUS_OK && !log_reader_at_end(reading->reader))
            wake_wait(&pause, POLL_MS);
    }
    wake_release(&pause);
    return status;
}

/* offset is in the log, or its end. */
static enum status read_from(struct assign_consumer *consumer, const char *topic, int32_t partition,
                             int64_t offset, struct reading *reading, int64_t *out_end,
                             struct error *err) {
    TRY(assign_consumer_add(consumer, topic, partition, offset, &reading->reader, err));
    reading->deadline_us = deadline_in(reading->timeout_ms);
    enum status status = visit_all(reading, err);
    if (status == STATUS_OK && out_end)
        *out_end = log_reader_position(reading->reader);
    assign_consumer_remove(consumer, reading->reader);
    return status == STATUS_OK ? STATUS_OK
                               : error_wrap(err, status, "read %s[%d]", topic, (int)partition);
}

enum status read_whole(struct assign_consumer *consumer, const char *topic, int32_t partition,
                       int64_t offset, int timeout_ms,
                       enum status (*visit)(void *owner, const struct kafka_record *record,
                                            struct error *err),
                       void *owner, int64_t *out_end, struct error *err) {
    int64_t low = 0, high = 0;
    TRY(assign_consumer_watermarks(consumer, topic, partition, timeout_ms, &low, &high, err));
    struct reading reading = {.timeout_ms = timeout_ms, .visit = visit, .owner = owner};
    return read_from(consumer, topic, partition, offset > low ? offset : low, &reading, out_end,
                     err);
}

struct wanted {
    const struct slice *keys;
    size_t key_count;
    struct buffer *values; /* grown past any record: a record's size is the brokers' to limit */
    bool *is_set;
    int64_t *offsets; /* -1: not found */
};

static enum status keep_latest(void *owner, const struct kafka_record *record,
                               struct error *err UNUSED) {
    const struct wanted *wanted = owner;
    for (size_t i = 0; i < wanted->key_count; i++) {
        if (!slice_equal(record->key, wanted->keys[i]))
            continue;
        wanted->offsets[i] = record->offset;
        wanted->is_set[i] = record->value.data != NULL;
        buffer_reset(&wanted->values[i]);
        if (wanted->is_set[i])
            buffer_append(&wanted->values[i], record->value.data, record->value.size);
    }
    return STATUS_OK;
}

static bool all_found(const struct wanted *wanted) {
    for (size_t i = 0; i < wanted->key_count; i++) {
        if (wanted->offsets[i] < 0)
            return false;
    }
    return true;
}

/* Each turn reads to the end again, so that the values are of one moment. */
static enum status look_back(struct assign_consumer *consumer, const char *topic, int32_t partition,
                             int timeout_ms, struct wanted *wanted, struct error *err) {
    int64_t low = 0, high = 0;
    TRY(assign_consumer_watermarks(consumer, topic, partition, timeout_ms, &low, &high, err));
    for (int64_t span = OFFSETS_FIRST;; span *= 2) {
        int64_t start = high - span > low ? high - span : low;
        struct reading reading = {.timeout_ms = timeout_ms, .visit = keep_latest, .owner = wanted};
        TRY(read_from(consumer, topic, partition, start, &reading, NULL, err));
        if (start == low || all_found(wanted))
            return STATUS_OK;
    }
}

enum status read_latest(struct assign_consumer *consumer, const char *topic, int32_t partition,
                        const struct slice *keys, size_t key_count, int timeout_ms,
                        struct arena *arena, struct slice *out_values, int64_t *out_offsets,
                        struct error *err) {
    enum { VALUE_BYTES_MAX = 1 << 30 };
    struct wanted wanted = {keys, key_count, alloc_zero(key_count, sizeof(struct buffer)),
                            alloc_zero(key_count, sizeof(bool)),
                            alloc_zero(key_count, sizeof(int64_t))};
    for (size_t i = 0; i < key_count; i++) {
        buffer_init(&wanted.values[i], VALUE_BYTES_MAX);
        wanted.offsets[i] = -1;
    }
    enum status status = look_back(consumer, topic, partition, timeout_ms, &wanted, err);
    for (size_t i = 0; i < key_count; i++) {
        if (status == STATUS_OK)
            out_values[i] = wanted.is_set[i] ? arena_copy(arena, buffer_slice(&wanted.values[i]))
                                             : (struct slice){NULL, 0};
        if (out_offsets)
            out_offsets[i] = wanted.offsets[i];
        buffer_release(&wanted.values[i]);
    }
    free(wanted.values);
    free(wanted.is_set);
    free(wanted.offsets);
    return status;
}

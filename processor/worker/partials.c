/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/partials.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kafka/latest.h"
#include "partial.h"

enum { TIMEOUT_MS = 10000 };

static struct slice note_key(struct buffer *buffer) {
    buffer_init(buffer, 64);
    write_bytes(buffer, SLICE("position"));
    return buffer_slice(buffer);
}

void partials_note(int32_t partition, int64_t position, struct outbox *outbox) {
    struct buffer key, value;
    struct message message = {.topic = TOPIC_STATE, .partition = partition, .key = note_key(&key)};
    buffer_init(&value, 64);
    write_frame(&value, SCHEMA_POSITION);
    write_long(&value, position);
    message.value = buffer_slice(&value);
    outbox_add(outbox, &message);
    buffer_release(&key);
    buffer_release(&value);
}

bool partials_is_note(struct slice key) {
    struct buffer ours;
    bool is_note = slice_equal(key, note_key(&ours));
    buffer_release(&ours);
    return is_note;
}

static int64_t read_note(struct slice value) {
    struct slice body;
    if (!value.data || !read_frame(value, SCHEMA_POSITION, &body))
        return -1;
    struct reader reader = reader_from(body);
    int64_t position = read_long(&reader);
    return reader_done(&reader) ? position : -1;
}

/* -1: nothing was ever published from it. */
static enum status published_position(struct assign_consumer *reader, const struct config *config,
                                      int32_t partition, int64_t *out_position, struct error *err) {
    int64_t low, high;
    *out_position = -1;
    TRY(assign_consumer_watermarks(reader, config->state_topic, partition, TIMEOUT_MS, &low, &high,
                                   err));
    if (low == high)
        return STATUS_OK;
    struct buffer buffer;
    struct arena arena;
    struct slice key = note_key(&buffer), value = {NULL, 0};
    arena_init(&arena);
    enum status status = read_latest(reader, config->state_topic, partition, &key, 1, TIMEOUT_MS,
                                     &arena, &value, NULL, err);
    if (status == STATUS_OK)
        *out_position = read_note(value);
    arena_release(&arena);
    buffer_release(&buffer);
    return status;
}

enum status partials_check(struct assign_consumer *reader, const struct config *config,
                           int32_t partition, int64_t committed, int64_t *out_end,
                           struct error *err) {
    int64_t low, known = committed;
    TRY(assign_consumer_watermarks(reader, config->partials_topic, partition, TIMEOUT_MS, &low,
                                   out_end, err));
    if (committed < 0)
        TRY(published_position(reader, config, partition, &known, err));
    if (known <= *out_end)
        return STATUS_OK;
    return error_set(err, STATUS_CONFIG,
                     "%s[%d] ends at %" PRId64 ", SLIs were published up to %" PRId64
                     ": the topic was made anew, and what it held is lost; give the application "
                     "another name, and it computes everything again from its inputs",
                     config->partials_topic, (int)partition, *out_end, known);
}

static enum status check_each(struct assign_consumer *reader, const struct config *config,
                              struct error *err) {
    int32_t count = (int32_t)config->partials_partitions;
    struct log_position *committed = alloc_zero((size_t)count, sizeof *committed);
    for (int32_t i = 0; i < count; i++)
        committed[i] = (struct log_position){config->partials_topic, i, -1};
    enum status status =
        assign_consumer_committed(reader, committed, (size_t)count, TIMEOUT_MS, err);
    for (int32_t i = 0; i < count && status == STATUS_OK; i++) {
        int64_t end;
        status = partials_check(reader, config, i, committed[i].offset, &end, err);
    }
    free(committed);
    return status;
}

/* What is not committed, or never will be, is as good a witness: every position was read. */
enum status partials_check_all(const struct config *config, struct error *err) {
    char group[256];
    struct wake wake;
    struct assign_consumer *reader = NULL;
    (void)snprintf(group, sizeof group, "%s-task", config->application);
    TRY(wake_init(&wake, err));
    enum status status = onlooker_create(config, group, &wake, &reader, err);
    if (status == STATUS_OK)
        status = check_each(reader, config, err);
    assign_consumer_destroy(reader);
    wake_release(&wake);
    return status;
}

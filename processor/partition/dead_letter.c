/* dead_letter.c -- refused records, in the same transaction as everything else.
 *
 * Headers in Kafka Connect's style (schemas/dead_letter.6.avsc); key and value are the record's
 * own, or, of one too large to be sent, left out: a header says how large they are.  What a label's
 * prediction decides (UNMATCHED, BEYOND_HORIZON of its row) may be known at once or after a wait,
 * when the record is not in memory any more: either way such a dead letter carries the id as key,
 * no value and no timestamp, and the headers say where the record is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "partition/internal.h"

struct origin {
    enum log_side log;
    int64_t offset, record_ms;
    struct slice key, value;
};

static struct slice print(char *scratch, size_t size, int64_t number) {
    int used = snprintf(scratch, size, "%" PRId64, number);
    return (struct slice){scratch, used > 0 ? (size_t)used : 0};
}

static void add(struct partition *partition, const struct origin *origin, enum refusal refusal,
                const char *task) {
    partition->counters.refused[refusal]++;
    partition->changed_since_flush = true;
    if (!partition->outbox)
        return;
    const struct topic_definition *topic = origin->log == LOG_PREDICTIONS
                                               ? &partition->config->predictions
                                               : &partition->config->feedback;
    size_t most = partition->config->dead_letter_bytes_max;
    bool has_key = origin->key.size <= most;
    bool has_value = origin->value.size <= most - (has_key ? origin->key.size : 0);
    char number[24], offset[24], timestamp[24], key_bytes[24], value_bytes[24];
    struct header headers[10] = {
        {"slipstream.errors.topic", slice_from(topic->topic)},
        {"slipstream.errors.partition", print(number, sizeof number, partition->number)},
        {"slipstream.errors.offset", print(offset, sizeof offset, origin->offset)},
        {"slipstream.errors.stage", slice_from(task[0] ? "join" : "decode")},
        {"slipstream.errors.code", slice_from(refusal_code(refusal))},
        {"slipstream.errors.message", slice_from(refusal_remedy(refusal))},
    };
    size_t count = 6;
    if (task[0])
        headers[count++] = (struct header){"slipstream.errors.task", slice_from(task)};
    if (origin->record_ms != TIME_NONE)
        headers[count++] = (struct header){"slipstream.errors.timestamp",
                                           print(timestamp, sizeof timestamp, origin->record_ms)};
    if (!has_key)
        headers[count++] =
            (struct header){"slipstream.errors.key.bytes",
                            print(key_bytes, sizeof key_bytes, (int64_t)origin->key.size)};
    if (!has_value)
        headers[count++] =
            (struct header){"slipstream.errors.value.bytes",
                            print(value_bytes, sizeof value_bytes, (int64_t)origin->value.size)};
    const struct slice left_out = {NULL, 0};
    outbox_add(partition->outbox, &(struct message){.topic = TOPIC_DEAD_LETTERS,
                                                    .partition = -1,
                                                    .key = has_key ? origin->key : left_out,
                                                    .value = has_value ? origin->value : left_out,
                                                    .headers = headers,
                                                    .header_count = count});
}

void dead_letter(struct partition *partition, const struct event *event, enum refusal refusal,
                 const char *task) {
    const struct origin origin = {event->log, event->offset, event->record_ms, event->raw_key,
                                  event->raw_value};
    add(partition, &origin, refusal, task);
}

void dead_letter_label(struct partition *partition, int64_t offset, struct slice id,
                       enum refusal refusal, const char *task) {
    const struct origin origin = {LOG_FEEDBACK, offset, TIME_NONE, id, {NULL, 0}};
    add(partition, &origin, refusal, task);
}
